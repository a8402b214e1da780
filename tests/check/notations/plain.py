"""Plain text: the formulas of the networks as they stand in comments, in docstrings, in a fence, on a line of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .writing import Claim, Notation, Pick

Network = Callable[[Notation, Pick], tuple[list[str], list[Claim]]]
LETTERS = {"sigma": "σ", "phi": "φ", "varphi": "φ", "psi": "ψ", "rho": "ρ", "delta": "δ"}
LOWER = str.maketrans("0123456789+-tkijn", "₀₁₂₃₄₅₆₇₈₉₊₋ₜₖᵢⱼₙ")
LAYOUTS = {  # of one formula, and of all together
    "fence": ("{}", "```\n{}\n```", "md"),
    "text fence": ("    {}", "```text\n{}\n```", "md"),
    "bullets": ("- {}", "{}", "md"),
    "code": ("- `{}`", "{}", "md"),
    "paragraphs": ("{}\n", "{}", "txt"),
    "indented": ("    {}", "\n{}\n", "txt"),
    "numbered": ("  {}", "{}", "txt"),
    "docstring": ("    {}", "{}", "py"),
    "comment": ("# {}", "{}", "py"),
    "lines": ("// {}", "{}", "cpp"),
}


@dataclass(frozen=True)
class Plain(Notation):
    """How somebody writes formulas without LaTeX."""

    layout: str = "fence"
    unicode: bool = True
    tilde: str = "{}\u0303"
    hat: str = "{}\u0302"
    product: str = "∏_{{{0}={1}}}^{{{2}}}"
    total: str = "Σ_{{{0}}}"
    sigmoid: str = "σ"
    remark: str = ""
    label: str = ""

    def at(self, name: str, shift: int = 0, step: str = "") -> str:
        letter = step or self.letter
        at = letter if not shift else f"{letter}{shift:+d}"
        if self.step == "low":
            return name + (at.translate(LOWER) if at.isascii() and set(at) <= set("0123456789+-tkijn") else f"_{at}" if len(at) == 1 else f"_{{{at}}}")
        return name + (self.step % at if len(at) > 1 or self.step != "_{%s}" else f"_{at}")

    def transposed(self, of: str) -> str:
        return f"({of}){self.top}" if set("/ ") & set(of) else of + self.top

    def spelled(self, text: str) -> str:
        """A formula in LaTeX as this author types it."""
        text = re.sub(r"\\(?:text|operatorname|mathrm|mathcal|mathbf)\{(\w+)\}", r"\1", text)
        text = re.sub(r"\\(tilde|hat)\{(\w)\}", lambda m: (self.tilde if m[1] == "tilde" else self.hat).format(m[2]), text)
        text = re.sub(r"\\prod_\{(\w)=([^{}]+)\}\^\{(\w)\}", lambda m: self.product.format(*m.groups()), text)
        text = re.sub(r"\\sum_\{(\w)(=1)?\}(?:\^T)?", lambda m: self.total.format(m[1]), text)
        text = re.sub(r"\\sigma(?:_g)?|\bsigmoid", self.sigmoid, text)
        text = re.sub(r"\\([a-z]+)", lambda m: LETTERS.get(m[1], m[1]) if self.unicode else m[1], text)
        return re.sub(r"(?<=[A-Za-z])[_^]\{([A-Za-z]{2,})\}", r"_\1", text)

    def document(self, equations: list[str], claims: list[str]) -> str:
        one, every, kind = LAYOUTS[self.layout]
        first = every.format("\n".join(one.format(e) for e in equations))
        second = every.format("\n".join(one.format(f"{self.label}{c}{self.remark}") for c in claims))
        match kind:
            case "py" if self.layout == "docstring":
                return f'def backward(cache):\n    """The cell:\n\n{first}\n\n    Its gradients:\n\n{second}\n    """\n'
            case "py":
                return f"# The cell:\n#\n{first}\n#\n# Its gradients:\n#\n{second}\n\nimport os\n"
            case "cpp":
                return f"// The cell:\n//\n{first}\n//\n// Its gradients:\n//\n{second}\n\nint main() {{ return 0; }}\n"
        return f"The cell:\n\n{first}\n\nIts gradients:\n\n{second}\n"


def typing(pick: Pick, letters: str = "tttk") -> Plain:
    """How somebody types."""
    layout, unicode = pick(list(LAYOUTS)), pick([True, True, False])
    times = pick([" ⊙ ", " ∘ ", " * ", " × "] if unicode else [" * ", " .* "])
    space = pick([" ", " @ ", " · ", "·"] if unicode else [" ", " @ "])
    return Plain(
        letter=pick(letters),
        step=pick(["_{%s}", "_{%s}", "(%s)", "[%s]", "_(%s)", *(["low"] if unicode else [])]),
        font="%s",
        times=times,
        top=pick(["ᵀ", "^T", "⊤", ".T"] if unicode else ["^T", ".T"]),
        diagonal=pick(["diag", "diag", "Diag"]),
        left="(",
        right=")",
        fraction=pick(["∂%s/∂%s", "d%s/d%s", "∂%s / ∂%s"] if unicode else ["d%s/d%s"]),
        space=space,
        loss=pick(["L", "L", "E", "J"]),
        display="",
        kind=LAYOUTS[layout][2],
        layout=layout,
        unicode=unicode,
        tilde=pick(["{}\u0303", "{}~", "{}_tilde"] if unicode else ["{}~", "{}_tilde"]),
        hat=pick(["{}\u0302", "{}_hat"] if unicode else ["{}_hat"]),
        product=pick(["∏_{{{0}={1}}}^{{{2}}} ", "Π_{{{0}={1}}}^{{{2}}} ", "∏_{{{0}={1}..{2}}}", "Π({0}={1} to {2})"] if unicode else ["prod_{{{0}={1}}}^{{{2}}} ", "prod_{{{0}={1}..{2}}}"]),
        total=pick(["Σ_{0}", "∑_{0}", "Σ_{{{0}}}"] if unicode else ["sum_{0}", "sum_{{{0}}}"]),
        sigmoid=pick(["σ", "sigmoid"] if unicode else ["sigmoid", "sigma"]),
        remark=pick(["", "", "   # chain rule", "   (by the chain rule)", "  <- from above"]),
        label=pick(["", "", "so ", "Gradient: "]),
    )


def typed(network: Network) -> Network:
    """A network in plain text."""

    def plain(w: Notation, pick: Pick) -> tuple[list[str], list[Claim]]:
        assert isinstance(w, Plain)
        equations, claims = network(w, pick)
        return [w.spelled(e) for e in equations], [(w.spelled(true), tuple(map(w.spelled, slips))) for true, slips in claims]

    return plain
