r"""What the words around a letter say that it is: "$\lambda$ the largest singular value of $W$", "una cota de la derivada", 「最大特異値」.

The words are those of the languages that lectures on recurrent networks are written in; a clause ends where the next formula is introduced.
"""

from __future__ import annotations

import re

NAMES = {
    "singular value": r"singular values?|singul[äa]rwert|(?:valeurs?|valor\w*|nilai) sing[ou]l\w+|特異値|奇[异異]值|특[이잇]값|сингулярн\w+ (?:числ|значен)"
    r"|giá trị (?:kỳ dị|suy biến)",
    "eigenvalue": r"eigenvalue|eigenwert|autova?l\w+|(?:valeurs?|valor\w*) pr[oó]p\w+|nilai eigen|固有値|[特本][征徵]值|고[유윳]값|собственн\w+ (?:числ|значен)"
    r"|giá trị riêng",
    "spectral radius": r"spectral radius|spektralradius|(?:radio|raio|raggio|rayon) (?:espectral|spettrale|spectral)|スペクトル半径|[谱譜]半[径徑]"
    r"|스펙트럼 ?반[지경]|спектральн\w+ радиус|bán kính phổ",
    "norm": r"(?<!\w)(?:spektral|operator|matrix)?norm[aes]?(?!\w)|ノルム|范数|範數|노름|(?<!\w)норм[аыуе]\w?(?!\w)|chuẩn (?!h)",
    "spectral norm": r"(?:spectral|operator|matrix) norm|(?:spektral|operator|matrix)norm|norm[ae] (?:e?spectral|spettrale|matri\w+|operator\w*)"
    r"|スペクトルノルム|[谱譜](?:范数|範數)|스펙트럼 ?노름|спектральн\w+ норм|chuẩn phổ",
    "slope": r"derivat|derivad|dérivée|ableitung|slope|pendiente|steigung|a[ck]tiva|aktivier|turunan|lipschitz|導関数|[导導]数|微分|活性化|激活"
    r"|도함수|미분|활성화|производн|активац|đạo hàm|kích hoạt|リプシッツ|립시츠|липшиц",
    "bound": r"\bbound|\bupper|m[aá]xim|\bmax\b|largest|greatest|\bcotas?\b|acota|superior|\bmayor|borne|major|plus grand|schranke|größt|höchst|obere|beschränk"
    r"|terbesar|batas|lipschitz|上限|最大|上界|상한|최대|상계|границ|наибольш|максимал|верхн|lớn nhất|cận trên|chặn|リプシッツ|립시츠|липшиц",
    "below": r"\blower\b|\bmin|smallest|least|inferior|menor|unter[ea]|kleinst|plus petit|terkecil|下[限界]|最小|하한|하계|наименьш|минимал|нижн|nhỏ nhất",
    "several": r"respective|respectiv|\bresp\b|\bbzw|それぞれ|分别|分別|각각|соответственно|lần lượt",
    "other": r"\binputs?\b|\boutputs?\b|entrada|salida|sortie|entrée|eingabe|ausgabe|入力|出力|输入|输出|輸入|輸出|입력|출력|входн|выходн",
    "jacobian": r"jacobi|gradient|ヤコビ|雅[可克]比|야코비|якоби|勾配|梯度|기울기|градиент",
}
NAMED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in NAMES.items()}
SPECIAL = re.compile(  # a weight that is not any matrix
    r"s[iy]mm?[eé]tr|ort[h]?ogon|unit[aä]r|\bnormal\b|invertib|diagonali[sz]|s[ck]al[aä]r|escalar|one-dimensional|1-?D\b|対称|对称|對稱|대칭|симметр|直交|正交|직교"
    r"|ортогон|ユニタリ|酉|正規|正规|정규 ?행렬|нормальн|対角化|对角化|대각화|スカラー|标量|標量|스칼라|скаляр|一次元|一维"
    r"|(?:suitable|some|appropriate|adapted|certain) (?:\w+ )?norm|eigen-?decomp|eigenzerleg|[特本][征徵]值?分解|固有値分解|고유값 ?분해",
    re.IGNORECASE,
)
PARTICULAR = re.compile(  # slopes that are not any: all 1 or nearly, or chosen so
    r"(?<!non)(?<!non[- ])(?<!nicht)(?<!no )(?<!phi )\blin[eé]a[lr]|(?<!非)(?<!非-)[线線]性|(?<!非)線形|(?<!비)선형|(?<!не)линейн|tuyến tính"
    r"|identity|identidad|identité|恒等|항등|ignor|neglect|approx|near (?:zero|the origin)|saturat|min(?:imum|imal)|\bactive\b|activas?\b"
    r"|exist|\b(?:can|may|might|could|up to|there (?:are|is))\b|pued|peut|kann|könn|possib|worst|可能|かもしれ|수 있|может|có thể",
    re.IGNORECASE,
)
FUNCTIONS = {
    "tanh": r"tanh|hyperbolic|双曲|쌍곡|гипербол",
    "sigmoid": r"s[iy]gmo[ií]|\\sigma(?![_a-z])|σ(?!_)|logisti|シグモイド|시그모이드|сигмоид|логист",
    "relu": r"relu|rectif",
}
AND = r"(?:and|while|whereas|with|y|e|et|und|dan|và|и|а|和|与|また|그리고)"
LET = r"(?:let|where|sea|donde|seja|onde|soit|où|sei|wobei|sia|dove|пусть|где)"
CLAUSE = re.compile(  # where one ends
    rf"[.;](?=\s|$)|[。；]|(?:[,，、]|\s(?={AND}\s))\s*(?:{AND}\s*)?(?:{LET}\s+)?(?=\$|\\\(|`|$)|,\s+(?:and|while)\b|\n\s*\n|\n\s*(?:[-*•]|\d+[.)])\s"
    rf"|\s{AND}(?=\$|\\\()",
    re.IGNORECASE,
)
FORMULA = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)|`([^`\n]+)`")


def names(words: str) -> frozenset[str]:
    """What words name, of that which may bound a norm."""
    return frozenset(name for name, pattern in NAMED.items() if pattern.search(words))


def function(before: str, after: str) -> str:
    """The function of which something is said: named behind a formula, else before it."""
    for clause in (CLAUSE.split(after, maxsplit=1)[0], CLAUSE.split(before)[-1]):
        if found := functions(clause):
            return next(iter(found)) if len(found) == 1 else ""
    return ""


def functions(words: str) -> frozenset[str]:
    """The functions that words name."""
    return frozenset(f for f, pattern in FUNCTIONS.items() if re.search(pattern, words, re.IGNORECASE))
