r"""What the words beside a line suppose of the cell: "bei linearer Aktivierung", "- **Gate shut:**", "ignoring later steps", "as $|h_t| \to 1$".

One table, a row for each special case of a cell, in the words of ten languages.  What a case means for the cell is settled in `special`: words by
themselves neither prove nor refute.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.check.reading.conditions import GENERAL
from symgrad.check.reading.prose import FIRST, LONG, PARAGRAPH, PH, SENTENCE, Prose, asked, masked, paragraph
from symgrad.check.reading.relations import number
from symgrad.check.reading.symbols import spelled
from symgrad.check.reading.trees import kind, unwrapped

SLOPE = "identity"  # the activation has slope one
FLAT = "flat"  # or slope zero
NAMED = "named"  # it is another function
GATES = "gates"  # gates are open, closed, taken away, tied
ZERO = "zero"  # there is no input, no bias
MATRIX = "matrix"  # a weight has a property
CUT = "cut"  # what comes through other steps is left out
LAST = "last"  # the loss looks at the last step alone
FROZEN = "frozen"  # a parameter is not learned
EQUATION = "equation"  # another equation of a quantity
PEEPHOLES = "peepholes"

LACKING = r"(?:no|without|lack(?:s|ing)?|absen(?:t|ce)|omit\w*|drop\w*|remov\w*|disabl\w*|ignor\w*|neglect\w*|ohne|kein\w*|sans|aucune?|sin|sem|senza|без|нет)"
WORDS: dict[str, tuple[str, ...]] = {  # a row for English, German, French, Spanish and Portuguese, Italian, Russian, Chinese, Japanese, Korean
    SLOPE: (
        r"(?<![\w-])(?<!n[oã]n )(?<!no )(?<!não )(?<!nicht )(?<!pas )linear(?:ly|i[sz]\w+)?\b"
        r"(?!\s+(?:layer|transform|combin|map|algebra|project|read-?out|output|operator|function of|part|term))",
        r"\bidentity\b(?!\s+matrix)",
        r"(?:^|\n)[\W_]*(?:item\W*)?(?:none|keine|aucune|ninguna|nenhuma|nessuna|нет|无|なし|없음)[\W_]{0,6}$",
        rf"\b{LACKING}\s+(?:\w+\s+){{0,3}}?(?:non-?linear|activation|squash|tanh|aktivierung|nichtlinear)",
        rf"\b{LACKING}\s+(?:\w+\s+){{0,3}}?(?:non-linéar|activaci|ativa[çc]|attivaz|нелинейн|активац|не-?линейн)",
        r"\b(?:activation|non-?linearity|tanh|squashing)\s+(?:\w+\s+){0,2}?(?:omitted|dropped|removed|ignored|neglected|absent)",
        r"\bunit (?:slope|gain)|\bslope\s+(?:\w+\s+){0,3}?(?:1|one|unity)\b|\bactive\b|\bpositive\b|\bfires?\b",
        r"\bat rest\b|\bat (?:the )?origin\b|\bRuhe(?:zustand|lage)\b|\bau repos\b|\ben reposo\b|\bem repouso\b|\ba riposo\b|в покое",
        r"\bstraight-?through|\bsurrogate|\b(?:state|pre-?activation)s? (?:is|are) zero|\brectifiers? (?:is|are) open|\bswitched off",
        rf"\b{LACKING}\s+(?:\w+\s+){{0,2}}?saturation\b|\bkleine[nrsm]?\b|\bnichtlinearität(?:en)? (?:weg|fort|fallen)",
        r"(?<!nicht )(?<!nicht-)\blineare[nrsm]?\b|\bidentität|\baktiv(?:e[nrsm]?)?\b|\bpositiv(?:e[nrsm]?)?\b",
        r"(?<!non )(?<!non-)\blinéaires?\b|\bidentité\b|\bacti(?:f|fs|ve|ves)\b|\bpositi(?:f|fs|ve|ves)\b",
        r"(?<!no )\blineal(?:es)?\b|(?<!não )(?<!-)\blineares\b|\bidentidade?\b|\bac?tiv[oa]s?\b|\bpositiv[oa]s?\b",
        r"(?<!non )(?<!-)\blinear[ei]\b|\bidentità\b|\battiv[oaie]\b|\bpositiv[oaie]\b",
        r"(?<!не)линейн\w+|тождествен\w+|\bединичн\w+ (?:наклон|производн)\w*|(?<!не)\bактивн\w+|\bположительн\w+",
        r"(?<!非)线性|(?<!非)線性|恒等|(?:没有|去掉|不用|不使用|忽略|省略)(?:非线性|激活)|激活(?:区|状态|时)|正(?:半轴|区间)",
        r"(?<!非)線形|線型|恒等|活性化(?:関数)?(?:が|は|を)?(?:な[いしけ]|無|省)|活性(?:側|領域)|正の",
        r"(?<!비)선형|항등|활성화(?: ?함수)?(?:가|이|를|을)? ?(?:없|생략)|(?<!비)활성|양수",
    ),
    FLAT: (
        r"\bsaturat\w*|\bdead\b|\bdying\b|\binactive\b|\bnegative\b|\bclipp(?:ed|ing)\b|\bswitched off|\bplateau\w*|\bflat\b",
        r"\bgesättigt\w*|\bsättigung\w*|\binaktiv(?:e[nrsm]?)?\b|\bnegativ(?:e[nrsm]?)?\b",
        r"\bsatur\w+|\binacti(?:f|fs|ve|ves)\b|\bnégati(?:f|fs|ve|ves)\b",
        r"\binac?tiv[oa]s?\b|\bnegativ[oa]s?\b",
        r"\binattiv[oaie]\b|\bnegativ[oaie]\b",
        r"насыщ\w*|отрицат\w*|неактив\w*",
        r"饱和|飽和|负|負|(?:神经元|单元)[^，。]{0,4}关闭|포화|음수|비활성",
    ),
    ZERO: (
        rf"\b(?:zero|null|nil|vanishing|{LACKING})\s+(?:of\s+)?(?:\w+\s+){{0,3}}?(?:inputs?|bias(?:es)?|driv\w+)\b",
        r"\bautonomous|\bfree-?running|\bunforced|\bhomogeneous",
        r"\b(?:inputs?|bias(?:es)?)\s+(?:\w+\s+){0,2}?(?:zero|null|0|vanish\w*|absent|switched off)\b",
        r"\b(?:ohne|kein\w*)\s+(?:\w+\s+){0,2}?(?:eingabe|eingang|bias)\w*",
        r"\b(?:eingabe|eingang|bias)\w*\s+(?:\w+\s+){0,2}?(?:null|0)\b|\bautonom\w*",
        r"\b(?:sans|aucune?)\s+(?:entrées?|biais)\b|\b(?:entrée|biais)\s+(?:est\s+)?nule?l?e?\b|\bautonome",
        r"\b(?:sin|sem)\s+(?:entradas?|sesgos?|vi[ée]s)\b|\b(?:entrada|sesgo|vi[ée]s)\s+(?:\w+\s+)?nul[ao]\b",
        r"\bautón[oô]m\w*|\bautônom\w*",
        r"\bsenza\s+(?:ingress[oi]|input|bias)\b|\bingresso\s+nullo\b|\bautonomo",
        r"\bбез\s+(?:вход|смещ)\w*|\bнулев\w+\s+(?:вход|смещ)\w*|\b(?:вход|смещение)\s+рав\w+\s+нулю",
        r"(?:无|零|没有)(?:输入|偏置)|(?:输入|偏置)(?:为|是)?[零0]",
        r"(?:入力|バイアス)(?:が|は|を)?(?:な[いくし]|無|ゼロ|0)",
        r"(?:입력|편향|바이어스)(?:이|가)?\s*(?:없|0)",
    ),
    MATRIX: (
        r"\b(?:skew-?)?symmetri\w*|\bdiagonal\w*|\bortho(?:gon|norm)al\w*|\bunitary\b|\bidentity\b|\bIRNN\b",
        r"\bsymmetrisch\w*|\beinheitsmatrix|\bsymétri\w*|\bidentité\b|\bsim[ée]tric\w*|\bortogonal\w*|\bidentidade?\b",
        r"\bsimmetric\w*|\bidentità\b",
        r"симметрич\w*|диагонал\w*|ортогонал\w*|единичн\w*|对称|對稱|对角|正交|单位(?:矩)?阵|対称|対角|直交|単位行列|대칭|대각|직교|단위 ?행렬",
    ),
    CUT: (
        r"\bconstants?\b|\bimmediate\b|\bdirect contributions?|\beach step alone|\bkonstante?\b|\b(?:bricht|brechen) (?:man|wir)\b",
        r"\bconstante\b|\bcostante\b|постоянн\w*|константа\w*|常[数量]|定数|상수",
        r"\btruncat\w*|\bdetach\w*|\bstop[-_ ]?grad\w*|\bno_grad\b|\bcut\b|\bElman\b|\bcontext\b|\bmere inputs?\b",
        r"\bone[- ]step\b|\b1-step\b|\b(?:ignor|neglect|disregard|discard)\w*",
        rf"\b{LACKING}\s+(?:\w+\s+){{0,3}}?(?:b(?:ack)?p(?:ropagat\w*|tt)?|time|future|past|later|earlier|recurr\w*)\b|\b(?:not|never)\s+(?:back-?)?propagat\w*",
        r"\bn't (?:back-?)?propagat\w*|\btreat\w*\s+(?:\w+\s+){0,4}?as\b",
        r"\babgeschnitten\w*|\babschneid\w*|\b[A-Za-z]*rückwirkung\w*|\bvernachlässig\w*|\bspätere[nrsm]?\b",
        r"\bignorier\w*|\babgekoppelt\w*",
        r"\btronqu\w*|\ben ignorant\b|\bnéglige\w*|\bsans (?:rétro|tenir|propag)\w*|\bdétach\w*",
        r"\btruncam?\w*|\bignorando\b|\bdespreci\w*|\bdesprez\w*",
        r"\b(?:sin|sem) (?:retro|propag|tener|levar|considerar)\w*",
        r"\btronca\w*|\btrascura\w*|\bsenza (?:retro|propag|tener|considerare)\w*",
        r"\bусеч\w*|\bобрез\w*|\bпренебрег\w*|\bигнорир\w*|\bбез уч[её]та\b|\bотбрас\w*|\bотброс\w*",
        r"截断|忽略|不考虑|切断|分离|打ち切|切り捨て|切り離|無視|考慮し(?:な|ず)|절단|무시|잘라|분리|고려하지",
    ),
    LAST: (
        rf"{PH}\s+(?:only|alone)\b|\bonly at {PH}",
        r"\b(?:last|final|end)\b|\bletzt\w*|\bdernière?s?\b|\búltim\w*|\bultim[oaie]\b|последн\w*|最后|最後|最终|最終|末尾|마지막",
    ),
    FROZEN: (
        r"\b(?:kept|held) constant|\brequires_grad",
        r"\bfixed\b|\bfrozen\b|\bfreez\w*",
        r"\b(?:not|never|un-?|non-?)\s*(?:trained|trainable|learn(?:ed|able|t)|updated|adapted)\b|\breservoir",
        r"\becho[- ]state",
        r"\beingefroren\w*|\bfest(?:gehalten|e)?\b|\bfixiert\w*|\bnicht (?:trainiert|gelernt)",
        r"\bfix(?:e|es|é|ée|és|ées)\b|\bfigée?s?\b|\bgelée?s?\b",
        r"\bfij[oa]s?\b|\bcongelad[oa]s?\b|\bfix[oa]s?\b|\bfiss[oaie]\b|\bcongelat[oaie]\b|заморож\w*|фиксир\w*",
        r"не обуча\w*",
        r"冻结|固定|不训练|凍結|学習し(?:な|ず)|고정|학습하지",
    ),
    EQUATION: (
        r"\bconventions?\b|\bvariants?\b|\binstead\b|\botherwise\b|\belse(?:where)?\b|\breplac\w*|\bexchang\w*",
        r"\bswap\w*|\broles?\b|\bt(?:ie[ds]?|ying)\b|\bcoupl\w*|\bone minus\b|\btrade places\b",
        r"\b(?:other|some|many) (?:papers|authors|texts|books|implementations)\b|\bkoppel\w*|связан\w*",
        r"\bodd\b|\beven\b|\bKonvention\w*|\bvariante?[ns]?\b|\bstattdessen|\bsonst\b|\b(?:un)?gerade[nrsm]?\b",
        r"\bgekoppelt\w*|\bvertausch\w*",
        r"\bau lieu\b|\bsinon\b|\béchang\w*|\bcouplé\w*|\bimpairs?\b|\bpairs?\b|\bconvenci[óo]n|\bconvenção",
        r"\bacoplad\w*|\bimpar(?:es)?\b|\bpar(?:es)?\b|\bconvenzion\w*",
        r"соглашени\w*|вариант\w*|иначе|вместо|неч[её]тн\w*|\bч[её]тн\w*|约定|惯例|否则|变体|耦合|奇数|偶数|規約|変種|それ以外|관례|변형|홀수|짝수|그 외",
    ),
    GATES: (r"\bcopy(?:ing)? mode|\bcarousel\b|\b(?:everything|all) is forgotten|\bforgets everything",),
    PEEPHOLES: (r"\bpeep-?holes?|\bguckl[öo]ch\w*|窥视|ピープホール|핍홀",),
}
GATE = (
    r"\bgat(?:es?|ed|ing)\b|\b(?:com)?puertas?\b|\bportas?\b|\bport[ae]\b|\w*gatters?\b|\btore?\b|\bвентил\w*"
    r"|\bзатвор\w*|门|門|闸|ゲート|게이트"
    r"|\b(?:forget|reset|update|input|output)\b"
)
STATE = (  # what is said of gates
    rf"\b(?:open\w*|clos(?:ed|es|ing)|shut|{LACKING}|tie[ds]?|tying|coupl\w*|always|saturat\w*|fully|vanishing|cop(?:y|ies|ied)|overwrit\w*|ones?|zero"
    r"|offen\w*|geschlossen\w*|ouverte?s?|fermée?s?|abiert[oa]s?|cerrad[oa]s?|abert[oa]s?|fechad[oa]s?|apert[oaie]"
    r"|chius[oaie]|открыт\w*|закрыт\w*)\b"
    r"|没有|去掉|无|打开|开启|关闭|关|開|閉|な[いくし]|無|열|닫|없"
)
FUNCTIONS = {
    "tanh": (
        r"\btanh\b|\bth\b|hyperbolic tangent|tangente hyperbolique|tangente hiperb[óo]lica|tangente iperbolica|tangens hyperbolicus",
        r"гиперболическ|双曲正切|双曲線正接",
    ),
    "sigmoid": (r"sigm(?:oi|ói|oï)d\w*|\blogisti\w*|\blogíst\w*|сигмо\w*|логистическ\w*|シグモイド|시그모이드|S型",),
    "relu": (r"\bre-?lu\b|rectifi\w*|rectificad\w*|整流",),
    "identity": WORDS[SLOPE],
}
KINDS = {  # of weights, by the words for them
    "symmetric": re.compile(r"s[iyí]mm?[eé]tri|симметрич|对称|對稱|対称|대칭", re.IGNORECASE),
    "skew-symmetric": re.compile(r"s[iyí]mm?[eé]tri|симметрич|对称|對稱|対称|대칭", re.IGNORECASE),
    "orthogonal": re.compile(r"\borth?o(?:gon|norm)al|\bunitary|ортогонал|正交|直交|직교", re.IGNORECASE),
    "identity": re.compile(r"\bidentit|\bidentidad|\bIRNN\b|\beinheitsmatrix|единичн|单位|単位行列|단위 ?행렬", re.IGNORECASE),
}
SUPPOSING = re.compile(  # that something is supposed, whatever it is
    r"\b(?:if|suppose|supposing|assum\w+|imagine|pretend\w*|had|were|would|without|unless|special case|limit(?:ing)? cases?|as though|instead of)\b"
    r"|\b(?:wenn|falls|angenommen|ohne|wäre|hätte|Spezialfall|Sonderfall|Grenzfall|statt)\b"
    r"|\b(?:si|supposons|sans|cas particulier|cas limite|au lieu)\b"
    r"|\b(?:supongamos|sin|caso especial|caso límite|en lugar)\b|\b(?:suponha|sem|caso particular)\b"
    r"|\b(?:supponiamo|senza|caso particolare|al posto)\b"
    r"|\b(?:если|пусть|предположим|без|частн\w+ случа\w+|вместо)\b|如果|假设|假如|若|倘若|特例|特殊情况|もし|場合|仮定|のとき|만약|경우|가정|하면",
    re.IGNORECASE,
)
VARIES = re.compile(  # that a question is about something else than what stands before it
    r"\b(?:what (?:if|about|changes?|happens?)|how about|and (?:with|for|if|without|when|the|an?|now|in)|same|instead"
    r"|replac\w+|chang\w+|swap\w*|remov\w*|drop\w*|add(?:ed|ing)|only|variant|version|last|final|mean|average[ds]?|sum(?:med)?|squared?|norm|half|factor|twice|doubl\w+)\b"
    r"|\b(?:und|et|e|y|и|а) (?:wenn|mit|ohne|für|ganz|bei|si|avec|sans|pour|con|sin|sem|se|per|senza|para|если|без|для|с)\b"
    r"|^\W*(?:¿\s*)?[YEАИ] (?:si|se|если|без|con|com)\b"
    r"|\b(?:gleiche\w*|selbe\w*|stattdessen|fehlt|nur|même|plutôt|seulement|mismo|misma|mesma?o?|stess[oa]|вместо|то же|только|лишь)\b"
    r"|\b(?:(?:ce|cet) (?:dernier )?cas|(?:diesem|dem) (?:letzten )?Fall|(?:[ne]?s?[es]te|[ne]?ess?e|quest[oa]|quel) (?:[úu]ltimo )?caso)\b"
    r"|\b(?:этом (?:последнем )?случае)\b"
    r"|^[\W_]*(?:Q\w{0,2}\W+)?(?:with|without|for|using|mit|ohne|bei|avec|sans|con|sin|com|sem|senza|с|без)\b"
    r"|那么?如果|如果|这种情况|この場合|이 경우|换成|改成|改为|呢|同样|只有|代わり|同じ|だけ|なら|대신|같은|없다면|이면|라면",
    re.IGNORECASE,
)
OPTION = re.compile(r"^\s*[\w.]+\s*=\s*\S+\s*$|\bdetach\b|\bno_grad\b")
UNDERSTOOD = re.compile(  # suppositions that change no cell
    r"\b(?:if|wenn|si|если)\s+(?:we|you|one|wir|man|on|мы)\s+(?:now\s+|then\s+|again\s+)?(?:\w*differentiat\w*|deriv\w*|appl\w*|us\w*|comput\w*|calculat\w*"
    r"|expand\w*|unroll\w*|tak\w*|look\w*|writ\w*|want\w*|put\w*|combin\w*|substitut\w*|plug\w*|insert\w*|repeat\w*|treat\w*|hold\w*|keep\w*|regard\w*|fix\w*"
    r"|go\b|ableit\w*|dériv\w*)"
    r"|\bwithout (?:loss of generality|this|that|these|it)\b|\bif (?:necessary|needed|desired|and only if)\b"
    r"|\bassum\w+\s+(?:\w+\s+){0,3}?(?:loss|error|cost|vectors?|shapes?|dimensions?)\b",
    re.IGNORECASE,
)
FOR_GOOD = re.compile(  # in a sentence of its own
    r"\b(?:suppose|assume|imagine|pretend|let|consider|angenommen|supposons|supongamos|suponha(?:mos)?|supponiamo)\b"
    r"|\b(?:пусть|предположим)\b|假设|仮定|가정",
    re.IGNORECASE,
)
THEN = re.compile(
    r"\W*(?:and\s+)?\b(?:then|there|here|in (?:this|that) case|dann|hier|alors|entonces|então|allora|тогда)\b|\W*(?:那么|则|このとき|그러면)",
    re.IGNORECASE,
)
CAPTION = re.compile(  # a line without a verb that heads a display, "With zero state and input."
    r"\W*(?:with(?!\s+(?:respect|regard|the (?:help|chain|product)|this|that|these))|without|when|if|mit(?! (?:Hilfe|der Kettenregel))|ohne|wenn"
    r"|avec|sans|si|con|sin|com|sem|senza|se|без|при|если)\b"
    r"(?![^.]*\b(?:is|are|we|get|has|have|holds?|follows?|gives?|yields?|becomes?|ist|sind|gilt|folgt|wird|on a|est|es|é|è)\b)[^.;:]{4,80}\.\s*",
    re.IGNORECASE,
)
DENIED = re.compile(r"(?:\b(?:not|cannot|never|no longer|unlike|nicht)\b|n't\b)[^.;:,]{0,16}$", re.IGNORECASE)
TITLE = re.compile(r"\A\s*(?:#{1,6}[ \t][^\n]*|\*?\{[^{}]*\})")
BLANK, NEVER = re.compile(r"\s*\n\s*$"), re.compile(r"(?!)")
GOES_ON = re.compile(r"\s*(?:[,(]|[^\W\d_A-Z])")
ITEM = re.compile(r"\s*(?:[-*+•][ \t]|\d+[.)][ \t]|\(\w{1,3}\)|#{1,6}[ \t]|\|)")
NOTHING = re.compile(rf"(?:{PH}|[\W\d_]|\b(?:and|or|then|so|hence|thus|with|also|dann|und|et|alors|y|e|entonces|и|то|тогда)\b)*", re.IGNORECASE)
COMPILED = {case: re.compile("|".join(words), re.IGNORECASE) for case, words in WORDS.items()}
WORDED = re.compile(  # a gate in a state without its letter, "das Gatter geschlossen": no formula says which one
    rf"(?<!{PH} )(?<!{PH} update )(?<!{PH} reset )(?<!{PH} forget )(?<!{PH} input )(?<!{PH} output )"
    rf"(?:{GATE})[^.;,\ue000-\uf8ff]{{0,24}}?(?:{STATE})|(?:{STATE})[^.;,\ue000-\uf8ff]{{0,12}}?(?:{GATE})(?!\s*{PH})",
    re.IGNORECASE,
)
OF_GATES, IN_A_STATE = re.compile(GATE, re.IGNORECASE), re.compile(STATE, re.IGNORECASE)
ACTIVATIONS = {rule: re.compile("|".join(words), re.IGNORECASE) for rule, words in FUNCTIONS.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said beside a line: the cases that its words are of, whether they suppose anything at all, and the formulas among them."""

    cases: frozenset[str]
    supposing: bool
    function: str  # the activation that is named last
    formulas: tuple[Any, ...]
    kinds: frozenset[str] = frozenset()  # what weights are said to be
    worded: bool = False  # whether a gate is told to be in a state, and no formula says which one

LABEL = re.compile(r"\\(?:text|textrm|textit|mbox|tag)\*?\s*\{([^{}]*)\}")  # words in a formula


def said_beside(fragment: Any, displays: Sequence[Any], heading: str) -> Said:
    """What the sentence of a formula, the one before it, its item, row or heading suppose; the last of the `displays` stands right before it."""
    blank = BLANK if fragment.kind == "display" else NEVER  # blank lines around a display end no paragraph
    prose, own, earlier, far = around([*(BLANK.sub("", d.before) for d in displays), blank.sub("", fragment.before)])
    apart = GENERAL.search(own) is not None
    earlier = "" if apart else earlier
    linked = THEN if THEN.match(own) else NOTHING if NOTHING.fullmatch(own) else None
    behind = masked(fragment.after[:LONG], False)
    rest = re.split(rf"{PH}|{SENTENCE.pattern}|{PARAGRAPH.pattern}", behind.text, maxsplit=1)[0] if GOES_ON.match(behind.text) else ""
    here, before, after = spoken(prose, own), spoken(prose, earlier), spoken(behind, rest)
    pieces = (here, before, after, heading)
    cases = {case for case, words in COMPILED.items() if any(told(words, piece) for piece in pieces)}
    if any(OF_GATES.search(piece) and IN_A_STATE.search(piece) for piece in pieces):
        cases.add(GATES)
    named = [(m.end(), rule) for rule, words in ACTIVATIONS.items() for m in words.finditer(here)]
    if named:
        cases.add(NAMED)
    marks = re.findall(PH, own if linked is None else earlier + own)
    formulas = tuple(n for mark in marks for n in prose.nodes(mark))
    cases |= {case for n in formulas for case in of_a_formula(n)}
    supposing = any(SUPPOSING.search(UNDERSTOOD.sub(" ", piece)) for piece in (here, after)) and not apart
    if linked is not None:
        supposing |= (SUPPOSING if linked is THEN else FOR_GOOD).search(UNDERSTOOD.sub(" ", before)) is not None
    supposing |= fragment.kind == "display" and not own.strip() and CAPTION.fullmatch(paragraph(prose.text)) is not None
    if far:  # a property of a weight is there to stay
        cases, supposing = cases & {MATRIX}, False
    label = " ".join(LABEL.findall(fragment.latex))
    kinds = {what for what, words in KINDS.items() if any(map(words.search, (*pieces, label)))}
    kinds |= {what for n in formulas if MATRIX in of_a_formula(n) for what in KINDS}
    cases |= {case for case, words in COMPILED.items() if told(words, label)}
    return Said(frozenset(cases), supposing, max(named)[1] if named else "", formulas, frozenset(kinds), WORDED.search(here) is not None)


def question(fragment: Any) -> str:
    """The question that a formula is in the answer of, in the paragraph before it; empty where there is none."""
    return asked(masked(fragment.before.rstrip() if fragment.kind == "display" else fragment.before, True).text)[0][-LONG:]


def varied(fragment: Any) -> str:
    """The question before a line that asks for something else than what stands before it: with another activation, loss, option; empty where none does."""
    prose = masked(fragment.before.rstrip() if fragment.kind == "display" else fragment.before, True)
    question = asked(prose.text)[0][-LONG:]
    options = any(OPTION.search(prose.formulas[ord(mark) - FIRST]) for mark in re.findall(PH, question))
    said = spoken(prose, question)
    supposing = SUPPOSING.search(UNDERSTOOD.sub(" ", said)) is not None
    return " ".join(prose.written(question).split()) if question and (supposing or options or VARIES.search(said)) else ""


def told(words: re.Pattern[str], text: str) -> bool:
    """Whether a text says something and does not deny it."""
    return any(DENIED.search(text[: m.start()]) is None for m in words.finditer(text))


def around(befores: Sequence[str]) -> tuple[Prose, str, str, bool]:
    """The sentence that leads to a formula and the one before it, with their prose; of displays in a row the sentence that leads to the first.

    The prose before the formula is the last of the `befores`, those of the displays before it stand in front.  The last part tells whether the
    sentence has ended before such a row, so that it leads nowhere.
    """
    proses = [masked(text, True) for text in befores]
    k = len(proses) - 1
    while k > 0 and NOTHING.fullmatch(proses[k].text):
        k -= 1
    own, earlier = sentences(proses[k].text)
    if k < len(proses) - 1:
        return proses[k], own, earlier if THEN.match(own) or NOTHING.fullmatch(own) else "", NOTHING.fullmatch(own) is not None and not THEN.match(own)
    if k > 0 and THEN.match(own) and NOTHING.fullmatch(earlier):
        joined = masked(f"{befores[k - 1].rstrip()} {befores[k].strip()}", True)
        kept = joined.formulas[: len(proses[k - 1].formulas)] == proses[k - 1].formulas
        return joined, own, sentences(proses[k - 1].text)[0] if kept else "", False
    return proses[k], own, earlier, False


def sentences(text: str) -> tuple[str, str]:
    """The last sentence of a text, and the one before it: in its paragraph, or in the one before where the last goes on from there."""
    chunks = PARAGRAPH.split(text)
    chunk = TITLE.sub("", paragraph(text))
    ends = [m.end() for m in SENTENCE.finditer(chunk)]
    own, rest = chunk[ends[-1] if ends else 0 :], chunk[: ends[-1]] if ends else ""
    if not ends and len(chunks) > 1 and THEN.match(own) and not (ITEM.match(chunk) or ITEM.match(chunks[-2])):
        rest = chunks[-2]
    before = [m.end() for m in SENTENCE.finditer(rest.rstrip()[:-1])]
    return own[-LONG:], rest[before[-1] if before else 0 :][-LONG:]


def spoken(prose: Prose, text: str) -> str:
    r"""A piece of prose with the formulas that are words, ``$\tanh$``, in their places, and calls, ``h.detach()``."""

    def word(m: re.Match[str]) -> str:
        written = re.sub(r"\\(?:text|mathrm|operatorname)\b|[\\{}\s]", "", prose.formulas[ord(m[0]) - FIRST])
        return written if re.fullmatch(r"[A-Za-z-]{3,}|[\w=.]+\.\w{5,}\(\)|\w+=(?:True|False)", written) else m[0]

    return re.sub(PH, word, text)


def of_a_formula(node: Any) -> set[str]:
    r"""The cases that a formula speaks of: ``|h_t| \to 1``, ``a_t > 0``, ``\phi(a) = a``, ``W = I``, ``z_t = 0``."""
    sides = [unwrapped(side) for side in getattr(node, "sides", ())]
    if kind(node) != "Relation" or len(sides) < 2:
        return set()
    left, right = sides[0], sides[-1]
    if spelled(right) in ("id", "identity"):
        return {SLOPE}
    if kind(left) == "Absolute" and number(right) is not None:
        return {FLAT}
    if kind(left) == "Apply" and len(left.args) == 1:
        inner = unwrapped(left.args[0])
        return {SLOPE} if inner == right or (getattr(left.function, "primes", 0) and number(right) is not None) else set()
    if set(node.signs) & {"<", ">", "<=", ">=", "leq", "geq", "ll", "gg", "->", "to", "~~", "approx"}:
        return {SLOPE, FLAT, GATES}
    if number(right) is not None:
        return {GATES, ZERO}
    alone = [side for side in sides if kind(side) == "Name" and side.base[:1].isupper()]
    turned = [side for side in sides if kind(side) in ("Transpose", "Power")]
    return {MATRIX} if (len(alone) == 2 and spelled(right) in ("I", "E")) or (alone and turned) or (turned and spelled(right) == "I") else set()
