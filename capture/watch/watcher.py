"""Evaluates rules over a run while it goes on, and says which have become true.

The same rows, console and load give the same alerts.  After a crash of the tracker everything comes again:
what was fired before is not fired twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from capture.records import Row
from capture.watch.conditions import Condition, Says, Value
from capture.watch.rule_language import Rule

PAUSE = 600.0  # seconds for which a rule that has fired is quiet, unless it says otherwise
_LINE = 500  # bytes of a line that are looked at


class Alert(NamedTuple):
    """A rule that has become true.

    `rule` is its text, `text` what was seen; `time` is in Unix seconds; `ordinal` is that of the row that was
    read last, and `offset` the place in `console.log`.
    """

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

    def __init__(self, watched: Sequence[Watched], before: Iterable[Mapping[str, Any]] = ()) -> None:
        """`before` are the alerts that a tracker before this one has fired, as `alerts.jsonl` holds them."""
        self._rules = list(watched)
        self._true = [False] * len(self._rules)
        self._last: list[Mapping[str, Any] | None] = [None] * len(self._rules)
        names = {one.rule.text: place for place, one in enumerate(self._rules)}
        for alert in before:
            if (place := names.get(str(alert.get("rule")))) is not None:
                self._last[place] = alert
        self._parts = [part for one in self._rules for part in one.rule.parts]
        self._says = [part for part in self._parts if isinstance(part, Says)]
        self._of_metrics: dict[str, list[Condition]] = {}
        self._tails: dict[str, bytes] = {}
        self._step: int | None = None
        self._epoch: float | None = None
        self._ordinal = self._offset = 0

    @property
    def active(self) -> bool:
        """Whether there is anything to watch."""
        return bool(self._rules)

    def row(self, row: Row) -> list[Alert]:
        """The alerts that a row raises."""
        self._ordinal = row.ordinal
        self._step = row.step if row.step is not None else self._step
        self._epoch = row.epoch if row.epoch is not None else self._epoch
        alerts: list[Alert] = []
        for name, value in row.metrics.items():
            if parts := self._parts_for(name):
                item = Value(name, value, row.step, row.epoch, row.time)
                for part in parts:
                    part.value(item)
                alerts += self._check(row.time or 0.0, "ordinal")
        return alerts

    def _parts_for(self, name: str) -> list[Condition]:
        """The conditions on this metric."""
        found = self._of_metrics.get(name)
        if found is None:
            found = self._of_metrics[name] = [part for part in self._parts if part.concerns(name)]
        return found

    def output(self, data: bytes, offset: int, stream: str, time: float) -> list[Alert]:
        """The alerts that a chunk of the console raises; `offset` is its place in `console.log`."""
        for part in self._parts:
            part.output(time)
        if not self._says:
            return []
        tail = self._tails.get(stream, b"")
        text = tail + data
        lowered = text.lower()
        self._tails[stream] = text[text.rfind(b"\n") + 1 :][-_LINE:]
        alerts: list[Alert] = []
        for part in self._says:
            at = lowered.find(part.wanted.encode(), max(0, len(tail) - len(part.wanted.encode()) + 1))
            if at < 0:
                continue
            self._offset = offset + max(0, at - len(tail))
            start = text.rfind(b"\n", 0, at) + 1
            end = text.find(b"\n", at)
            line = text[max(start, at - _LINE) : end if end >= 0 else len(text)][: 2 * _LINE]
            part.line(line.decode("utf-8", "replace"))
            alerts += self._check(time, "offset")
            part.line(None)
            self._check(time, "offset")
        return alerts

    def sample(self, time: float, values: Mapping[str, float]) -> list[Alert]:
        """The alerts that a sample of the load raises."""
        for part in self._parts:
            part.sample(time, values)
        return self._check(time, "time")

    def tick(self, now: float) -> list[Alert]:
        """The alerts that the passing of time raises."""
        return self._check(now, "time")

    def _check(self, now: float, by: str) -> list[Alert]:
        alerts = []
        for place, one in enumerate(self._rules):
            parts = one.rule.holds(now)
            was, self._true[place] = self._true[place], bool(parts)
            if not parts or was or self._is_quiet(place, now, by):
                continue
            text = " and ".join(part.says() for part in parts)
            alert = Alert(one.rule.text, text, now, self._step, self._epoch, self._ordinal, self._offset)
            self._last[place] = alert._asdict()
            alerts.append(alert)
        return alerts

    def _is_quiet(self, place: int, now: float, by: str) -> bool:
        """Whether a rule has fired here already, or not long ago."""
        last = self._last[place]
        if last is None:
            return False
        position = {"ordinal": self._ordinal, "offset": self._offset, "time": now}[by]
        return bool(position <= last[by] or now - last["time"] < self._rules[place].pause)
