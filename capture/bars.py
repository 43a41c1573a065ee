"""Progress bars: which values belong to which count, and one count that goes on from bar to bar.

tqdm's `set_postfix` draws new values beside the old count; the count follows some values later.  So
values are held until the count has settled.  If exactly as many were drawn as the count then moved
(all of them, or those that were new), each has its own step; if not, only the last one's step is
known, and only that one is given.  Other programs move the count first (`values: behind`), or draw
both at once (`values: exact`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from capture import pairs
from capture.frames import Frame

_NOT_A_NAME = re.compile(r"(?i)\bepochs?\b|\biter(?:ation)?s?\b|\bsteps?\b|\bof\b|[^\w\s]|\d+|_")
MOST_VALUES = 1000  # beside one bar


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
    renewed: set[str] = field(default_factory=set)  # values that follow the count: which have, in this epoch

    def refresh(
        self,
        count: int,
        metrics: Mapping[str, float],
        epoch: float | None,
        total: float | None = None,
        values: str = "ahead",
    ) -> list[tuple[int, float | None, Mapping[str, float]]]:
        """The steps and epochs with their values that this refresh of the bar has made certain.

        `values` says where the values are when the count is drawn: `ahead`, `behind` or `exact`.
        """
        settled = []
        if count < self.count or (epoch != self.epoch and self.epoch is not None and count <= self.count):
            settled = self.finish()
            again = epoch is not None and self.epoch is not None and epoch < self.epoch
            # A bar that goes when it is full may never be drawn full.
            full = total and epoch is not None and epoch != self.epoch and self.count > 0
            self.base = 0 if again else self.base + (int(total) if full and total else self.count)
            self.count, self.renewed = -1, set()
            if values != "behind":
                self.shown = {}
        self.epoch = epoch
        changed = metrics != self.shown
        if values != "ahead":
            given: Mapping[str, float] = {}
            if values == "exact" and (changed or count != self.count):
                given = metrics
            elif values == "behind":
                given = self._fresh(metrics)
                metrics = {**self.shown, **metrics} if len(self.shown) < MOST_VALUES else metrics
            self.count, self.shown = count, metrics
            return [*settled, (self.base + count, epoch, given)] if given and count > 0 else settled
        if metrics and (count == self.count or (self.count < 0 and count == 0)):
            self.drawn.append((metrics, changed))
        elif metrics:
            moved = count - self.count
            every = [] if changed else [m for m, _ in self.drawn]
            new = [] if changed else [m for m, is_new in self.drawn if is_new]
            certain = next((steps for steps in (every, new) if len(steps) == moved), [metrics])
            first = self.base + count - len(certain) + 1
            settled += [(first + i, epoch, m) for i, m in enumerate(certain)]
            self.drawn = []
        self.count, self.shown = count, metrics or self.shown
        return settled

    def _fresh(self, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """What this epoch has renewed, if anything is new.

        A validation's results stay on the bar all through the next epoch, and must not count there.
        """
        new = {name for name, value in metrics.items() if self.shown.get(name) != value}
        self.renewed = (self.renewed | new) & {*metrics, *self.shown}
        return {name: metrics[name] for name in metrics if name in self.renewed} if new else {}

    def finish(self) -> list[tuple[int, float | None, Mapping[str, float]]]:
        """The last values that were drawn, if their count was never shown: each drawing was a step."""
        new = [m for m, is_new in self.drawn if is_new]
        self.drawn = []
        return [(self.base + self.count + len(new), self.epoch, new[-1])] if new else []


def label(description: str) -> str:
    """The name of a bar: its description without numbers, metrics and the words of counting."""
    return " ".join(_NOT_A_NAME.sub(" ", pairs.without(description)).split()).lower()
