"""What a document may cost: seconds of computing, bytes of memory.  A limit reached is a message, never a pass.

Two alarms watch the seconds: the first raises `OutOfTime` in Python, so that what is done is kept; the second, a little later, ends the
process from outside Python, for work that Python cannot interrupt.  Where a system has no such alarms (Windows), the parent's clock kills.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

SECONDS = 1.2  # a document
SECONDS_EACH = 0.02  # and each formula of it
SECONDS_MOST = 20.0
GRACE = 0.2
MEMORY = 480_000_000


def allowed(formulas: int) -> float:
    """Seconds for a document of so many formulas."""
    return min(SECONDS + SECONDS_EACH * formulas, SECONDS_MOST)


class OutOfTime(BaseException):
    """The first alarm; no ``except Exception`` on the way swallows it."""


def _raise(*_: Any) -> None:
    raise OutOfTime


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` after so many seconds of computing; a little later the system ends the process."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, _raise)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds + GRACE)
        signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGPROF, before)


def bound_memory(size: int = MEMORY) -> None:
    """This process gets no more memory than so many bytes; what asks for more is refused (`MemoryError`)."""
    try:
        import resource
    except ImportError:
        return
    kind = getattr(resource, "RLIMIT_DATA", resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
