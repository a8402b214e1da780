"""Backward passes in other languages than Python: which statements there are, for what is not read of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from symgrad.check.programs.names import STATES, rests, stem
from symgrad.check.sources.document import Fragment, Passage

WHY = "what this statement computes is not read: it is neither Python nor plainly MATLAB or Julia"
_STATEMENT = re.compile(
    r"^[ \t]*(?:(?:const|let|var|val|mut|auto|local|float|double|real|scalar_t|T|f32|f64|float32|half|__half|[A-Z][\w:]*(?:<[^<>=\n]*>)?[&*]?)\s+)*"
    r"(?:self\.|this(?:\.|->))?"
    r"(?P<name>[A-Za-z_]\w*)(?:\[[^=;\n]{0,80}\]|\([^=;\n]{0,80}\))?\s*[+-]?=(?!=)\s*(?P<value>(?:(?!\.\.\.)[^;\n]|\.\.\.[^\n]*\n){1,400})",
    re.MULTILINE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")


def gradients(programs: Iterable[Passage]) -> Iterator[Fragment]:
    """The statements of programs that compute a gradient from another one, where some of these are by a state."""
    for source in programs:
        names = set(_NAME.findall(source.text))
        by_states = {w for w in names if any(stem(rest)[0].lower() in states for rest in rests(w) for states in STATES)}
        known = by_states | {w for w in names if w.startswith("grad_") or any({rest, stem(rest)[0]} & names for rest in rests(w))}
        found = [m for m in _STATEMENT.finditer(source.text) if m["name"] in known and (read := set(_NAME.findall(m["value"]))) & known and len(read) > 1]
        for m in found if by_states and len(found) > 1 else ():
            start = m.start("name")
            part = source[start : m.end()]
            yield Fragment(part, part, "program")
