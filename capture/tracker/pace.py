"""How often the tracker looks; it leaves a scarce processor to the command, as long as that runs.

A nice level would do so too, but nobody without privileges can take it back: on a loaded machine a niced
tracker starves when nobody is left to protect.
"""

from __future__ import annotations

import time

SCARCE = 1.5  # times as long as the processor was had: others want it
SMALL = 0.02  # seconds of work that no rest is worth
SHORTEST, LONGEST = 0.05, 0.2  # seconds between two looks at the recording
OF_AGE = 0.01  # of the time that has passed: what is new in a run of a minute is not waited for as eagerly


def pause(age: float) -> float:
    """How many seconds to wait where nothing new was there, in a run that is tracked for so many."""
    return min(LONGEST, max(SHORTEST, OF_AGE * age))


class Work:
    """A piece of work that has just begun."""

    def __init__(self) -> None:
        self._begin, self._used = time.monotonic(), time.process_time()

    def rest(self) -> float:
        """How many seconds to rest after it: as long as it used a processor that others wanted, else 0."""
        used = time.process_time() - self._used
        return used if used > SMALL and time.monotonic() - self._begin > SCARCE * used else 0.0
