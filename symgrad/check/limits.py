"""What a document may cost: seconds of computing, bytes of memory.  A limit reached is a message, never a pass.

Two alarms watch the seconds: the first raises `OutOfTime` in Python, so that what is done is kept; the second, a little later, ends the
process from outside Python, for work that Python cannot interrupt.  Where a system has no such alarms (Windows), the parent's clock kills.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

SECONDS = 1.4  # a document,
SECONDS_EACH = 0.01  # and each formula of it,
CREDIT = 0.8  # and each claim that is decided
MOST = 40.0  # but never more
GRACE = 0.2
MEMORY = 480_000_000
SELDOM = 500_000  # things made between two searches for garbage
T = TypeVar("T")


class OutOfTime(BaseException):
    """The first alarm; no ``except Exception`` on the way swallows it."""


def allowed(formulas: int) -> float:
    """Seconds for a document of so many formulas before its first claim."""
    return min(SECONDS + SECONDS_EACH * formulas, MOST)


def _set(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds + GRACE)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)


def bounded(items: Iterator[T], seconds: float) -> Iterator[T]:
    """The items; `OutOfTime` after so many seconds of computing, but never in the middle of what is done with an item.

    A little later the system ends the process.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield from items
        return
    heard = struck = False

    def strike(*_: Any) -> None:
        nonlocal struck
        struck = True
        if heard:
            raise OutOfTime

    before = signal.signal(signal.SIGPROF, strike)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    try:
        _set(seconds)
        while not struck:
            try:
                heard = True
                item = next(items)
            except StopIteration:
                return
            finally:
                heard = False
            yield item
        raise OutOfTime
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGPROF, before)


def _left() -> float:
    """Seconds until the first alarm; 0 if none is set."""
    return signal.getitimer(signal.ITIMER_PROF)[0] if hasattr(signal, "getitimer") else 0.0


def extend(seconds: float = CREDIT) -> None:
    """More time for a document that comes on, inside `bounded`."""
    left = _left()
    if left > 0:
        _set(left + seconds)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """What is done inside is at no document's cost, and never cut short: SymPy is loaded when the first needs it, which half of them do not."""
    left = _left()
    if left > 0:
        _set(MOST)
    try:
        yield
    finally:
        if left > 0:
            _set(left)


def collect_seldom() -> None:
    """In this process what is loaded is no more searched for garbage, and what is made not often: a document makes many formulas, and few rings of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM)


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
