"""What is said of the statements of a backward pass: each is decided like an equation; what nobody claims is passed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from symgrad.check.court.court import Court
from symgrad.check.evaluation.variables import AROUND, assigned, named
from symgrad.check.judging.equation import equation, holding
from symgrad.check.programs.backward import Claimed
from symgrad.check.programs.reader import Unit
from symgrad.check.reading.claims import links, span_of
from symgrad.check.reading.judgement import Judgement
from symgrad.check.reading.statements import Statement
from symgrad.check.reading.trees import kind, walk
from symgrad.check.verdicts import protected

HELD = "it is not known what"
NO_SLIP = "false-equation"  # the code of what is refuted without one
SEVERITY = ("proved", "unread", "undecided", "refuted")


def judged(unit: Unit) -> Iterator[tuple[Claimed, Judgement]]:
    """The claims of a backward pass with their judgements, in order."""
    every = [s for c in unit.claims for reading in c.readings for s in reading]
    court = Court([*unit.equations, *(replace(s, number=len(unit.equations) + k) for k, s in enumerate(every))], program=True)
    if court.borrowed:
        return  # what is written is no cell
    heard = {id(old): new for old, new in zip(every, court.statements[len(unit.equations) :], strict=True)}
    known = any(not c.quiet for c in unit.claims)  # whether this is a backward pass at all
    decided: set[str] = set()  # variables that hold what is known, true or false
    shaky: set[str] = set()  # variables that hold something else than their names say, it may be
    said: dict[int, Judgement | None] = {}
    waiting = [c for c in unit.claims if not c.quiet]
    for claim in [*unit.claims, *waiting]:  # once more, when it is known what the statements behind compute
        if id(claim) in said and not unsure(said[id(claim)]):
            continue
        for k in range(len(court.collected.groups)):
            court.page(k).write = claim.write
        readings = [tuple(heard[id(s)] for s in reading) for reading in claim.readings]
        if claim.quiet:
            found = quietly(court, readings)
        else:
            found = aloud(court, readings, decided, shaky) if readings else Judgement("undecided", "not-understood", claim.why)
        said[id(claim)] = found
        if found is not None and found.verdict in ("proved", "refuted"):
            decided |= lefts(readings)
        if found is not None and found.verdict != "proved":
            shaky |= lefts(readings)
    traced: dict[int, list[Judgement]] = defaultdict(list)  # of the statements in which others are wrong
    for claim in unit.claims:
        found = said[id(claim)]
        parts = blamed(claim, found, said) if found is not None and found.verdict == "refuted" else []
        if found is None or not parts or any(holds(said[id(c)]) for c in parts):
            continue
        said[id(claim)] = Judgement("undecided", "not-understood", f"this is not right, or what it is computed from is not: {found.message}")
        traced[id(parts[0])] += [found] * (2 if found.blame[0] < 0 else 1) if len(parts) == 1 and found.code != NO_SLIP and found.blame else []
    for claim in unit.claims:
        several = traced[id(claim)]
        if len(several) > 1 and len({s.message for s in several}) == 1 and final(claim, said):
            said[id(claim)] = Judgement("refuted", several[0].code, several[0].message)
    for claim in reversed(unit.claims):
        if said[id(claim)] is None and known:
            said[id(claim)] = by_use(claim, [said[id(c)] for c in claim.used_by])
    court.close()
    for claim in unit.claims:
        if (found := said[id(claim)]) is not None:
            yield claim, replace(found, blame=None) if found.blame is not None and found.blame[0] < 0 else found


def lefts(readings: list[tuple[Statement, ...]]) -> set[str]:
    """The variables that a claim gives their values."""
    return {named(left) for reading in readings for s in reading if kind(left := s.node.sides[0]) == "Variable"}


def unsure(found: Judgement | None) -> bool:
    return found is not None and found.message.startswith(HELD)


def blamed(claim: Claimed, found: Judgement, said: dict[int, Judgement | None]) -> list[Claimed]:
    """The statements that give the variable its value in which a statement is wrong, or the term of a sum; all that may be wrong, if no slip is named."""
    if found.code == NO_SLIP:
        return [c for several in claim.parts.values() for c in several if not holds(said[id(c)])]
    if found.blame is None:
        return []
    start, stop = found.blame
    return claim.parts.get(f"#{-start}" if start < 0 else claim.fragment.latex[start:stop], [])


def final(part: Claimed, said: dict[int, Judgement | None]) -> bool:
    """Whether what is wrong of the value of a variable is in the statement that gives it: no line that uses it holds, and what it uses itself does."""
    uses = [said[id(c)] for c in part.used_by]
    used = [said[id(c)] for several in part.parts.values() for c in several]
    return not any(map(holds, uses)) and all(map(holds, used))


def holds(found: Judgement | None) -> bool:
    return found is not None and found.verdict == "proved"


def by_use(claim: Claimed, uses: list[Judgement | None]) -> Judgement | None:
    """The judgement of what has no meaning by itself: it is right where what it is a part of is."""
    if any(map(holds, uses)):
        return Judgement("proved", assumptions=("judged as a part of the line that uses it",))
    return Judgement("undecided", "not-understood", claim.why) if claim.why else None


def quietly(court: Court, readings: list[tuple[Statement, ...]]) -> Judgement | None:
    """The first reading that holds, None if none does."""
    for reading in readings:
        found = [protected(holding, court, link) for s in reading for link in links(s)]
        if all(said is not None and said.verdict == "proved" for said in found):
            return found[0]
    return None


def aloud(court: Court, readings: list[tuple[Statement, ...]], decided: set[str], shaky: set[str]) -> Judgement:
    """The judgement of a claim: of its blocks the worst counts, of its readings the best."""
    found: list[Judgement] = []
    for reading in readings:
        said = [each for s in reading for link in links(s) if (each := protected(equation, court, link)) is not None]
        worst = max(said, key=lambda each: SEVERITY.index(each.verdict))
        why = doubtful(worst, reading, decided) if worst.verdict == "refuted" else supposed(worst, reading, shaky) if worst.verdict == "proved" else ""
        if why:
            worst = Judgement("undecided", "ambiguous", why)
        found.append(worst)
        if worst.verdict == "proved":
            break
    return min(found, key=lambda said: SEVERITY.index(said.verdict))


def supposed(said: Judgement, reading: tuple[Statement, ...], shaky: set[str]) -> str:
    """What keeps a statement from being proved: a variable that must hold something else than its name says, where its value is not proved."""
    for n in (n for s in reading for n in walk(s.node.sides[1]) if kind(n) == "Variable" and named(n) in shaky):
        by_its_formula = len(n.ways) > 1 and n.ways[0][0] == "pre"  # a name says ``di``, and it was i that stood in a wrong formula
        if by_its_formula or any(a.startswith(f"{n.text} is read as") for a in said.assumptions):
            return f"{HELD} {n.text} holds, and this is true only if it is not what its name says"
    return ""


def doubtful(said: Judgement, reading: tuple[Statement, ...], decided: set[str]) -> str:
    """What keeps a statement from being refuted: a variable whose value is not known."""
    own = {named(s.node.sides[0]) for s in reading if kind(s.node.sides[0]) == "Variable"}
    for n in (n for s in reading for n in walk(s.node.sides[1]) if kind(n) == "Variable" and named(n) not in own):
        if not assigned(n) and n.ways == AROUND and said.expected is None:
            return f"{HELD} {n.text} holds"
        if (assigned(n) and named(n) not in decided) or (said.code == "extra-term" and said.blame == span_of(n)):
            return f"{HELD} {n.text} holds, and with what its name says this is not true"
    return ""
