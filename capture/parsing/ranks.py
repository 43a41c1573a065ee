"""Which ranks of a program of many processes are kept: all of them, the first one, or their mean.

Of a mean there are the least and the highest value beside it (`loss`, `loss_min`, `loss_max`), as long as the
ranks do not all say the same.  A step is complete when each rank that prints these metrics has printed it, or
a later one, or has ended.  How far the others are says nothing: the output of one rank may be read long
before another's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from capture.records import Record

MOST_OPEN = 1000  # steps of one series that wait for a rank, which may never print again
UNSEEN = 60.0  # seconds for which a rank that has never printed these metrics is waited for

_Who = tuple[Any, Any]  # worker and rank


class _Place(NamedTuple):
    """A step as one rank has printed it; `repeat` counts those with the same numbers right before it."""

    step: int | None
    epoch: float | None
    repeat: int

    def is_after(self, other: _Place) -> bool:
        if self.epoch is not None and other.epoch is not None and self.epoch != other.epoch:
            return self.epoch > other.epoch
        if self.step is not None and other.step is not None and self.step != other.step:
            return self.step > other.step
        return self.repeat > other.repeat


@dataclass
class _Step:
    """What the ranks have printed at one step."""

    number: int  # in its series
    place: _Place
    records: dict[_Who, Record] = field(default_factory=dict)

    @property
    def since(self) -> float:
        """When it was first printed, in Unix seconds; infinite where nothing tells it."""
        times = [record.time for record in self.records.values() if record.time is not None]
        return min(times, default=math.inf)


@dataclass
class _Series:
    """The metrics that are printed together, and the steps that are not complete, the oldest first."""

    open: deque[_Step] = field(default_factory=deque)
    steps: int = 0  # so far
    reached: dict[_Who, int] = field(default_factory=dict)  # the number of the last step of each rank
    last: dict[_Who, _Place] = field(default_factory=dict)  # where each rank is
    given: _Place | None = None  # the last step that was complete
    present: set[_Who] = field(default_factory=set)  # ranks that print these, and are not late
    absent: set[_Who] = field(default_factory=set)  # ranks that are not waited for: they don't print these
    differ: set[str] = field(default_factory=set)  # metrics that were not the same in all ranks


class Ranks:
    """Takes the records of all ranks, and gives those that are kept."""

    def __init__(self, how: str, size: int = 0) -> None:
        """`how` is "all", "0" or "mean"; `size` is how many ranks there are, 0 where that is not known."""
        self._how, self._size = how, size
        self._first: Any = None  # the worker that printed first: the first node, or the only one
        self._series: dict[tuple[Any, ...], _Series] = {}
        self._known: dict[_Who, int] = {}  # all ranks that have printed something; by whom each is recorded
        self._ended: set[int] = set()  # recordings that have ended
        self._all_known = False  # no others are waited for
        self._now = -math.inf  # the time of the last record, in Unix seconds
        self._unsure: dict[int, _Series] = {}  # those that wait for ranks which may not print them

    def take(self, records: list[Record]) -> list[Record]:
        """The records to keep now."""
        if self._how == "all":
            return records
        if self._how == "0":
            return [record for record in records if self._is_first(record.context)]
        return [kept for record in records for kept in self._mean(record)]

    def end(self, recording: int) -> list[Record]:
        """The steps that are complete since a rank has ended that records for itself."""
        self._ended.add(recording)
        return [kept for series in [*self._series.values()] for kept in self._settle(series)]

    def finish(self) -> list[Record]:
        """The steps that were not complete when the output ended."""
        left = [(series, step) for series in self._series.values() for step in series.open]
        self._series.clear()
        self._unsure.clear()
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
        apart = sorted((key, str(value)) for key, value in _apart(record).items())
        key = (record.parser, *sorted(record.metrics), *apart)
        series = self._series.setdefault(key, _Series())
        self._known[who] = record.recorded_by
        self._ended.discard(record.recorded_by)
        self._now = -math.inf if record.time is None else record.time
        series.absent.discard(who)
        step = _step_of(series, who, record)
        late = [] if step is not None else [_late(record, who)]
        if step is not None:
            step.records[who] = record
            series.reached[who] = step.number
            series.present.add(who)
        return [*late, *self._settle(series), *self._wait_no_more()]

    def _settle(self, series: _Series) -> Iterator[Record]:
        """The oldest steps, as far as nobody is expected to print them any more."""
        while series.open:
            oldest = series.open[0]
            silent = {
                who
                for who, recording in self._known.items()
                if series.reached.get(who, -1) < oldest.number and recording not in self._ended
            }
            silent -= series.absent
            if self._now > oldest.since + UNSEEN:
                self._all_known = True
                series.absent |= silent - series.present
                silent &= series.present
            if (silent or self._may_be_more(series)) and len(series.open) <= MOST_OPEN:
                break
            series.absent |= silent
            series.present -= silent
            self._all_known = True
            series.given = oldest.place
            yield _mean_of(series, series.open.popleft())
        self._unsure.pop(id(series), None)
        if series.open and (not self._all_known or not self._known.keys() <= series.present | series.absent):
            self._unsure[id(series)] = series

    def _may_be_more(self, series: _Series) -> bool:
        """Whether ranks that have printed nothing yet are expected at the oldest step."""
        if self._size:
            seen = self._ended.union(self._known.values())
            self._all_known = self._all_known or max(len(seen), len(self._known)) >= self._size
        elif len(self._known) > 1 and max(series.reached.values()) > series.open[0].number:
            self._all_known = True
        return not self._all_known

    def _wait_no_more(self) -> Iterator[Record]:
        """The steps that have waited too long for ranks which may not print them."""
        for _ in range(len(self._unsure)):
            series = next(iter(self._unsure.values()))
            if self._now <= series.open[0].since + UNSEEN:
                break
            yield from self._settle(series)


def _step_of(series: _Series, who: _Who, record: Record) -> _Step | None:
    """The step that a rank prints now; None if it was given without this rank, which is late."""
    last = series.last.get(who)
    again = last is not None and last[:2] == (record.step, record.epoch)
    place = _Place(record.step, record.epoch, last.repeat + 1 if last is not None and again else 0)
    series.last[who] = place
    reached = series.reached.get(who, -1)
    first = series.open[0].number if series.open else 0
    for index in range(max(0, reached + 1 - first), len(series.open)):
        if series.open[index].place[:2] == place[:2]:
            return series.open[index]
    if series.given is not None and who not in series.present and not place.is_after(series.given):
        return None
    series.open.append(_Step(series.steps, place))
    series.steps += 1
    return series.open[-1]


def _apart(record: Record) -> dict[str, Any]:
    """What the record says of its source, but for the rank."""
    return {key: value for key, value in record.context.items() if key not in ("worker", "rank")}


def _late(record: Record, who: _Who) -> Record:
    """The record of a rank that is late: never under the name of the mean, whichever rank it is."""
    worker, rank = who
    names = [*([] if worker is None else [str(worker)]), *([] if rank is None else [f"rank{rank}"])]
    return record._replace(context={**_apart(record), "late": "/".join(names)})


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
    config = {name: value for record in records for name, value in record.config.items()}
    return first._replace(metrics=metrics, context={**_apart(first), "ranks": len(records)}, config=config)
