"""Leaves the processor to the command where it is scarce, and only as long as the command runs.

A nice level would do so too, but nobody without privileges can take it back: on a loaded machine a niced
tracker starves when nobody is left to protect.
"""

from __future__ import annotations

import time

SCARCE = 1.5  # times as long as the processor was had: others want it
SMALL = 0.02  # seconds of work that no rest is worth


class Work:
    """A piece of work that has just begun."""

    def __init__(self) -> None:
        self._begin, self._used = time.monotonic(), time.process_time()

    def rest(self) -> float:
        """How many seconds to rest after it: as long as it used a processor that others wanted, else 0."""
        used = time.process_time() - self._used
        return used if used > SMALL and time.monotonic() - self._begin > SCARCE * used else 0.0
