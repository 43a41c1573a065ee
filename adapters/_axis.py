"""The place of a metric on the x-axis of backends that know one axis only, of whole numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from capture.records import Row

_MOST = 2**53  # beyond it a double no longer counts by ones


class Steps:
    """Places the metrics of a run's rows."""

    def __init__(self) -> None:
        self._unfit: set[str] = set()  # columns with values between whole numbers, such as epoch 0.5

    def of(self, row: Row) -> Iterator[tuple[str, int, float]]:
        """Name, step and value of each metric.

        The step is the value of the column that the metric is drawn over, which is then no metric itself;
        where that is no whole number it is the program's step, and else the row's number.
        """
        self._unfit |= {column for column in row.axes.values() if not _whole(row.metrics[column])}
        axes = {name: column for name, column in row.axes.items() if column not in self._unfit}
        other = row.step if row.step is not None and _whole(row.step) else row.ordinal
        for name, value in row.metrics.items():
            if name in axes:
                yield name, int(row.metrics[axes[name]]), _double(value)
            elif name not in axes.values():
                yield name, other, _double(value)


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 300 digits
        return math.inf if value > 0 else -math.inf


def _whole(value: float) -> bool:
    return abs(value) < _MOST and value == int(value)
