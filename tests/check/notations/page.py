"""A page of formulas and words: what stands in one display, what between words, and how a symbol is introduced."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .writing import Notation, Pick, notation

ALIGNED = (
    "\\begin{align}\n%s\n\\end{align}", "\\begin{align*}\n%s\n\\end{align*}", "$$\n\\begin{aligned}\n%s\n\\end{aligned}\n$$",
    "\\begin{equation}\n\\begin{split}\n%s\n\\end{split}\n\\end{equation}", "\\[\n\\begin{aligned}\n%s\n\\end{aligned}\n\\]",
)  # fmt: skip
INTRODUCED = (
    "We write ${0} = {1}$.", "Define ${0} = {1}$.", "Let ${0} = {1}$.", "Let ${0} := {1}$ be the error.", "With ${0} \\equiv {1}$:", "where ${0} = {1}$.",
    "Let ${0}$ denote ${1}$.", "We abbreviate ${1}$ as ${0}$.", "Denote ${1}$ by ${0}$.", "Mit ${0} = {1}$ gilt:", "记 ${0} = {1}$。", "Sea ${0} = {1}$.",
)  # fmt: skip
BETWEEN = (
    "", "", "Hence", "so that", "By the chain rule,", "It follows that", "Therefore:", "Similarly,", "where", "由链式法则可得", "Nach der Kettenregel:",
    "Por la regla de la cadena:",
)  # fmt: skip
HEADS = ("The network:", "## Forward pass", "The model is given by", "Consider a recurrent network.", "前向传播:", "Its equations are")
DERIVED = (
    "Its derivatives:", "## Backward pass", "## Backpropagation through time", "反向传播:", "Now we differentiate.", "The gradients are",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Page(Notation):
    """How somebody writes a page."""

    separated: str  # formulas of one line
    gathered: tuple[str, str]  # the equations, the claims: each by itself, in one display, in sentences
    introduced: str
    between: str
    heads: tuple[str, str]
    bracketed: bool  # what is transposed, where a step stands below it
    broken: bool  # a line for each relation
    nabla: bool  # for gradients of the loss

    @property
    def dot(self) -> str:
        """Between derivatives of a chain."""
        return r" \cdot " if "/" in self.fraction else " "

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        accent, _, inner = name.rpartition(" ")
        at = super().at(inner, shift, step)
        of = self.font % inner
        return f"{accent}{{{of}}}{at.removeprefix(of)}" if accent else at

    def d(self, of: str, by: str) -> str:
        return f"\\nabla_{{{by}}} {of}" if self.nabla and of.startswith(self.loss) else super().d(of, by)

    def transposed(self, of: str) -> str:
        plain = re.fullmatch(r"(\\\w+(\{\\?\w+\}| \w)|\\?\w+)?(_\w|_\{[^{}]*(\{\w+\})?\}|\([^()]*\)|\[[^\[\]]*\])?", of)
        return f"{of}{self.top}" if plain and not self.bracketed else super().transposed(of)

    def introduce(self, name: str, value: str) -> str:
        return self.introduced.replace("{0}", name).replace("{1}", value)

    def document(self, equations: list[str], claims: list[str]) -> str:
        """Sentences have formulas in dollars; all else is a formula."""
        head, derived = self.heads
        return "\n\n".join([head, *self.set(equations, self.gathered[0], ""), derived, *self.set(claims, self.gathered[1], self.between)])

    def set(self, items: list[str], gathered: str, between: str) -> list[str]:
        blocks: list[str] = []
        rows: list[str] = []
        for item in [*items, "$"]:
            if "$" not in item:
                rows.append(item)
                continue
            if gathered == "in a display":
                blocks += self.together(rows)
            elif gathered == "in sentences":
                blocks += ["We have " + ", ".join(f"${row}$" for row in rows[k : k + 3]) + "." for k in range(0, len(rows), 3)]
            else:
                blocks += [part for row in rows for part in (between, self.display % row) if part]
            blocks += [item] if item != "$" else []
            rows = []
        return blocks

    def together(self, rows: list[str]) -> list[str]:
        if self.broken:
            rows = [self.lines(row) for row in rows]
        if len(rows) < 2 and not any("\n" in row for row in rows):
            return [self.display % row for row in rows]
        if self.separated and len(rows) == 2 and not any("\n" in row for row in rows):
            return [self.display % self.separated.join(rows) if "align" not in self.display else self.aligned % self.separated.join(rows)]
        return [self.aligned % " \\\\\n".join(re.sub(r" (=|:=|\\equiv) ", r" &\1 ", row, count=1) for row in rows)]


    def lines(self, row: str) -> str:
        """A relation on each line."""
        left, *rights = re.split(r" = (?![^{}]*\})", row)
        return " = ".join((left, " \\\\\n&= ".join(rights)))


def page(pick: Pick, letters: str = "tttkni") -> Page:
    w = notation(pick, letters)
    gathered = (pick(["alone", "in a display"]), pick(["alone", "alone", "in a display", "in a display", "in sentences"]))
    space = r" \cdot " if "/" in w.fraction else w.space
    return Page(
        **(vars(w) | {"space": space, "aligned": pick(ALIGNED)}),
        separated=pick(["", r", \qquad ", r" \quad ", r",\quad "]),
        gathered=gathered,
        introduced=pick(INTRODUCED),
        between=pick(BETWEEN),
        heads=(pick(HEADS), pick(DERIVED)),
        bracketed=pick([False, True]),
        broken=pick([False, True]),
        nabla=pick([False, False, False, True]),
    )
