"""Progress bars: which values belong to which count, and one count that goes on from bar to bar.

tqdm's `set_postfix` draws new values beside the old count; the count follows some values later.  So
values are held until the count has settled.  If exactly as many were drawn as the count then moved,
each has its own step; if not, only the last one's step is known, and only that one is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from capture import pairs
from capture.frames import Frame

_NOT_A_NAME = re.compile(r"(?i)\bepochs?\b|\biter(?:ation)?s?\b|\bsteps?\b|\bof\b|[^\w\s]|\d+|_")


@dataclass
class Bar:
    """One bar on the screen, or a row of bars of the same name that follow each other."""

    base: int = 0  # steps of the bars before this one
    count: int = -1
    epoch: float | None = None
    shown: Mapping[str, float] = field(default_factory=dict)
    unsettled: list[Mapping[str, float]] = field(default_factory=list)
    context: Mapping[str, Any] = field(default_factory=dict)
    frame: Frame | None = None  # where it was drawn last

    def refresh(
        self, count: int, metrics: Mapping[str, float], epoch: float | None
    ) -> list[tuple[int, Mapping[str, float]]]:
        """The steps with their values that this refresh of the bar has made certain."""
        settled = []
        if count < self.count or (epoch != self.epoch and self.epoch is not None and count <= self.count):
            settled = self.finish()
            again = epoch is not None and self.epoch is not None and epoch < self.epoch
            self.base = 0 if again else self.base + self.count
            self.count, self.shown = -1, {}
        self.epoch = epoch
        changed = bool(metrics) and metrics != self.shown
        if count == self.count or (self.count < 0 and changed and count == 0):
            if changed:
                self.unsettled.append(metrics)
        elif metrics:
            if changed or len(self.unsettled) != count - self.count:
                self.unsettled = [metrics]
            first = count - len(self.unsettled) + 1
            settled += [(self.base + first + i, m) for i, m in enumerate(self.unsettled)]
            self.unsettled = []
        self.count, self.shown = count, metrics or self.shown
        return settled

    def finish(self) -> list[tuple[int, Mapping[str, float]]]:
        """The last values that were drawn, if their count was never shown: each drawing was a step."""
        if not self.unsettled:
            return []
        step = self.base + self.count + len(self.unsettled)
        last, self.unsettled = self.unsettled[-1], []
        return [(step, last)]


def label(description: str) -> str:
    """The name of a bar: its description without numbers, metrics and the words of counting."""
    return " ".join(_NOT_A_NAME.sub(" ", pairs.without(description)).split()).lower()
