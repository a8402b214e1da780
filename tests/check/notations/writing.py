r"""The same derivations as many authors write them: the letters, where the step stands, the signs for products, transposes, diagonals and derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from symgrad.check.claim import Claim as Claimed

T = TypeVar("T")
Claim: TypeAlias = tuple[str, tuple[str, ...]]  # what is true, and what is not: a formula, below words and an empty line where it has some

STEPS = ("_{%s}", "^{(%s)}", "^{%s}", "(%s)", "[%s]", r"^{\langle %s \rangle}", "^{<%s>}", "_{(%s)}")
FONTS = ("%s", r"\mathbf{%s}", r"\boldsymbol{%s}", r"\bm{%s}", r"\vec{%s}", r"\mathbf %s")
FRACTIONS = (
    r"\frac{\partial %s}{\partial %s}", r"\dfrac{\partial %s}{\partial %s}", r"\partial %s / \partial %s", r"\frac{d %s}{d %s}",
    r"\frac{\mathrm{d} %s}{\mathrm{d} %s}", r"{\partial %s \over \partial %s}",
)  # fmt: skip
ACCENTS = (r"\tilde", r"\hat", r"\bar", r"\widetilde", r"\overline")
DISPLAYS = ("$$%s$$", "$$\n%s\n$$", r"\[%s\]", "\\begin{equation}\n%s\n\\end{equation}", "$%s$", "\\begin{align}\n%s\n\\end{align}")
ALIGNED = tuple(
    around % f"\n\\begin{{{name}}}\n%s\n\\end{{{name}}}\n"
    for around, name in (("%s", "align"), ("$$%s$$", "aligned"), ("%s", "align*"), (r"\[%s\]", "split"))
)


class Pick(Protocol):
    """One of several options: a test lets hypothesis choose, a benchmark a generator of random numbers."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def shuffled(pick: Pick, items: Sequence[T]) -> list[T]:
    left = list(items)
    return [left.pop(pick(range(len(left)))) for _ in items]


def links(claim: str) -> list[str]:
    """The relations of a formula as `check` tells of them: a = b = c is `a = b` and `= c`."""
    sides, depth = [""], 0
    for char in claim.rpartition("\n\n")[2]:
        depth += (char in "{[(") - (char in "}])")
        if char == "=" and depth == 0:
            sides.append("")
        else:
            sides[-1] += char
    first, *rest = (side.strip() for side in sides)
    return [f"{first} = {rest[0]}", *(f"= {side}" for side in rest[1:])]


def squeezed(text: str) -> tuple[str, list[int]]:
    """The text without what only sets it, and where its characters stood."""
    set_apart = {at for m in re.finditer(r"\s|&|\\\\", text) for at in range(*m.span())}
    places = [at for at in range(len(text)) if at not in set_apart]
    return "".join(text[at] for at in places), places


def judged(text: str, claims: Sequence[str], found: Sequence[Claimed]) -> list[tuple[str, str]]:
    """The verdict of each claim of a document, that of its worst relation, with what is said of it."""
    short, places = squeezed(text)
    starts = [0, *(n + 1 for n, char in enumerate(text) if char == "\n")]
    order = ["refuted", "unread", "undecided", "proved"]
    answers, end = [], len(short)
    for claim in reversed(claims):  # what is claimed stands behind what it says of the network
        bare = claim.rpartition("\n\n")[2]
        mark = squeezed(bare)[0]
        at = short.rfind(mark, 0, end)
        if at < 0:  # in a notebook the text is escaped
            told = [c for c in found if c.latex == bare]
        else:
            end = at
            told = [c for c in found if places[at] <= starts[c.line - 1] + c.column - 1 <= places[at + len(mark) - 1]]
        missing = [("unread", f"{len(told)} relations of {len(links(bare))}")] * (len(told) < len(links(bare)))
        answers.append(min([(c.verdict, c.message) for c in told] + missing, key=lambda said: order.index(said[0])))
    return answers[::-1]


@dataclass(frozen=True)
class Notation:
    """How somebody writes formulas."""

    letter: str  # of the steps
    step: str
    font: str
    times: str  # entry by entry
    top: str
    diagonal: str
    left: str
    right: str
    fraction: str
    space: str  # between factors
    loss: str
    display: str
    aligned: str = ""  # for several lines in one display, where they stand together
    kind: str = "md"  # of the document

    def bold(self, name: str) -> str:
        """The name in its font, below an accent too."""
        accent, _, inner = name.rstrip("}").partition("{")
        return self.font % name if len(name) == 1 else f"{accent}{{{self.font % inner}}}" if accent in ACCENTS else name

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        """A quantity at a step."""
        letter = step or self.letter
        return self.bold(name) + self.step % (letter if not shift else f"{letter}{shift:+d}")

    def d(self, of: str, by: str) -> str:
        return self.fraction % (of, by)

    def diag(self, of: str) -> str:
        return f"{self.diagonal}{self.left}{of}{self.right}"

    def transposed(self, of: str) -> str:
        return of + self.top if not set("_^[(/ ") & set(of) and len(of) < 3 else f"({of}){self.top}"

    def squared(self, of: str) -> str:
        return f"({of})^2" if "^" in of else f"{of}^2"

    def document(self, equations: list[str], claims: list[str]) -> str:
        return "\n\n".join(["The network:", *self.displays(equations), "Its derivatives:", *self.displays(claims)])

    def displays(self, formulas: list[str]) -> list[str]:
        """Each formula in a display of its own, or those between words in one."""
        blocks: list[str] = []
        lines: list[str] = []
        for formula in formulas:
            words, _, bare = formula.rpartition("\n\n")
            if self.aligned and not words:
                lines.append(bare)
            else:
                blocks += [*self.together(lines), *filter(None, [words]), *(self.display % only for only in [bare] if only)]
                lines = []
        return blocks + self.together(lines)

    def together(self, formulas: list[str]) -> list[str]:
        if len(formulas) < 2:
            return [self.display % formula for formula in formulas]
        rows = [row for first, *rest in map(links, formulas) for row in (first.replace(" = ", " &= ", 1), *(f"&{link}" for link in rest))]
        return [self.aligned % " \\\\\n".join(rows)]


def notation(pick: Pick, letters: str = "tttkni") -> Notation:
    left, right = pick([("(", ")"), (r"\left(", r"\right)"), ("[", "]"), (r"\big(", r"\big)")])
    return Notation(
        letter=pick(letters),
        step=pick(STEPS),
        font=pick(FONTS),
        times=pick([r" \odot ", r" \circ ", r" * ", r" \otimes "]),
        top=pick(["^T", r"^\top", r"^{\mathsf{T}}", r"^{\mathrm T}"]),
        diagonal=pick([r"\text{diag}", r"\operatorname{diag}", r"\mathrm{diag}", "diag", r"{\rm diag}"]),
        left=left,
        right=right,
        fraction=pick(FRACTIONS),
        space=pick([" ", r" \cdot ", r"\,"]),
        loss=pick(["L", r"\mathcal{L}", "E", "J", r"\ell"]),
        display=pick(DISPLAYS),
        aligned=pick(["", "", *ALIGNED]),
    )
