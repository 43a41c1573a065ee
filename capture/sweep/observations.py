"""What a running trial says of its metric, read from its run's folder as it grows."""

from __future__ import annotations

import math
from pathlib import Path

from capture import runs
from capture.delivery.naming import Namer
from capture.metrics import Series
from capture.records import from_json


class Observations:
    """The values of one metric so far, and which other metrics there are.

    The metric is meant by its name or by the last part of it: `val_loss` for `epoch/val_loss`.  What is not
    finite is no value.
    """

    def __init__(self, folder: Path, metric: str | None, maximize: bool) -> None:
        self._path = folder / runs.RECORDS
        self._metric, self._maximize = metric, maximize
        self._namer = Namer({}, {})
        self._offset = self._ordinal = 0
        self._name: str | None = None  # the metric's in this run
        self.series = Series()
        self.others: dict[str, None] = {}  # all metrics, in their order

    @property
    def best(self) -> float | None:
        """The best value."""
        if self.series.lowest > self.series.highest:
            return None
        return self.series.highest if self._maximize else self.series.lowest

    @property
    def last(self) -> float | None:
        """The last value."""
        return self.series.last if self.series.count else None

    def read(self) -> list[tuple[int, float]]:
        """The new values, each with its number, from 1."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        found = []
        for line in whole.splitlines():
            self._ordinal += 1
            try:
                row = self._namer.row(self._ordinal, from_json(line))
            except (ValueError, KeyError, TypeError, IndexError, AttributeError):
                continue
            for name, value in row.metrics.items():
                self.others.setdefault(name)
                if self._is_meant(name) and math.isfinite(value):
                    self.series.add(value)
                    found.append((self.series.count, value))
        return found

    def _is_meant(self, name: str) -> bool:
        if self._name is None and self._metric is not None:
            wanted = self._metric.replace("_", " ")
            if wanted in (name.replace("_", " "), name.rpartition("/")[2].replace("_", " ")):
                self._name = name
        return name == self._name
