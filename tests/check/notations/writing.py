r"""The same derivations as many authors write them: the letters, where the step stands, the signs for products, transposes, diagonals and derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Claim: TypeAlias = tuple[str, tuple[str, ...]]  # what is true, and what is not

STEPS = ("_{%s}", "^{(%s)}", "^{%s}", "(%s)", "[%s]", r"^{\langle %s \rangle}", "^{<%s>}", "_{(%s)}")
FONTS = ("%s", r"\mathbf{%s}", r"\boldsymbol{%s}", r"\bm{%s}", r"\vec{%s}", r"\mathbf %s")
FRACTIONS = (
    r"\frac{\partial %s}{\partial %s}", r"\dfrac{\partial %s}{\partial %s}", r"\partial %s / \partial %s", r"\frac{d %s}{d %s}",
    r"\frac{\mathrm{d} %s}{\mathrm{d} %s}", r"{\partial %s \over \partial %s}",
)  # fmt: skip
DISPLAYS = ("$$%s$$", "$$\n%s\n$$", r"\[%s\]", "\\begin{equation}\n%s\n\\end{equation}", "$%s$", "\\begin{align}\n%s\n\\end{align}")


class Pick(Protocol):
    """One of several options: a test lets hypothesis choose, a benchmark a generator of random numbers."""

    def __call__(self, options: Sequence[T], /) -> T: ...


def shuffled(pick: Pick, items: Sequence[T]) -> list[T]:
    left = list(items)
    return [left.pop(pick(range(len(left)))) for _ in items]


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
    kind: str = "md"  # of the document

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        """A quantity at a step."""
        letter = step or self.letter
        return (self.font % name if len(name) == 1 else name) + self.step % (letter if not shift else f"{letter}{shift:+d}")

    def d(self, of: str, by: str) -> str:
        return self.fraction % (of, by)

    def diag(self, of: str) -> str:
        return f"{self.diagonal}{self.left}{of}{self.right}"

    def transposed(self, of: str) -> str:
        return of + self.top if not set("_^[(/ ") & set(of) and len(of) < 3 else f"({of}){self.top}"

    def squared(self, of: str) -> str:
        return f"({of})^2" if "^" in of else f"{of}^2"

    def document(self, equations: list[str], claims: list[str]) -> str:
        return "\n\n".join(["The network:", *(self.display % e for e in equations), "Its derivatives:", *(self.display % c for c in claims)])


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
    )
