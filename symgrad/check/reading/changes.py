r"""Words that make another cell of the one that a document has defined: "a residual connection is added", "若加上残差连接", "**NOAF** (no output activation)".

One table, a row for each kind of change, in the words of ten languages.  Words of a change count with a word that makes it (a verb, "with", "if", a
label or a heading), and not where they are denied or only compared with.  What a change means for a line is settled in `changed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from symgrad.check.reading.prose import BOLD, PH

ADDED = "added"  # a path beside the function: residual, leaky
MASKED = "masked"  # entries are dropped or kept at random
SCALED = "scaled"  # a gain, a normalisation
NOISY = "noisy"
PEEPHOLES = "peepholes"
TIED = "tied"  # gates that go together
WITHOUT = "without"  # a gate or an activation is taken away
ALTERED = "altered"  # something is added to a quantity, or multiplied with it
VERSION = "version"  # another version of the equations
ENDING = "ending"  # a loss of the last step
LOSS = "loss"  # another loss
FUNCTION = "function"  # another activation, or none
NAMELY = "namely"  # an activation is named

PART = (
    r"(?:updates?|recurrence|state equation|(?:hidden |cell |old |previous )?states?|cell|activations?|non-?linearity|gates?|candidates?|pre-?activations?"
    r"|recurrent (?:weights?|matrix|term))"
)
DONE = (
    r"(?:replaced|changed|modified|removed|dropped|omitted|frozen|swapped|altered|scaled|multiplied|clipped|squared|delayed|rescaled|normali[sz]ed|detached|doubled"
    r"|halved|transposed)"
)
DO = (
    r"(?:replac(?:e|ing)|chang(?:e|ing)|modify(?:ing)?|remov(?:e|ing)|omit(?:ting)?|swap(?:ping)?|clip(?:ping)?|delay(?:ing)?|rescal(?:e|ing)"
    r"|normali[sz](?:e|ing)|transpos(?:e|ing)|doubl(?:e|ing)|halv(?:e|ing))"
)
WORDS: dict[str, tuple[str, ...]] = {  # a row for English, German, French, Spanish and Portuguese, Italian, Russian, Chinese, Japanese, Korean
    ADDED: (
        r"\bresidual (?:connection|link|branch|path|variant|version|rnn|network|form|update|cell)s?\b|\b(?:skip|short-?cut)[- ](?:connection|link|path)s?\b",
        r"\b(?:an?|the|linear|additive)\s+by-?pass\b|\bleaky\b(?!\s+re-?lu)|\bhighway (?:connection|network|variant|version|form)s?\b",
        r"\bleak(?:age)? (?:rate|term|parameter|factor|coefficient|constant)\b|\b(?:an?|with) leak\b",
        r"\b(?:Residual|Sprung|Abkürzungs)verbindung\w*|\bLeck(?:rate|term|strom)?\b",
        r"\bconnexions? (?:résiduelles?|directes?|de saut)|\bfuite\b",
        r"\bcone(?:xión|xi[oó]nes|xão|xões) (?:residua\w+|de salto|direta|directa)|\b(?:fuga|vazamento)\b",
        r"\bconnession[ei] (?:residu\w+|di salto|dirett\w+)",
        r"остаточн\w+ (?:связ|соединен)\w*|пропускн\w+ (?:связ|соединен)\w*|обходн\w+ (?:связ|путь)\w*|\bутечк\w+",
        r"残差(?:连接|連接|接続|結合|项)|跳跃连接|跳连|短路连接|泄[漏露]|スキップ(?:接続|結合)|漏れ",
        r"잔차 ?연결|스킵 ?연결|지름길|누설",
    ),
    MASKED: (
        r"\bdrop-?(?:out|connect)\b(?!\s+(?:to|on|of) (?:the )?(?:\w+ )?(?:input|output|non-?recurrent|embedding|feed))|\bzone-?out\b",
        r"\b(?:binary|random|Bernoulli|state|hidden)\s+masks?\b|\bmasks? (?:on|over|of|applied to) the (?:state|hidden)s?\b",
        r"\bmasque (?:binaire|aléatoire)|\b(?:máscara|maschera) (?:binaria|binária|aleatoria|aleatória|casuale)|\bZufallsmaske\w*",
        r"дропаут\w*|случайн\w+ маск\w+|随机失活|随机掩码|ドロップアウト|드롭아웃",
    ),
    SCALED: (
        r"\b(?:an?|scalar|constant|learned|fixed|recurrent)\s+(?:(?!unit|information)[\w-]+\s+)?gain\b(?!\s+(?:in|of)\s+[a-z])",
        r"\b(?:layer|batch)[- ]?norm(?:ali[sz]\w+)?\b|\b(?:weight|spectral)[- ]normali[sz]\w+",
        r"\bnormali[sz]ation of the (?:pre-?activation|state|summed input|net input)s?\b",
        r"\bSchichtnorm\w*|\bVerstärkungsfaktor\b|\bnormalisation (?:de couche|par couche|par lots?)",
        r"\bnormali[zs]a(?:ción|ção) (?:de|por) (?:capas?|camadas?|lotes?)",
        r"\bnormalizzazione (?:di|per) (?:strat[oi]|batch)|нормализац\w+ (?:сло|по сло|батч|пакет)\w*",
        r"层归一化|批归一化|層正規化|レイヤー正規化|バッチ正規化|(?:층|레이어|배치) ?정규화",
    ),
    NOISY: (
        r"\bnoise\b[^.;]{0,40}\b(?:state|recurrence|recurrent|pre-?activation|dynamics|hidden)s?\b",
        r"\bnoisy (?:state|recurrence|update|unit|version|variant)s?\b",
        r"\b(?:state|recurrence|pre-?activation|hidden)\b[^.;]{0,30}\bnoise\b|\bRausch\w*\b[^.;]{0,40}\b(?:Zustand|Zustände|Voraktivierung|Rekurrenz)\w*",
        r"\bbruit\b[^.;]{0,40}\b(?:état|préactivation|récurrence)|\b(?:ruido|ruído|rumore)\b[^.;]{0,40}\b(?:e?stado|stato|pre-?ativação|preactivación|preattivazione)",
        r"\bшум\w*[^.;]{0,40}\b(?:состояни|преактивац)\w+|(?:状态|隐层|预激活|状態|활성화|상태)[^。.]{0,12}(?:噪声|雑音|ノイズ|잡음|노이즈)"
        r"|(?:噪声|雑音|ノイズ|잡음|노이즈)[^。.]{0,12}(?:状态|隐层|预激活|状態|상태)",
    ),
    PEEPHOLES: (r"\bpeep-?holes?\b|\bguckl[öo]ch\w*|\bmirillas?\b|\bspioncin[io]\b|\bjudas\b|\bглазк\w+|窥视孔?|ピープホール|覗き穴|핍홀",),
    TIED: (
        r"\bCIFG\b|\bcoupl\w+ (?:(?:input|forget|and|the|of) )*gates?\b|\bgates? (?:is|are) (?:coupled|tied)\b",
        r"\b(?:input|forget|update|reset) gate (?:is|equals|as) one minus\b",
        r"\bgekoppelte\w* (?:\w+-?\s+)*(?:gates?|tore?|gatter)\b|\bportes? couplées?|\b(?:puertas?|portas?) acoplad\w+|\bporte accoppiat\w+",
        r"связанн\w+ (?:вентил|затвор)\w*|耦合(?:的)?门|門を結合|ゲートを結合|결합된? 게이트",
    ),
    WITHOUT: (
        r"\b(?:NOAF|NIAF|NFG|NIG|NOG|FGR)\b|\bno (?:(?:input|output|cell|state|hidden|block)\s+)+(?:activation|non-?linearity|squashing)",
        r"\bno (?:forget|input|output|reset|update) gates?\b|\b(?:remov|dropp?|omit|delet)\w* the (?:forget|input|output|reset|update) gate",
    ),
    ALTERED: (
        r"\b(?:add|multipl|scal|subtract|squar|clip|delay|divid|shift|append)\w*\b[^.;]{0,50}\b(?:pre-?activation|candidate"
        r"|recurrent (?:term|weight|matrix|input)|(?:old|previous|last|hidden|new|cell) state|state update|output of the (?:tanh|non-?linearity|activation)"
        r"|(?:forget|input|output|update) gate)",
        rf"\b{PART}\b[^.;]{{0,40}}\b(?:is|are|was|were|be|gets?|being)\s+(?:\w+\s+)?{DONE}\b",
        rf"\b{DO}\s+(?:\w+\s+){{1,2}}?{PART}\b|\b(?:act|multipl|feed|fed|depend|see)\w*\b[^.;]{{0,60}}\binstead of (?:the )?(?:\w+ )?state\b",
        r"\b(?:Voraktivierung|alte[rn]? Zustand|Rekurrenzterm)\b[^.;]{0,50}\b(?:addier|multiplizier|skalier|hinzu)\w*",
        r"\b(?:ajout|multipli|sum|som|añad|agreg|acrescent|aggiung|moltiplic)\w*\b[^.;]{0,50}\b(?:pré-?activation|preactivaci[oó]n|pré-?ativação|preattivazione"
        r"|(?:ancien|précédent|anterior|vecchio|precedente) \w*[eé]?stat\w*|[eé]tat (?:précédent|ancien)|estado (?:previo|anterior)|stato precedente)",
    ),
    VERSION: (
        r"\bcu-?dnn(?:'s)? (?:variant|version|formulation|form|convention|gru|cell|implementation)|\b(?:in|by|with|of) cu-?dnn\b",
        r"\breset_after(?:\b|=)",
        r"\berrat(?:um|a)\b|\bcorrigend(?:um|a)\b|\bmisprint\w*|\btypos? in (?:the )?(?:equation|formula|definition|line|last|first|above|update|\()",
        r"\b(?:must|should|have to) be (?:inter|ex)changed\b",
        r"\bshould read\b|\b(?:in|for|of) (?:an?|the|this|another|one|some) (?:[\w-]+ )?(?:variant|modification)\b",
        rf"\b(?:with|when|if|where)\b[^.;]{{0,60}}{PH}\s+(?:is\s+)?replaced by an?\b|\bIndRNN\b|\bindependent(?:ly)? recurren\w+",
        r"\bDruckfehler\w*|\bvertauscht werden\b|\bfe de erratas?\b|\bcoquille\b|\berro de digitação|\brefuso\b|опечатк\w+|勘误|更正|正誤表|誤植|정오표|오타",
    ),
    ENDING: (
        r"\bonly (?:have |has |get |gets |there is )?(?:an? |the )?(?:target|label|loss|error|output)s?\b[^.;]{0,24}\b(?:end|last|final)\b",
        r"\b(?:target|label|loss|error|cost)s?\b[^.;]{0,40}\bonly\b[^.;]{0,24}\b(?:end|last|final)\b",
        r"\bne porte que sur l[ea] derni|\bnur (?:am Ende|der letzte)|只(?:有|在)最后|最後のみ|마지막(?:에만|만)",
        r"\bsol[oa]?(?:mente)? (?:al final|el último|no fim|o último|l'ultim[oa]|alla fine)\b|только (?:на|в) (?:последн|конц)\w+",
    ),
    LOSS: (
        r"\b(?:divid|averag)\w+ (?:the )?(?:loss|cost|error|over (?:all )?(?:time|(?:the )?(?:time )?steps|the sequence))|\bL1[- ](?:loss|error|norm)",
        r"\babsolute error|\b(?:error|loss|squares?|sum|cost)\b[^.;]{0,24}\bnot (?:\w+ )?halved\b|\bweight\w* the (?:loss|error)|\b(?:Huber|hinge)\b",
        r"\b(?:outputs?|predictions?) (?:\w+ )?pass\w* through an?\b|\boutputs? (?:unit )?(?:is|are|has|have|uses?) an? (?:sigmoid|softmax|tanh|re-?lu)\b",
        r"\b(?:tanh|sigmoid|softmax|re-?lu|non-?linearity|activation) (?:is|was|gets) (?:also )?applied to the (?:output|prediction)s?\b",
        r"\b(?:über|durch)\b[^.;]{0,20}\b(?:gemittelt|geteilt)\b|\bmoyenn\w+ (?:sur|dans|temporelle)\b|\bpromediamos\b",
        r"(?:在|对)时间(?:上)?(?:取|求)?平均|時間平均|시간 ?평균",
    ),
}
LETTERS: dict[str, frozenset[str]] = {  # in which people write what is put in
    MASKED: frozenset("mMdD"),
    SCALED: frozenset({"g", "G", "gamma", "alpha", "beta", "mu"}),
    NOISY: frozenset({"epsilon", "xi", "eta", "nu", "zeta", "varepsilon"}),
}
VERBS = (
    r"\b(?:put|insert|replac|substitut|swap|exchang|interchang|remov|dropp?|omit|delet|discard|switch|chang|divid|averag|weigh)(?:e|es|ed|ing|s)?\b",
    r"\b(?:take|use|adopt|choose)s?\b[^.;]{0,30}\b(?:instead|as (?:the )?(?:activation|non-?linearity))",
    r"\b(?:ersetz|tausch|weglass|entfern|nimm|nimmt|verwende)\w*|\b(?:rempla[cç]|supprim|échang|enl[eè]v)\w*",
    r"\b(?:reempla[zc]|sustitu|substitu|quit|troc|remov|elimin)\w*",
    r"\b(?:instead|in place) of\b|\b(?:an)?statt\b|\bau lieu\b|\ben lugar\b|\bem vez\b|\binvece\b|\bal posto\b|вместо|代替|대신",
    r"\b(?:sostitu|rimpiazz|rimuov|toglie|elimin)\w*|(?:замен|убер|убра|удал|отброс|взять|возьм)\w*",
    r"替换|换成|换为|改为|改成|去掉|移除|代わり|置き換え|取り除|変え|除去|바꾸|바꾼|대체|교체|제거",
)
CHANGED = re.compile("|".join(VERBS), re.IGNORECASE)
MADE = re.compile(  # that it is so here: what puts it in, "with", "if"
    r"\b(?:add|insert|append|introduc|includ|put|attach|inject|equip|augment|extend|appl|impos|plac|us)(?:e[sd]?|s|ed|ing|y|ies|ied)?\b"
    r"|\b(?:with|after|under|if|when|suppose|assume|now|for|in the|what if|as implemented|also)\b"
    r"|\b(?:mit|nach|bei|wenn|falls|fügt?|ergänz\w*|hinzu\w*|avec|après|si|ajout\w*|pour|con|com|tras|após|añad\w*|agreg\w*|acrescent\w*|adicion\w*|dopo"
    r"|se|aggiung\w*|aggiunt\w*|para|per|с|со|при|после|если|добав\w*)\b|若|如果|加|引入|使用|采用|当|对于|入れ|加え|追加|使|もし|場合|と(?:き|、)|추가|더하|경우|사용|넣",
    re.IGNORECASE,
)
FUNCTIONS = {
    "tanh": r"\btanh\b|e\^\{?\w+\}?\s*-\s*e\^\{?-|hyperbolic tangent|tangente (?:hyperbolique|hiperb[óo]lica|iperbolica)|tangens hyperbolicus"
    r"|гиперболическ\w+ тангенс|双曲正切|双曲線正接|쌍곡탄젠트",
    "sigmoid": r"(?<!hard )(?<!hard-)\bsigm(?:oi|ói|oï)d\w*|\blogistic\b|\blogistique\b|\blog[íi]stic[ao]\b|\blogistisch\w*"
    r"|сигмо\w*|логистическ\w*|シグモイド|시그모이드|S型",
    "relu": r"(?<!leaky )\bre-?lus?\b|\brectif(?:ied|ier|iers)\b|\bmax(?:imum)?\(\s*0|整流",
    "identity": r"\bidentity (?:function|activation|map)\b|(?<![\w-])linear (?:activation|units?|neurons?)\b|恒等函数|恒等関数|항등 ?함수",
    "": r"\b(?:co)?sine\b(?!\s+(?:wave|curve|signal|data|similarity|distance|schedule|anneal|series|time))"
    r"|\bsinus\b|\bsoft-?(?:plus|sign)\b|\b[gs]?elu\b|\b(?:silu|swish|mish)\b|\bhard[- ](?:tanh|sigmoid)\b|\bleaky re-?lu\b"
    r"|\barc-?tan\w*\b|\bsinusfunktion\b|\bseno\b|синус(?!оид)\w*|正弦函数|正弦関数|サイン関数|사인 ?함수",
}
ACTIVATION = (
    r"(?:activations?|non-?linearit(?:y|ies)|squashing\w*|tanh|sigmoid|Aktivierung\w*|Nichtlinearität\w*|non-linéarité"
    r"|activaci[óo]n|ativação|attivazione|no linealidad(?:es)?|não[- ]linearidade|non[- ]linearità|нелинейност\w*|激活函数|活性化関数|활성화 ?함수)"
)
DROPPED = re.compile(
    rf"\b(?:drop|remov|omit|delet|discard|without|leave out|take away|ignor|neglect)\w*\s+(?:\w+\s+){{0,2}}?{ACTIVATION}"
    rf"|\b(?:ohne|sans|sin|sem|senza|без)\s+(?:\w+\s+){{0,2}}?{ACTIVATION}|(?:去掉|没有|省略){ACTIVATION}"
    rf"|{ACTIVATION}(?:を|가|이|를)? ?(?:取り除|なくす|なし|없|제거)",
    re.IGNORECASE,
)
LIKENED = re.compile(  # what only compares, or denies
    r"\b(?:like|similar|akin|reminiscent|analog\w*|resembl\w*|compar\w*|unlike|as in|same as|no|not|without|neither|never|avoid\w*|called|known as|such as"
    r"|e\.?g\.?|role of|plays?|acts? as|serves? as|ähnlich|wie|ohne|kein\w*|comme|sans|como|sin|sem|come|senza|подобно|как|без)\b[^.;:,]{0,40}$"
    r"|n't\b[^.;:,]{0,40}$|(?:类似|像|如同|没有|不|無)[^。，]{0,8}$",
    re.IGNORECASE,
)
OF_A_NET = re.compile(r"[- ]?(?:network|net|rnn|cell|version|variant|units?)s?\b", re.IGNORECASE)
DESCRIBES = re.compile(  # what is so already: "This is the leaky version"
    r"\W*(?:(?:this|these|it)\s+(?:\w+\s+){0,2}?(?:is|are|was|acts?|plays?|corresponds?|resembles?|means)|recall|note|remember|c'est|questo è|это)\b"
    r"|\W*(?:dies ist|ceci est|est[oe] es|isto é)\b|\W*(?:这|這)(?:就|也)?是|\W*(?:これは|이것은)",
    re.IGNORECASE,
)
SUPPOSED = re.compile(  # that what is altered is the cell, and no formula for its derivative
    r"\b(?:if|suppose|assume|imagine|let us|instead)\b|^(?:[\W\d]|\(\w\))*(?:now\s+)?"
    r"(?:add|multiply|scal|subtract|squar|clipp?|delay|divid|shift|append|transpos|doubl|halv|replac|remov|dropp?|omitt?|swapp?|delet)(?:e|ing)?\b"
    r"|\b(?:wenn|falls|angenommen|nun|si|supposons|supongamos|suponha|agora|ahora|se|supponiamo|ora|maintenant)\b",
    re.IGNORECASE,
)
DERIVING = re.compile(
    r"\b(?:gradient|deriv|differenti|error|delta|jacobi|contribution|factor(?! of)|both sides|equation|chain|back-?prop|term by term|loss|dérivé|fehler)\w*",
    re.IGNORECASE,
)
CONDITIONAL = re.compile(  # a case that ends with the sentence that supposes it
    r"\W*(?:if|when|with|for|in the case|ignoring|neglecting|omitting|without"
    r"|wenn|falls|bei|mit|ohne|si|avec|pour|sans|con|com|sin|sem|para|se|per|senza|если|при|без)\b"
    r"|\W*(?:若|如果|当|对于)",
    re.IGNORECASE,
)
DENIED = re.compile(r"(?:\b(?:not|never|cannot|nicht|ne|no|non|não|не)|n't)\b[^.;:,]{0,24}$", re.IGNORECASE)
IN_GENERAL = re.compile(  # what is told of other cells, and changes none here
    r"\b(?:in practice|often|usually|commonly|typically|sometimes|some|many|most|popular|can|may|might|could|modern"
    r"|implementations|oft|häufig|manchmal|viele|souvent"
    r"|parfois|a menudo|a veces|muchas?|muchos?|muitas?|muitos?|frequentemente|spesso|talvolta|часто|иногда|многие)\b"
    r"|通常|常常|有时|往往|よく|しばしば|흔히|자주|종종",
    re.IGNORECASE,
)
RESTORED = re.compile(
    r"\bour (?:cell|model|network|lstm|rnn|gru)\b|\b(?:back to|original|unmodified|unchanged|plain|ordinary|return to|as before|again without"
    r"|ursprünglich\w*|unverändert\w*|zurück"
    r"|inchang\w*|originale?|sin cambios|исходн\w+|in general|otherwise|in any case|in every case"
    r"|im Allgemeinen|en général|en general|em geral|in generale|в общем)\b"
    r"|一般(?:地|に|来说|而言)|일반적으로|原来|元の|원래",
    re.IGNORECASE,
)
ASIAN = "[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
SCRIPTS = re.compile(rf"(?<={ASIAN})(?=[A-Za-z])|(?<=[A-Za-z])(?={ASIAN})")  # where a word ends though no space is there
COMPILED = {case: re.compile("|".join(words), re.IGNORECASE) for case, words in WORDS.items()}
NAMED = {rule: re.compile(words, re.IGNORECASE) for rule, words in FUNCTIONS.items()}
FALSE = re.compile(  # what is said of a line behind it
    r"[^.?!\n]{0,160}(?:[.?!]\s*[*_(\[]*|\s[*_(\[]+)(?:false|wrong|incorrect|not true|falsch|faux|falso|errado|неверно|错误?|誤り|거짓)[*_)\].!]", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def changes(sentence: str, heading: bool = False) -> tuple[tuple[str, str], ...]:
    """The changes that a sentence makes: of which kind, and in which words; of functions, the names of those that it names."""
    return tuple(_changes(sentence, heading))


def _changes(sentence: str, heading: bool) -> Iterator[tuple[str, str]]:
    sentence = SCRIPTS.sub(" ", sentence)
    made = heading or any(OF_A_NET.match(sentence, m.end()) for words in NAMED.values() for m in words.finditer(sentence))
    made = made or any(p.search(sentence) for p in (MADE, CHANGED, DROPPED, SUPPOSED)) or BOLD.match(sentence) is not None
    if not made or DESCRIBES.match(sentence):
        return
    for case, words in COMPILED.items():
        for m in words.finditer(sentence):
            meant = case != ALTERED or (SUPPOSED.search(sentence) is not None and DERIVING.search(sentence) is None)
            if meant and LIKENED.search(sentence[: m.start()]) is None:
                yield case, m[0]
    named = {**NAMED, "identity": DROPPED} if DROPPED.search(sentence) else NAMED
    for rule, words in named.items():
        for m in words.finditer(sentence):
            before = sentence[: m.start()]
            if (DENIED if words is DROPPED else LIKENED).search(before) is None:
                yield (FUNCTION if CHANGED.search(sentence) or words is DROPPED else NAMELY), rule


def in_general(sentence: str) -> bool:
    """Whether a sentence tells what is done elsewhere, and supposes nothing here."""
    return IN_GENERAL.search(sentence) is not None and SUPPOSED.search(sentence) is None


def conditional(sentence: str) -> bool:
    """Whether a sentence supposes something for itself alone, ``If ReLU is used, $...$``."""
    return re.search(PH, sentence) is not None and (CONDITIONAL.match(sentence) or re.search("場合|なら|경우|면", sentence)) is not None


def restores(sentence: str) -> bool:
    """Whether a sentence goes back to the cell as it was."""
    return RESTORED.search(sentence) is not None


def called_false(after: str) -> bool:
    """Whether the words right behind a line say that it is false: "*False.*"."""
    return FALSE.match(after) is not None
