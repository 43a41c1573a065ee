"""Which ranks of a program of many processes are kept: all of them, the first one, or their mean.

Of a mean there are the least and the highest value beside it (`loss`, `loss_min`, `loss_max`), as long as the
ranks do not all say the same.  A step is complete when each rank that prints these metrics has printed it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from capture.records import Record

MOST_OPEN = 8  # steps of one series that wait for a rank; what comes later than that is a step of its own

_Who = tuple[Any, Any]  # worker and rank


@dataclass
class _Step:
    """What the ranks have printed at one step."""

    position: tuple[int | None, float | None]
    records: dict[_Who, Record] = field(default_factory=dict)


@dataclass
class _Series:
    """The metrics that are printed together, and the steps that are not complete, the oldest first."""

    absent: set[_Who] = field(default_factory=set)  # ranks that are not waited for: they don't print these
    open: list[_Step] = field(default_factory=list)
    differ: set[str] = field(default_factory=set)  # metrics that were not the same in all ranks


class Ranks:
    """Takes the records of all ranks, and gives those that are kept."""

    def __init__(self, how: str, size: int = 0) -> None:
        """`how` is "all", "0" or "mean"; `size` is how many ranks there are, 0 where that is not known."""
        self._how, self._size = how, size
        self._first: Any = None  # the worker that printed first: the first node, or the only one
        self._series: dict[tuple[Any, ...], _Series] = {}
        self._known: set[_Who] = set()  # all ranks
        self._begun = False  # a step has been complete, so that all ranks are known

    def take(self, records: list[Record]) -> list[Record]:
        """The records to keep now."""
        if self._how == "all":
            return records
        if self._how == "0":
            return [record for record in records if self._is_first(record.context)]
        return [kept for record in records for kept in self._mean(record)]

    def finish(self) -> list[Record]:
        """The steps that were not complete when the output ended."""
        left = [(series, step) for series in self._series.values() for step in series.open]
        self._series.clear()
        left.sort(key=lambda pair: min(record.at for record in pair[1].records.values()))
        return [_mean_of(series, step) for series, step in left]

    def _is_first(self, context: Mapping[str, Any]) -> bool:
        worker = context.get("worker")
        if self._first is None and not context.get("rank"):
            self._first = worker
        return not context.get("rank") and worker in (None, self._first)

    def _mean(self, record: Record) -> Iterable[Record]:
        who = (record.context.get("worker"), record.context.get("rank"))
        if who == (None, None) or not record.metrics or record.logged is not None:
            return [record]
        place = (record.step, record.epoch)
        apart = {key: value for key, value in record.context.items() if key not in ("worker", "rank")}
        key = (record.parser, *sorted(record.metrics), *sorted((k, str(v)) for k, v in apart.items()))
        series = self._series.setdefault(key, _Series())
        self._known.add(who)
        series.absent.discard(who)
        step = next((one for one in series.open if one.position == place and who not in one.records), None)
        if step is None:
            step = _Step(place)
            series.open.append(step)
        step.records[who] = record
        return [*self._complete(series)]

    def _complete(self, series: _Series) -> Iterable[Record]:
        """The oldest steps, as far as nobody is expected to print them any more."""
        while series.open:
            oldest = series.open[0]
            later = {who for step in series.open[1:] for who in step.records}
            expected = self._known - oldest.records.keys() - later - series.absent
            more = not self._begun and (not later or len(self._known) == 1)
            if more or len(self._known) < self._size:
                expected.add((None, None))  # there may be more ranks
            if expected and len(series.open) <= MOST_OPEN:
                return
            series.absent |= expected
            self._begun = True
            yield _mean_of(series, series.open.pop(0))


def _mean_of(series: _Series, step: _Step) -> Record:
    records = list(step.records.values())
    first = min(records, key=lambda record: record.at)
    if len(records) == 1:
        return first
    metrics: dict[str, float] = {}
    for name in first.metrics:
        values = [record.metrics[name] for record in records]
        if len(set(values)) > 1:
            series.differ.add(name)
        numbers = [value for value in values if not math.isnan(value)] or values
        metrics[name] = values[0] if len(set(values)) == 1 else sum(values) / len(values)
        if name in series.differ:
            metrics[f"{name}_min"], metrics[f"{name}_max"] = min(numbers), max(numbers)
    context = {key: value for key, value in first.context.items() if key not in ("rank", "worker")}
    config = {name: value for record in records for name, value in record.config.items()}
    return first._replace(metrics=metrics, context={**context, "ranks": len(records)}, config=config)
