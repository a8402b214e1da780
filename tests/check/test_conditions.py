"""Where conditions are found, and how far they reach: the prose around a formula, its label, its heading."""

from __future__ import annotations

import pytest

from symgrad.check.judge import judge
from symgrad.check.reading.claims import links, statements_of
from symgrad.check.reading.conditions import _after, _before, _heading, conditions, introduced
from symgrad.check.sources import read_text
from symgrad.notation.latex import latex

GRU = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)$$

$$r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r)$$

$$\tilde h_t = \tanh(W_h x_t + U_h (r_t \odot h_{t-1}) + b_h)$$

$$h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t$$

"""
J = r"\frac{\partial h_t}{\partial h_{t-1}}"


@pytest.mark.parametrize(("text", "found"), [
    ("When $z = 1$, we get", ["z = 1"]),
    ("If $z=0$ and $r = 1$ then", ["z=0", "r = 1"]),
    ("- **Case z = 1.** then", ["z = 1"]),
    ("z = 0:", ["z = 0"]),
    ("Case 2 (z=0, r=1):", ["z=0", "r=1"]),
    ("1. $z = 1$: then", ["z = 1"]),
    (r"\item[$z=1$] we have", ["z=1"]),
    ("$z = 1$ gives", ["z = 1"]),
    ("(2). In the 2nd case , when $z=r=0$,", ["z=r=0"]),
    ("Both gates are 0, i.e. for $z_t = r_t = 0$, the Jacobian is", ["z_t = r_t = 0"]),
    ("when the gate is one ($f_t = 1$) and the other is closed ($i_t = 0$):", ["f_t = 1", "i_t = 0"]),
    ("The gate is open when $z=1$. Then", ["z=1"]),
    ("Suppose $z_t = 1$. The state is copied. So", ["z_t = 1"]),
    (r"With $\phi$ the identity,", [r"\phi the identity"]),
    ("When $z_t$ is zero and $r_t$ is one,", ["$z_t$ is zero", "$r_t$ is one"]),
    ("by setting all elements of $z_t$ to 1, and", ["$z_t$ to 1"]),
    ("If $z_t$ is zero or $r_t$ is,", ["If $z_t$ is zero or"]),
    ("If $z_t$ is close to 1,", ["If $z_t$ is close"]),
    ("As $h_t$ is a function of $W$,", []),
    ("When $z_t$ is one of the gates,", []),
    ("When the state $h_t$ is the input of the loss,", []),
    ("The state is $h_t = W h_{t-1}$ when $z=1$ and", []),
    ("When $z=1$, it is copied. In general", []),
    ("When $z=1$ it is copied.\n\nThe Jacobian is", []),
    ("If $z=1$, $A = I$, and if $z = 0$,", ["z = 0"]),
    (r"With $\|W\| < 1$ we get", []),
    (r"If $\|W\| < 1$ we get", [r"\|W\| < 1"]),
    ("where $a_t = W x_t + b$ so that", []),
    ("it costs $5 if $z = 1$ and", ["z = 1"]),
])  # fmt: skip
def test_before(text: str, found: list[str]) -> None:
    assert list(dict.fromkeys(c.text for c in _before(text))) == found


@pytest.mark.parametrize(("text", "found"), [
    ("if $z=0$.", ["z=0"]),
    ("holds when $z=1$ and $r=0$.", ["z=1", "r=0"]),
    ("(with $z=1$)", ["z=1"]),
    ("($z=1$).", ["z=1"]),
    (r"in the limit $z \to 1$. More", [r"z \to 1"]),
    (", and if $z = 0$, $B = W$.", []),
    (". When $z=1$, $B$", []),
    ("is known; if $z = 1$", []),
    (r"\n\nif $z = 1$", []),
])  # fmt: skip
def test_after(text: str, found: list[str]) -> None:
    assert [c.text for c in _after(text.replace(r"\n", "\n"))] == found


def test_heading() -> None:
    assert [latex(c.node) for c in _heading("Case 1: $z = 1$")] == ["z = 1"]
    assert [latex(c.node) for c in _heading("The case z=r=0")] == ["z = r = 0"]
    assert _heading("S2") == ()


def test_the_nearer_condition_counts() -> None:
    document = read_text(f"## The case $z = 1$\n\nFor $z = 0$ the Jacobian is ${J} = I$ if $r = 1$.", "md")
    (claim,) = [s for s in statements_of(document) if "partial" in s.fragment.latex]
    assert [latex(c.node) for c in conditions(claim)] == ["r = 1", "z = 0"]


def test_a_value_that_is_said_of_a_gate_is_a_condition() -> None:
    document = read_text("When $z = 1$ it stays. It is said that $z = 1$. There are three cases: (1) $z = 1$, (2) $z = 0$.", "md")
    assert [introduced(f, label=True) for f in document.fragments] == [True, False, True, True]


def verdicts(text: str) -> list[str]:
    document = read_text(GRU + text, "md")
    return [c.verdict for c in judge(document, None)]


# one claim that is right under its condition alone; each text moves the condition out of its reach, or changes it
RIGHT = [
    f"When $z_t = 1$, ${J} = I$.",
    f"The Jacobian is ${J} = I$ if $z_t = 1$.",
    f"- $z_t = 1$: ${J} = I$",
    f"**Case $z_t = 1$.** Then ${J} = I$.",
    f"### $z_t = 1$\n\n${J} = I$",
    rf"$${J} = I \quad \text{{if }} z_t = 1$$",
    rf"$${J} \Big|_{{z_t = 1}} = I$$",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_under_its_condition(text: str) -> None:
    assert verdicts(text) == ["proved"]


@pytest.mark.parametrize("text", RIGHT)
def test_wrong_at_another_value(text: str) -> None:
    assert verdicts(text.replace("z_t = 1", "z_t = 0")) == ["refuted"]
    assert verdicts(text.replace("z_t = 1", "r_t = 1")) == ["refuted"]


@pytest.mark.parametrize("text", [
    f"The state is copied if $z_t = 1$; always ${J} = I$.",
    f"- $z_t = 1$: the state is copied\n- ${J} = I$",
    f"**Case $z_t = 1$.** The state is copied.\n\nNow without it: ${J} = I$.",
    f"### $z_t = 1$\n\nThe state is copied.\n\n### The rest\n\n${J} = I$",
])  # fmt: skip
def test_a_condition_does_not_leak(text: str) -> None:
    assert verdicts(text)[-1] == "refuted"


@pytest.mark.parametrize("text", [
    f"When $z_t = 1$ the state is copied.\n\n${J} = I$.",
    rf"$$h_t = h_{{t-1}} \quad \text{{if }} z_t = 1$$" f"\n\n$${J} = I$$",
])  # fmt: skip
def test_what_was_supposed_before_may_last(text: str) -> None:
    assert verdicts(text)[-1] == "undecided"
    assert verdicts(text.replace("z_t = 1", "r_t = 1"))[-1] == "refuted"


def test_what_is_not_understood_never_refutes() -> None:
    for condition in (r"\|U_z\| < 1", r"z_{t,1} = 1", r"z_t \approx 1", r"z_t = 1 \text{ or } r_t = 0"):
        assert verdicts(rf"$${J} = I \quad \text{{if }} {condition}$$")[0] in ("undecided", "unread"), condition


def test_definitions_are_not_changed_by_a_case() -> None:
    text = rf"If $z_t = 1$ then $h_t = h_{{t-1}}$. $${J} = \operatorname{{diag}}(z_t)$$"
    document = read_text(GRU + text, "md")
    assert [link.number for s in statements_of(document) for link in links(s)]
    assert verdicts(text)[0] == "proved"
    assert verdicts(text)[1] != "proved"
