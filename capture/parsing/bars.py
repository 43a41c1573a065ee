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

from capture.console.frames import Frame
from capture.language import key_values
from capture.language.shape_cache import ShapeCache

_NOT_A_NAME = re.compile(r"(?i)\bepochs?\b|\biter(?:ation)?s?\b|\bsteps?\b|\bof\b|[^\w\s]|\d+|_")
MOST_VALUES = 1000  # beside one bar


@dataclass
class Bar:
    """One bar on the screen, or a row of bars of the same name that follow each other."""

    base: int = 0  # steps of the bars before this one
    count: int = -1
    epoch: float | None = None
    ended: float | None = None  # the epoch before
    shown: Mapping[str, float] = field(default_factory=dict)
    drawn: list[tuple[Mapping[str, float], bool]] = field(default_factory=list)  # beside this count; new?
    context: Mapping[str, Any] = field(default_factory=dict)
    frame: Frame | None = None  # where it was drawn last
    # Of a bar whose values follow the count:
    redrawn: bool = False  # since the count has moved
    drawings: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    firsts: Mapping[str, int] = field(default_factory=dict)  # changes in the first drawing beside a count
    here: set[str] = field(default_factory=set)  # values that were new beside this count

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
        settled: list[tuple[int, float | None, Mapping[str, float]]] = []
        if count < self.count or (epoch != self.epoch and self.epoch is not None and count <= self.count):
            settled += self.finish()
            again = epoch is not None and self.epoch is not None and epoch < self.epoch
            self.base = 0 if again else self.base + self._length(total, values, epoch != self.epoch)
            self.count = -1
            self.ended = self.epoch
            if values != "behind":
                self.shown = {}
        self.epoch = epoch
        changed = metrics != self.shown
        if values != "ahead":
            given: Mapping[str, float] = {}
            if values == "exact" and (changed or count != self.count):
                given = metrics
            elif values == "behind":
                given = self._fresh(count, metrics)
                metrics = {**self.shown, **metrics} if len(self.shown) < MOST_VALUES else metrics
            self.count, self.shown = count, metrics
            if given and (count > 0 or (self.base and values == "behind")):
                # Results of a validation may be drawn only once the next bar has begun.
                settled.append((self.base + count, epoch if count else self.ended, given))
            return settled
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
            settled += [(first + i, epoch, m) for i, m in enumerate(certain)]
            self.drawn = []
        self.count, self.shown = count, metrics or self.shown
        return settled

    def _length(self, total: float | None, values: str, next_epoch: bool) -> int:
        """How far a bar got that has begun anew: one that goes when it is full may never be drawn full."""
        left = self.frame is not None and self.frame.final and values != "exact"
        whole = total and self.count > 0 and (next_epoch or not left)
        return int(total) if whole and total else max(self.count, 0)

    def _fresh(self, count: int, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """What was drawn for this count: what is new, and what moves with the count.

        A validation's results stay on the bar all through the next epoch.  What moves with the count
        comes in the first drawing after the count has moved, equal values too; or it changes often.
        """
        new = {name for name, value in metrics.items() if self.shown.get(name) != value}
        first = count == self.count and not self.redrawn
        self.redrawn = count == self.count
        self.drawings += 1
        self.changes = {name: self.changes.get(name, 0) + (name in new) for name in metrics}
        self.firsts = {name: self.firsts.get(name, 0) + (first and name in new) for name in metrics}
        self.here = self.here | new if count == self.count else new
        moving = {
            name
            for name, changes in self.changes.items()
            if 4 * changes >= self.drawings or 2 * self.firsts[name] >= max(changes, 4)
        }
        meant = self.here | moving if count else new
        return {name: metrics[name] for name in metrics if name in meant} if new or first else {}

    def finish(self) -> list[tuple[int, float | None, Mapping[str, float]]]:
        """The last values that were drawn, if their count was never shown: each drawing was a step."""
        new = [m for m, is_new in self.drawn if is_new]
        self.drawn = []
        return [(self.base + self.count + len(new), self.epoch, new[-1])] if new else []


@ShapeCache
def label(description: str) -> str:
    """The name of a bar: its description without numbers, metrics and the words of counting."""
    return " ".join(_NOT_A_NAME.sub(" ", key_values.without(description)).split()).lower()
