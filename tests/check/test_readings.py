"""Readings are tried cheapest first, each once, and none that must fail as another did."""

from dataclasses import dataclass
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from symgrad.check.reading.claims import links
from symgrad.check.reading.statements import Statement
from symgrad.check.worlds.readings import Chooser, Exploration, Option, explore
from symgrad.notation.syntax import Name, Relation


@dataclass
class Result:
    """The answers of a reading, and what its failure rests on."""

    answers: tuple[int, ...]
    asked: frozenset[str] | None


def options(costs: list[int]) -> tuple[Option, ...]:
    return tuple(Option(c, k, note="said") for k, c in enumerate(costs))


questions = st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=3).map(sorted), min_size=1, max_size=4)


def answered(costs: list[list[int]], chooser: Chooser) -> tuple[int, ...]:
    return tuple(chooser.choose(f"q{k}", options(c)) for k, c in enumerate(costs))


@given(questions)
def test_every_reading_once_and_cheapest_first(costs):
    """All combinations, in the order of their cost."""
    seen = [result for _, result in explore(lambda chooser: answered(costs, chooser), Exploration(), limit=999)]
    price = [sum(c[a] - c[0] for c, a in zip(costs, answers, strict=True)) for answers in seen]
    assert len(set(seen)) == len(seen)
    assert len(seen) == prod(map(len, costs))
    assert price == sorted(price)


@given(questions, st.data())
def test_only_readings_that_must_fail_are_left_out(costs, data):
    """Every reading that holds is found, with failures blamed on the one answer that they rest on."""
    bad = {(k, a) for k, c in enumerate(costs) for a in range(len(c)) if data.draw(st.booleans())}

    def run(chooser: Chooser) -> Result:
        answers: list[int] = []
        for k, c in enumerate(costs):
            answers.append(chooser.choose(f"q{k}", options(c)))
            if (k, answers[-1]) in bad:
                return Result((), frozenset({f"q{k}"}))
        return Result(tuple(answers), None)

    exploration = Exploration()
    found = [r.answers for _, r in explore(run, exploration, limit=999) if r.asked is None]
    good = [[a for a in range(len(c)) if (k, a) not in bad] for k, c in enumerate(costs)]
    wanted = prod(map(len, good))
    assert len(found) == len(set(found)) == wanted
    assert exploration.complete


def test_an_equation_that_no_document_wrote_has_links_too() -> None:
    supposed = Relation((Name("b", subs=(Name("t"),)), Name("u", subs=(Name("t"),))), ("=",))
    assert [(link.left, link.right) for link in links(Statement(None, supposed, supposed, (), 0))] == [supposed.sides]
