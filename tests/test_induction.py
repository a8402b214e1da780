"""Statements with Σ and Π over time: S4, S8, S9, S10 and D9 of the systems, and what is near them."""

from __future__ import annotations

import pytest

from symgrad import bptt
from symgrad.cells import LIBRARY
from symgrad.decide.induction import for_every_step, power_limit
from symgrad.notation.reading.parse import parse

S4 = (
    r"\frac{\partial L_t}{\partial U_z} = \frac{\partial L_t}{\partial h_t} \sum_{k=1}^{t} "
    r"\left(\prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}}\right) \frac{\partial^+ h_k}{\partial U_z}"
)
S8 = r"\frac{\partial h_t}{\partial W_{hh}} = \sum_{k=1}^{t} \frac{\partial h_t}{\partial h_{t-k}} \frac{\partial h_{t-k}}{\partial W_{hh}}"
S9 = r"\frac{\partial h_t}{\partial h_{t-k}} = \prod_{u=0}^{k-1} \frac{\partial h_{t-u}}{\partial h_{t-u-1}}"
D9 = (
    r"\frac{dh_t}{d\theta} = \frac{\partial h_t}{\partial h_{t-1}} \frac{dh_{t-1}}{d\theta} + \frac{\partial^+ h_t}{\partial\theta}"
    r" = \sum_{k=1}^{t} \left(\prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}}\right) \frac{\partial^+ h_k}{\partial\theta}"
)


@pytest.mark.parametrize("statement", [S4, S9, D9], ids=["S4", "S9", "D9"])
def test_proved(statement: str) -> None:
    found = for_every_step(statement)
    assert found, found
    assert found.base is not None
    assert found.step is not None
    assert found.base.proved
    assert found.step.proved


@pytest.mark.parametrize("partial", ["total", "immediate"])
def test_s8_misses_the_immediate_term_at_the_first_step(partial: str) -> None:
    found = for_every_step(S8, partial=partial)
    assert (found.status, found.fails_at) == ("refuted", 1)
    assert str(found) == "refuted at t = 1\n  missing: ∂⁺h_1/∂W_{hh}"


def test_s8_with_the_term_k_0_is_proved() -> None:
    assert for_every_step(S8.replace("k=1", "k=0").replace(r"\frac{\partial h_{t-k}}", r"\frac{\partial^+ h_{t-k}}"))


def test_s9_of_a_linear_network() -> None:
    power = r"\frac{\partial h_t}{\partial h_{t-k}} = W_{hh}^k"
    assert for_every_step(power, constant="W_{hh}")
    assert for_every_step(power.replace("^k", "^{k-1}"), constant="W_{hh}").fails_at == 1
    assert not for_every_step(power)


CHANGED = [
    (S4, "k=1", "k=2", 1),
    (S4, "k=1", "k=0", None),  # ∂⁺h_0 is 0: the same sum
    (S4, "i=k+1", "i=k", 1),
    (S4, "i=k+1", "i=k+2", 2),
    (S4, r"^{t} \left", r"^{t-1} \left", 1),
    (S4, r"^{t} \frac{\partial h_i}", r"^{t-1} \frac{\partial h_i}", 2),
    (S4, r"\sum", r"2 \sum", 1),
    (S4, "i=k+1", "i=k+3", 2),
    (S4, "k=1", "k=t", 2),
    (S4, r"{i=k+1}^{t}", r"{i=k+1}^{t+1}", 1),
    (S9, "u=0", "u=1", 1),
    (S9, "k-1}", "k}", 1),
    (S4, r"h_k}{\partial U_z}", r"h_k}{\partial b_z}", 1),
    (S4, r"h_k}{\partial U_z}", r"h_k}{\partial U_r}", 1),
    (S4, r"L_t}{\partial U_z}", r"L_t}{\partial U_r}", 1),
    (S4, r"\partial h_{i-1}", r"\partial h_i", 2),
    (S4, r"\partial h_i}", r"\partial h_{i-1}}", 2),
    (S4, r"\partial^+", r"\partial", 2),
    (S9, "t-u-1", "t-u-2", 1),
    (D9, r"\partial^+ h_t", r"\partial^+ h_{t-1}", 1),
    (D9, r"dh_{t-1}", r"dh_{t-2}", 2),
]


@pytest.mark.parametrize(("statement", "old", "new", "fails_at"), CHANGED, ids=lambda x: str(x)[:24])
def test_one_change_is_refuted_at_the_smallest_step(statement: str, old: str, new: str, fails_at: int | None) -> None:
    assert old in statement
    assert for_every_step(statement.replace(old, new, 1)).fails_at == fails_at


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "gru_reset_last"])
def test_what_bptt_prints_is_proved(name: str) -> None:
    """The sums of products, the recursion and the product over time that symgrad itself writes."""
    result = bptt(LIBRARY[name])
    state = "h" if len(result.program.states) == 1 else "s"
    for relation in (result.explicit(result.program.parameters[0].name), *result.forward(), result.lagged()):
        assert for_every_step(relation, state=state), relation


def test_s10() -> None:
    found = power_limit("W_{hh} < 1")
    assert found.status == "refuted"
    assert "W = -2" in found.reason
    assert power_limit("|W_{hh}| < 1")
    assert power_limit("0 < W < 1")
    assert power_limit(r"|W| \le 1").status == "refuted"


NEAR = r"\frac{dh_t}{d\theta} = \frac{\partial h_t}{\partial h_{t-1}} \frac{dh_{t-1}}{d\theta} + \frac{\partial^+ h_t}{\partial\theta} + %s"


@pytest.mark.parametrize("low", [3, 4, 5])
def test_what_vanishes_at_the_first_steps_is_not_proved(low: int) -> None:
    """A sum that is empty until t = low fools neither base nor step."""
    found = for_every_step(NEAR % rf"\sum_{{k={low}}}^{{t}} \frac{{\partial h_t}}{{\partial h_k}} \frac{{\partial^+ h_k}}{{\partial\theta}}")
    assert (found.status, found.fails_at) == ("refuted", low)


def test_the_r_of_a_parameter_is_no_step() -> None:
    assert for_every_step(S4.replace("U_z", "U_r")).variable == "t"


def test_what_is_too_much_is_called_extra() -> None:
    assert str(for_every_step(S4.replace(r"\partial^+", r"\partial"))) == "refuted at t = 2\n  extra: (∂h_2/∂h_1) (∂⁺h_1/∂U_z)"


def test_an_input_is_no_constant() -> None:
    assert for_every_step(r"\frac{\partial h_t}{\partial b} x_t = \frac{\partial h_t}{\partial b} x_t").status == "undecided"


def test_what_cannot_be_read_is_undecided_and_says_why() -> None:
    found = for_every_step(r"h_t = \frac{\partial L_t}{\partial U}")
    assert found.status == "undecided"
    assert found.reason


def test_nothing_is_proved_that_fails_at_some_step() -> None:
    """All shifts of the four bounds of S4: what is proved holds when written out, t = 1, …, 7."""
    from symgrad.decide.induction import _Claim

    proved = []
    for low in range(4):
        for high in (-1, 0, 1):
            for start in range(4):
                for end in (-1, 0, 1):
                    top, bottom = (f"t{k:+d}" if k else "t" for k in (high, end))
                    statement = S4.replace("k=1}^{t}", f"k={low}}}^{{{top}}}").replace("i=k+1}^{t}", f"i=k+{start}}}^{{{bottom}}}")
                    if for_every_step(statement):
                        relation = parse(statement)
                        claim = _Claim(*relation.sides, "h", None, "total")  # type: ignore[union-attr]
                        assert all(claim.at(t).proved for t in range(1, 8)), statement
                        proved.append((low, high, start, end))
    assert proved == [(0, 0, 1, 0), (1, 0, 1, 0)]
