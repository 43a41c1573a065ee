"""The closing block: what the run came to, in a dozen lines.

Sparklines keep at most POINTS values of a metric, each the mean of as many neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from capture.metrics import Series, mean
from capture.records import Row, plain_number

WIDTH = 24
MOST_METRICS = 14
_OTHER_RANK = re.compile(r"rank\d+/")
_BLOCKS = "▁▂▃▄▅▆▇█"


class Summary:
    """What the rows of a run came to."""

    def __init__(self) -> None:
        self.metrics: dict[str, Series] = {}
        self.axes: set[str] = set()
        self.values = 0

    def add(self, row: Row) -> None:
        """The next row."""
        columns = {*row.axes.values()}
        self.axes |= columns
        for name, value in row.metrics.items():
            if name not in columns:
                self.values += 1
                series = self.metrics.get(name)
                if series is None:
                    series = self.metrics[name] = Series()
                series.add(value)

    def last(self) -> dict[str, float | str]:
        """The last value of each metric, of the first so many."""
        shown = [(name, series.last) for name, series in self.metrics.items() if name not in self.axes]
        return {name: plain_number(value) for name, value in shown[:MOST_METRICS]}

    def table(self) -> list[str]:
        """A line for each metric: last value, best value, how it went; of equal ones that of rank 0."""
        shown = {
            name: series
            for name, series in self.metrics.items()
            if name not in self.axes
            and not ((rank := _OTHER_RANK.match(name)) and name[rank.end() :] in self.metrics)
        }
        names = list(shown)[:MOST_METRICS]
        width = max((len(name) for name in names), default=0)
        lines = []
        for name in names:
            series = shown[name]
            best = series.best(name)
            text = "" if best is None or series.count == 1 else f"best {short(best)}"
            lines.append(
                f"  {name:{width}}  {short(series.last):>10}  {text:15}  {sparkline(series.points)}".rstrip()
            )
        if len(shown) > len(names):
            lines.append(f"  and {len(shown) - len(names)} more")
        return lines


def short(value: float) -> str:
    """A number for people: five significant digits."""
    if isinstance(value, int) and abs(value) < 10**9:
        return str(value)
    return f"{value:.5g}"


def sparkline(values: Sequence[float]) -> str:
    """Values as a row of blocks, at most WIDTH of them."""
    if len(values) < 2:
        return ""
    if len(values) > WIDTH:
        edges = [round(i * len(values) / WIDTH) for i in range(WIDTH + 1)]
        values = [mean(values[a:b]) for a, b in pairwise(edges)]
    low = min(values)
    height = max(values) / 8 - low / 8  # that of one block; the whole may be more than a float holds
    if not height:
        return _BLOCKS[0] * len(values)
    return "".join(_BLOCKS[min(7, int(v / height - low / height))] for v in values)


def block(title: str, summary: Summary, notes: Iterable[str]) -> str:
    """The closing block as text."""
    return "\n".join([f"capture: {title}", *summary.table(), *(f"  {note}" for note in notes)]) + "\n"


def clock(seconds: float) -> str:
    """A duration for people: 12.4 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
