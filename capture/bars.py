"""Progress bars: which values belong to which count, and one count that goes on from bar to bar.

tqdm's `set_postfix` draws new values beside the old count; the count follows some values later.  So
values are held until the count has settled.  If exactly as many were drawn as the count then moved
(all of them, or those that were new), each has its own step; if not, only the last one's step is
known, and only that one is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from capture import pairs
from capture.frames import Frame
from capture.shapes import ByShape

_NOT_A_NAME = re.compile(r"(?i)\bepochs?\b|\biter(?:ation)?s?\b|\bsteps?\b|\bof\b|[^\w\s]|\d+|_")


@dataclass
class Bar:
    """One bar on the screen, or a row of bars of the same name that follow each other."""

    base: int = 0  # steps of the bars before this one
    count: int = -1
    epoch: float | None = None
    shown: Mapping[str, float] = field(default_factory=dict)
    drawn: list[tuple[Mapping[str, float], bool]] = field(default_factory=list)  # beside this count; new?
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
        changed = metrics != self.shown
        if metrics and (count == self.count or (self.count < 0 and count == 0)):
            self.drawn.append((metrics, changed))
        elif metrics:
            moved = count - self.count
            certain = [metrics]
            if self.drawn and not changed:
                every = [m for m, _ in self.drawn]
                new = [m for m, is_new in self.drawn if is_new]
                certain = next((steps for steps in (every, new) if len(steps) == moved), [metrics])
            first = self.base + count - len(certain) + 1
            settled += [(first + i, m) for i, m in enumerate(certain)]
            self.drawn = []
        self.count, self.shown = count, metrics or self.shown
        return settled

    def finish(self) -> list[tuple[int, Mapping[str, float]]]:
        """The last values that were drawn, if their count was never shown: each drawing was a step."""
        new = [m for m, is_new in self.drawn if is_new]
        self.drawn = []
        return [(self.base + self.count + len(new), new[-1])] if new else []


@ByShape
def label(description: str) -> str:
    """The name of a bar: its description without numbers, metrics and the words of counting."""
    return " ".join(_NOT_A_NAME.sub(" ", pairs.without(description)).split()).lower()
