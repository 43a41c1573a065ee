"""The closing block: what the run came to, in a dozen lines.

Sparklines keep at most POINTS values of a metric, each the mean of as many neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from capture.metrics import Series, better, mean, only_counts
from capture.printing import plain
from capture.records import Row, plain_number
from capture.tracker.families import Family, families

WIDTH, NARROW = 24, 10
MOST_METRICS = 14
NOWHERE = -1  # in `console.log`: the program logged it itself
_OTHER_RANK = re.compile(r"rank\d+/")
_BLOCKS = "▁▂▃▄▅▆▇█"


class Place(NamedTuple):
    """Where in the run a value is."""

    epoch: float | None
    step: int | None
    offset: int  # of its line in `console.log`, or NOWHERE

    def __str__(self) -> str:
        if self.epoch is not None:
            return f"epoch {short(self.epoch)}"
        return "" if self.step is None else f"step {self.step}"


class Broken(NamedTuple):
    """A value of a loss that is no finite number."""

    name: str
    value: float
    place: Place


class Summary:
    """What the rows of a run came to."""

    def __init__(self) -> None:
        self.metrics: dict[str, Series] = {}
        self.axes: set[str] = set()
        self.values = 0
        self.broken: Broken | None = None  # the first one
        self.broken_count = 0

    def add(self, row: Row, offset: int = 0) -> None:
        """The next row; `offset` is where its line begins in `console.log`."""
        columns = {*row.axes.values()}
        self.axes |= columns
        place = Place(row.epoch, row.step, offset)
        metrics = self.metrics
        for name, value in row.metrics.items():
            if name not in columns:
                self.values += 1
                series = metrics.get(name)
                if series is None:
                    series = metrics[name] = Series()
                series.add(value, place)
                if value - value != 0 and better(name) == "min":  # not finite
                    self.broken = self.broken or Broken(name, value, place)
                    self.broken_count += 1

    def names(self) -> list[str]:
        """Everything that had a value: metrics, and then their axes."""
        return list(dict.fromkeys([*self.metrics, *sorted(self.axes)]))

    def last(self) -> dict[str, float | str]:
        """The last value of each metric, of the first so many."""
        names = [member.metric for family in self._families() for member in family.members]
        return {name: plain_number(self.metrics[name].last) for name in names[:MOST_METRICS]}

    def table(self) -> list[str]:
        """A line for each family of metrics: last values, how they went, and the best one with its place."""
        shown = self._families()
        width = max((len(family.title) for family in shown[:MOST_METRICS]), default=0)
        lines = [f"  {f.title:{width}}  {self._line(f)}".rstrip() for f in shown[:MOST_METRICS]]
        if more := sum(len(family.members) for family in shown[MOST_METRICS:]):
            lines.append(f"  and {more} more")
        return lines

    def _families(self) -> list[Family]:
        """All metrics; of equal ones of several ranks that of rank 0."""
        return families(
            name
            for name in self.metrics
            if name not in self.axes
            and not only_counts(name)
            and not ((rank := _OTHER_RANK.match(name)) and name[rank.end() :] in self.metrics)
        )

    def _line(self, family: Family) -> str:
        if len(family.members) == 1:
            name = family.members[0].metric
            series = self.metrics[name]
            return f"{short(series.last):>10}  {self._best(name):24}  {sparkline(series.points)}"
        cells = []
        for label, name in family.members:
            series = self.metrics[name]
            cells.append(f"{label} {short(series.last):>8} {sparkline(series.points, NARROW):{NARROW}}")
        label, name = next((m for m in family.members[1:] if self._best(m.metric)), family.members[0])
        best = self._best(name)
        return "  ".join([*cells, f"{label} {best}" if best else ""])

    def _best(self, name: str) -> str:
        series = self.metrics[name]
        best = series.best(name)
        if best is None or series.count == 1:
            return ""
        place = str(series.best_at(name))
        return f"best {short(best)}" + (f" ({place})" if place else "")


def short(value: float) -> str:
    """A number for people: five significant digits."""
    if isinstance(value, int) and abs(value) < 10**9:
        return str(value)
    return f"{value:.5g}"


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Values as a row of blocks, at most `width` of them."""
    if len(values) < 2:
        return ""
    if len(values) > width:
        edges = [round(i * len(values) / width) for i in range(width + 1)]
        values = [mean(values[a:b]) for a, b in pairwise(edges)]
    low = min(values)
    height = max(values) / 8 - low / 8  # that of one block; the whole may be more than a float holds
    if not height:
        return _BLOCKS[0] * len(values)
    return "".join(_BLOCKS[min(7, int(v / height - low / height))] for v in values)


def block(title: str, summary: Summary, notes: Iterable[str]) -> str:
    """The closing block as text."""
    lines = [f"capture: {title}", *summary.table(), *(f"  {note}" for note in notes)]
    return plain("\n".join(lines)) + "\n"


def clock(seconds: float) -> str:
    """A duration for people: 12.4 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
