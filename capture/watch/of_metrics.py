"""What can be true of the values of a metric: `loss is nan`, `loss rises for 5`.

A rule's name may mean several metrics (`*loss*`, or `loss` for `train/loss` and `val/loss`): each is followed
by itself, and the condition holds if it does for one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

from capture.metrics import better
from capture.watch.comparing import COMPARE
from capture.watch.conditions import Condition


class Span(NamedTuple):
    """How long something has to be so: `unit` is "epochs", "steps", "values" or "seconds"."""

    amount: float
    unit: str


class Value(NamedTuple):
    """A value of a metric, its place in the run and its time (Unix seconds), as far as they are known."""

    name: str
    value: float
    step: int | None
    epoch: float | None
    time: float | None


class Track:
    """The values of one metric, as far as a condition has to remember them."""

    looks_at_all = True  # False: a finite value changes nothing unless the condition is true

    def __init__(self) -> None:
        self.last = Value("", math.nan, None, None, None)

    def take(self, value: Value) -> None:
        """The next value."""
        self.last = value

    def holds(self, now: float) -> bool:
        """Whether the condition is true of this metric; `now` is in Unix seconds."""
        raise NotImplementedError

    def since(self) -> float:
        """As in `Condition`."""
        return -math.inf

    def note(self) -> str:
        """What the alert says beside the rule."""
        return f"{self.last.name} is {self.last.value:g}"


class OfMetric(Condition):
    """A condition on every metric that a name means; `make` makes what follows one of them."""

    def __init__(self, text: str, name: str, make: Callable[[], Track], timed: bool = False) -> None:
        super().__init__(text)
        self.name, self.timed = name, timed
        self._make = make
        self._tracks: dict[str, Track] = {}
        self._looks_at_all = make().looks_at_all
        self._open = False  # a condition that does not look at all values is true

    def concerns(self, name: str) -> bool:
        """Whether it is about the metric of this name."""
        return is_named(name, self.name)

    def take(self, value: Value) -> None:
        """The next value of a metric that it is about."""
        self._open = not self._looks_at_all and (self._open or not math.isfinite(value.value))
        track = self._tracks.get(value.name)
        if track is None:
            track = self._tracks[value.name] = self._make()
        track.take(value)

    def needs(self, value: float) -> bool:
        """Whether it has to be told of a value like this one."""
        return self._looks_at_all or self._open or value - value != 0

    def holds(self, now: float) -> bool:
        return any(track.holds(now) for track in self._tracks.values())

    def since(self) -> float:
        return min((track.since() for track in self._tracks.values()), default=-math.inf)

    def says(self, now: float) -> str:
        notes = [track.note() for track in self._tracks.values() if track.holds(now)]
        return f"{self.text}: {', '.join(notes)}" if notes != [self.text] else self.text


def is_named(name: str, wanted: str) -> bool:
    """Whether a metric is meant: by its name, its last part or a pattern; a space is as good as `_`."""
    if "*" in wanted:
        return fnmatchcase(name, wanted) or fnmatchcase(name.rpartition("/")[2], wanted)
    plain = wanted.replace("_", " ")
    return name.replace("_", " ") == plain or name.rpartition("/")[2].replace("_", " ") == plain


class IsNot(Track):
    """`loss is nan`."""

    looks_at_all = False

    def __init__(self, what: str) -> None:
        super().__init__()
        self._test = {"nan": math.isnan, "inf": math.isinf, "not finite": _is_not_finite}[what]

    def holds(self, now: float) -> bool:
        return self.last.name != "" and self._test(self.last.value)


def _is_not_finite(value: float) -> bool:
    return not math.isfinite(value)


class Compared(Track):
    """`loss > 10`, also `loss > 10 for 5 steps`."""

    def __init__(self, sign: str, number: float, span: Span | None) -> None:
        super().__init__()
        self._compare, self._number, self._span = COMPARE[sign], number, span
        self._first: Value | None = None
        self._count = 0

    def take(self, value: Value) -> None:
        self.last = value
        if self._compare(value.value, self._number):
            self._first = self._first or value
            self._count += 1
        else:
            self._first, self._count = None, 0

    def holds(self, now: float) -> bool:
        if self._first is None:
            return False
        return self._span is None or has_passed(self._span, self._first, self.last, self._count)


class Monotone(Track):
    """`loss rises for 5`: each of so many values is higher than the one before."""

    def __init__(self, rises: bool, span: Span) -> None:
        super().__init__()
        self._rises, self._span = rises, span
        self._first: Value | None = None  # the last one before it began
        self._count = 0

    def take(self, value: Value) -> None:
        before, self.last = self.last, value
        if value.value > before.value if self._rises else value.value < before.value:
            self._first = self._first or before
            self._count += 1
        else:
            self._first, self._count = None, 0

    def holds(self, now: float) -> bool:
        return self._first is not None and has_passed(self._span, self._first, self.last, self._count)


class NoBetter(Track):
    """`val_loss no better for 10 epochs`: lower is better unless its name says otherwise."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self._span = span
        self._best: Value | None = None
        self._count = 0

    def take(self, value: Value) -> None:
        self.last = value
        self._count += 1
        if not math.isfinite(value.value):
            return
        best = self._best
        if best is None or (
            value.value > best.value if better(value.name) == "max" else value.value < best.value
        ):
            self._best, self._count = value, 0

    def holds(self, now: float) -> bool:
        return self._best is not None and has_passed(self._span, self._best, self.last, self._count)

    def note(self) -> str:
        best = f", its best is {self._best.value:g}" if self._best else ""
        return super().note() + best


class Missing(Track):
    """`loss missing for 10m`, once it has been seen."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def holds(self, now: float) -> bool:
        return now >= self.since()

    def since(self) -> float:
        return math.inf if self.last.time is None else self.last.time + self._seconds

    def note(self) -> str:
        return f"the last {self.last.name} was {self.last.value:g}"


def has_passed(span: Span, start: Value, end: Value, count: int) -> bool:
    """Whether the span has passed between two values; what is not known has not passed."""
    if span.unit == "values":
        return count >= span.amount
    field = {"steps": 2, "epochs": 3, "seconds": 4}[span.unit]
    before, after = start[field], end[field]
    return before is not None and after is not None and after - before >= span.amount  # type: ignore[operator]
