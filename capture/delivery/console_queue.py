"""Console lines that wait for a backend."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from capture.delivery.adapter import ConsoleLine

MOST_LINES = 10_000


class ConsoleQueue:
    """Console lines on their way to one backend; of too many that nobody fetches the oldest are dropped."""

    def __init__(self) -> None:
        self.lost = 0
        self.taken = 0  # how many of all the run's lines need not be given any more
        self._lock = threading.Lock()
        self._lines: deque[ConsoleLine] = deque()
        self._skip = 0
        self._refused = False

    def put(self, lines: Sequence[ConsoleLine]) -> None:
        """Queue lines."""
        with self._lock:
            if not self._refused:
                self._lines.extend(lines)
                self._trim()

    def put_back(self, lines: Sequence[ConsoleLine]) -> None:
        """Queue lines again that were taken and could not be handed over."""
        with self._lock:
            self.taken -= len(lines)
            self._lines.extendleft(reversed(lines))
            self._trim()

    def take(self) -> list[ConsoleLine]:
        """All lines that wait, but for those to skip."""
        with self._lock:
            skipped = max(0, min(len(self._lines), self._skip - self.taken))
            lines = list(self._lines)[skipped:]
            self.taken += len(self._lines)
            self._lines.clear()
            return lines

    def skip(self, count: int) -> None:
        """Leave out the first lines of the run."""
        self._skip = count

    def refuse(self) -> None:
        """Keep none: the backend shows no console."""
        with self._lock:
            self._refused = True
            self._lines.clear()

    def _trim(self) -> None:
        while len(self._lines) > MOST_LINES:
            self._lines.popleft()
            self.lost += 1
            self.taken += 1
