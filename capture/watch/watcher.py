"""Evaluates rules over a run while it goes on, and says which have become true.

The same rows, console and load give the same alerts.  After a crash of the tracker everything comes again:
what was fired before is not fired twice.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from capture.records import Row, SystemSample
from capture.watch.conditions import Load, Says, Silent
from capture.watch.of_metrics import OfMetric, Value
from capture.watch.rule_language import Rule

PAUSE = 600.0  # seconds for which a rule that has fired is quiet, unless it says otherwise
_LINE = 500  # bytes of a line that are looked at
_LINE_END = re.compile(rb"[\r\n]")


class Alert(NamedTuple):
    """A rule that has become true.

    `place` is the rule's among the watched ones, `rule` its text, `text` what was seen; `time` is in Unix
    seconds; `ordinal` is that of the row that was read last, and `offset` the place in `console.log` of the
    last text that was looked for, -1 where there is none.
    """

    place: int
    rule: str
    text: str
    time: float
    step: int | None
    epoch: float | None
    ordinal: int
    offset: int


class Watched(NamedTuple):
    """A rule, and for how many seconds it is quiet after it has fired."""

    rule: Rule
    pause: float = PAUSE


class Watcher:
    """The rules of one run."""

    def __init__(
        self,
        watched: Sequence[Watched],
        start: float,
        before: Iterable[Mapping[str, Any]] = (),
        samples: Iterable[SystemSample] = (),
    ) -> None:
        """`start` is the run's, in Unix seconds.

        `before` are the alerts that a tracker before this one has fired, as `alerts.jsonl` holds them, and
        `samples` the load that it saw.
        """
        self._rules = list(watched)
        self._true = [False] * len(self._rules)
        self._last: list[Mapping[str, Any] | None] = [None] * len(self._rules)
        for alert in before:
            for place, one in enumerate(self._rules):
                if one.rule.text == alert.get("rule") and place == alert.get("place", place):
                    self._last[place] = alert
        self._says: list[tuple[int, Says]] = []
        self._of_metrics: list[tuple[int, OfMetric]] = []
        self._silent: list[Silent] = []
        self._load: list[Load] = []
        self._timed: list[int] = []  # rules that time alone can make true
        for place, one in enumerate(self._rules):
            if any(part.timed for part in one.rule.parts):
                self._timed.append(place)
            for part in one.rule.parts:
                if isinstance(part, Says):
                    self._says.append((place, part))
                elif isinstance(part, OfMetric):
                    self._of_metrics.append((place, part))
                elif isinstance(part, Silent):
                    part.output(start)
                    self._silent.append(part)
                elif isinstance(part, Load):
                    self._load.append(part)
        self._by_name: dict[str, list[tuple[int, OfMetric]]] = {}
        self._tails: dict[str, bytes] = defaultdict(bytes)
        self._samples = deque(samples)
        self._time = start
        self._step: int | None = None
        self._epoch: float | None = None
        self._ordinal = self._offset = -1

    def row(self, row: Row) -> list[Alert]:
        """The alerts that a row raises."""
        self._ordinal = row.ordinal
        self._step = row.step if row.step is not None else self._step
        self._epoch = row.epoch if row.epoch is not None else self._epoch
        self._reach(row.time)
        concerned = set()
        for name, value in row.metrics.items():
            parts = self._by_name.get(name)
            if parts is None:
                parts = [(place, part) for place, part in self._of_metrics if part.concerns(name)]
                self._by_name[name] = parts
            for place, part in parts:
                if not part.needs(value):
                    continue
                part.take(Value(name, value, row.step, row.epoch, row.time))
                concerned.add(place)
        return self._check(sorted(concerned), self._time, "ordinal") if concerned else []

    def output(self, data: bytes, offset: int, stream: str, time: float | None) -> list[Alert]:
        """The alerts that a chunk of the console raises; `offset` is its place in `console.log`."""
        self._reach(time)
        for silent in self._silent:
            silent.output(self._time)
        if not self._says:
            return []
        tail = self._tails[stream]
        text = tail + data
        self._tails[stream] = text[max(0, len(text) - _LINE) :]
        lowered = text.lower()
        alerts: list[Alert] = []
        for place, part in self._says:
            at = lowered.find(part.wanted, max(0, len(tail) - len(part.wanted) + 1))
            if at < 0:
                continue
            self._offset = max(self._offset, offset + at - len(tail))
            part.line(_line_around(text, at, len(part.wanted)))
            alerts += self._check([place], self._time, "offset")
            part.line(None)
            self._check([place], self._time, "offset")
        return alerts

    def sample(self, sample: SystemSample) -> list[Alert]:
        """The alerts that a sample of the load raises."""
        self._reach(None, all_samples=True)
        for load in self._load:
            load.sample(sample.time, sample.values)
        return self._check(self._timed, sample.time, "time")

    def tick(self, now: float) -> list[Alert]:
        """The alerts that the passing of time raises, once all that was printed before has been read."""
        if not self._timed:
            return []
        self._reach(None, all_samples=True)
        return self._check(self._timed, now, "time")

    def _reach(self, time: float | None, all_samples: bool = False) -> None:
        """Go on to this time, with the load that a tracker before this one saw."""
        if time is not None and time > self._time:
            self._time = time
        while self._samples and (all_samples or self._samples[0].time <= self._time):
            sample = self._samples.popleft()
            for load in self._load:
                load.sample(sample.time, sample.values)

    def _check(self, places: Collection[int], now: float, by: str) -> list[Alert]:
        alerts = []
        for place in places:
            rule = self._rules[place].rule
            parts = rule.holds(now)
            was, self._true[place] = self._true[place], bool(parts)
            if not parts or was:
                continue
            since = max(part.since() for part in parts)
            if self._is_quiet(place, now, by, now if since == -math.inf else since):
                continue
            text = " and ".join(part.says(now) for part in parts)
            alert = Alert(place, rule.text, text, now, self._step, self._epoch, self._ordinal, self._offset)
            self._last[place] = alert._asdict()
            alerts.append(alert)
        return alerts

    def _is_quiet(self, place: int, now: float, by: str, since: float) -> bool:
        """Whether a rule has fired for this already, or not long ago."""
        last = self._last[place]
        if last is None:
            return False
        position = {"ordinal": self._ordinal, "offset": self._offset, "time": since}[by]
        return bool(position <= last[by] or now - last["time"] < self._rules[place].pause)


def _line_around(text: bytes, at: int, length: int) -> str:
    """The line of what was found; what has not come to its end yet is shown as far as that."""
    start = max(text.rfind(b"\n", 0, at), text.rfind(b"\r", 0, at)) + 1
    end = _LINE_END.search(text, at + length)
    line = text[max(start, at - _LINE) : end.start() if end else at + length]
    return line[: 2 * _LINE].decode("utf-8", "replace")
