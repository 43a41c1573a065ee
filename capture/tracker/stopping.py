"""SIGTERM to the tracker: hand over what there is, at once, but not in the middle of an import.

What a handler raises there may leave the lock of all imports held: every thread that imports then waits for
ever.  Or Python ignores it, in a callback of the import.  So it is raised as soon as the import is over.
"""

from __future__ import annotations

import signal
from types import FrameType

AGAIN = 0.02  # seconds until it is tried once more

_asked: list[int] = []  # the signal that has come


class Stopped(BaseException):
    """SIGTERM has come."""


def listen() -> None:
    """From now on SIGTERM raises Stopped, once."""
    signal.signal(signal.SIGALRM, _stop)
    signal.signal(signal.SIGTERM, _stop)


def check() -> None:
    """Raise Stopped if it has been asked for, and was not raised or got lost."""
    if _asked:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stopped


def _stop(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _asked.append(signum)
    if _imports(frame):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        raise Stopped


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is going on here."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
