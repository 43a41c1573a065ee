"""What can be true of a run while it goes on: conditions on the console and on the load."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from capture.watch.comparing import COMPARE

IDLE_PERCENT = 5.0  # below this share a processor does nothing that counts
# What the load is called in rules, and in the samples.
FIGURES = {
    "memory": r"machine/memory_percent",
    "cpu": r"machine/cpu_percent",
    "command": r"process/cpu_percent",
    "gpu": r"gpu/\d+/percent",
    "gpu memory": r"gpu/\d+/memory_percent",
}


class Condition:
    """Something that can be true of a run.  It is told of what happens, and asked whether it holds now."""

    timed = False  # whether the passing of time alone, or a sample of the load, can make it true

    def __init__(self, text: str) -> None:
        self.text = text

    def holds(self, now: float) -> bool:
        """Whether it is true now; `now` is in Unix seconds."""
        raise NotImplementedError

    def since(self) -> float:
        """Since when it is true (Unix seconds), where time alone made it so; else long ago."""
        return -math.inf

    def says(self, now: float) -> str:
        """What was seen, for the alert: `loss is nan`."""
        return self.text


class Says(Condition):
    """`says "out of memory"`: true right after such a line; who watches looks for `wanted`.

    Capital letters are as good as small ones, as far as they are ASCII.
    """

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(text)
        self.wanted = wanted.encode().lower()
        self._found: str | None = None

    def line(self, text: str | None) -> None:
        """The line that `wanted` was found in; None once that is over."""
        self._found = text

    def holds(self, now: float) -> bool:
        return self._found is not None

    def says(self, now: float) -> str:
        return f"the console says: {(self._found or '').strip()[:200]}"


class Silent(Condition):
    """`silent for 15m`, from the start of the run or the last output on."""

    timed = True

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self._seconds = seconds
        self._last = math.inf

    def output(self, time: float) -> None:
        """Something was printed at this time, in Unix seconds."""
        self._last = time

    def holds(self, now: float) -> bool:
        return now >= self.since()

    def since(self) -> float:
        return self._last + self._seconds


class Load(Condition):
    """`memory > 95%`, `gpu idle for 10m`: a figure of the load; of several GPUs that of each."""

    timed = True

    def __init__(self, text: str, figure: str, sign: str, number: float, seconds: float, every: bool) -> None:
        """`every` says that it has to be true of all GPUs, not of one."""
        super().__init__(text)
        self._figure = re.compile(FIGURES[figure])
        self._compare, self._number, self._seconds = COMPARE[sign], number, seconds
        self._quantifier = all if every else any
        self._since: float | None = None
        self._time = 0.0
        self._values: list[float] = []

    def sample(self, time: float, values: Mapping[str, float]) -> None:
        """The next sample of the load, at this time in Unix seconds."""
        found = [value for name, value in values.items() if self._figure.fullmatch(name)]
        if not found:
            return
        self._time, self._values = time, found
        if self._quantifier(self._compare(value, self._number) for value in found):
            self._since = time if self._since is None else self._since
        else:
            self._since = None

    def holds(self, now: float) -> bool:
        return self._since is not None and self._time - self._since >= self._seconds

    def since(self) -> float:
        return math.inf if self._since is None else self._since + self._seconds

    def says(self, now: float) -> str:
        return f"{self.text}: {', '.join(f'{value:.0f} %' for value in self._values)}"
