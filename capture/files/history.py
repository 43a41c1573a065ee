"""What the metrics were when a file was written: for aliases such as `best`, and for a version's metadata."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping
from typing import Any

from capture.files.rules import Rule
from capture.records import Row

GRACE = 1.0  # seconds after a file's last write in which the line that belongs to it may be printed
MOST_PLACES = 100_000  # of each metric that is kept


class History:
    """The values, over time, of the metrics that rules name, and where the run was."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._wanted = {metric for rule in rules for _, metric in rule.aliases.values()}
        self._values: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in self._wanted}
        self._places: tuple[list[float], list[tuple[int | None, float | None]]] = ([], [])
        self._active = any(rule.kind == "file" for rule in rules)

    def add(self, row: Row) -> None:
        """The next row of the run."""
        if not self._active or row.time is None:
            return
        times, places = self._places
        if (row.step, row.epoch) != (None, None) and len(times) < MOST_PLACES:
            times.append(row.time)
            places.append((row.step, row.epoch))
        for wanted, (times, values) in self._values.items():
            value = row.metrics.get(wanted)
            if value is None:
                value = next((v for n, v in row.metrics.items() if n.endswith(f"/{wanted}")), None)
            if value is not None and math.isfinite(value) and len(times) < MOST_PLACES:
                times.append(row.time)
                values.append(value)

    def at(self, time: float) -> dict[str, Any]:
        """What a file's metadata says that was last written at this time, in Unix seconds."""
        found: dict[str, Any] = {}
        times, places = self._places
        if count := bisect.bisect_right(times, time + GRACE):
            step, epoch = places[count - 1]
            found |= {name: v for name, v in (("step", step), ("epoch", epoch)) if v is not None}
        for wanted, (times, values) in self._values.items():
            if count := bisect.bisect_right(times, time + GRACE):
                found[wanted] = values[count - 1]
        return found


def aliases(rule: Rule, metadata: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]]) -> list[str]:
    """The aliases of a version: each goes to the one with the best value so far.

    `earlier` are the metadata of the versions before it.
    """
    found = []
    for alias, (direction, metric) in rule.aliases.items():
        value = metadata.get(metric)
        if value is None:
            continue
        sign = 1 if direction == "max" else -1
        if all(sign * value > sign * item[metric] for item in earlier if metric in item):
            found.append(alias)
    return found
