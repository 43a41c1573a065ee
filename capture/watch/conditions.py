"""What can be true of a run while it goes on: conditions on metrics, on the console and on the load."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from capture.metrics import better

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "=": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip
IDLE_PERCENT = 5.0  # below this share a processor does nothing that counts
# What the load is called in rules, and in the samples.
_LOAD = {
    "memory": r"machine/memory_percent",
    "cpu": r"machine/cpu_percent",
    "command": r"process/cpu_percent",
    "gpu": r"gpu/\d+/percent",
    "gpu memory": r"gpu/\d+/memory_percent",
}


class Span(NamedTuple):
    """How long a condition has to hold: `unit` is "epochs", "steps", "values" or "seconds"."""

    amount: float
    unit: str


class Value(NamedTuple):
    """A value of a metric, its place in the run and its time (Unix seconds), as far as they are known."""

    name: str
    value: float
    step: int | None
    epoch: float | None
    time: float | None


class Condition:
    """Something that can be true of a run.  It is told of what happens, and asked whether it holds now."""

    def __init__(self, text: str) -> None:
        self.text = text

    def concerns(self, name: str) -> bool:
        """Whether it is about the metric of this name."""
        return False

    def value(self, value: Value) -> None:
        """The next value of a metric that it is about."""

    def line(self, text: str | None) -> None:
        """A line of the console that `wanted` was found in; None once that is over."""

    def output(self, time: float) -> None:
        """Something was printed, at this time in Unix seconds."""

    def sample(self, time: float, values: Mapping[str, float]) -> None:
        """The next sample of the load."""

    def holds(self, now: float) -> bool:
        """Whether it is true now; `now` is in Unix seconds."""
        raise NotImplementedError

    def says(self) -> str:
        """What was seen, for the alert: `loss is nan`."""
        return self.text


def is_named(name: str, wanted: str) -> bool:
    """Whether a metric is meant: by its name, its last part or a pattern; a space is as good as `_`."""
    if "*" in wanted:
        return fnmatchcase(name, wanted)
    plain = wanted.replace("_", " ")
    return (
        name == wanted
        or name.replace("_", " ") == plain
        or name.rpartition("/")[2].replace("_", " ") == plain
    )


class _OfMetric(Condition):
    """A condition on the values of one metric."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name
        self.last: Value | None = None

    def concerns(self, name: str) -> bool:
        return is_named(name, self.name)

    def value(self, value: Value) -> None:
        self.last = value
        self.next(value)

    def next(self, value: Value) -> None:
        """The next value, for those that remember more than the last one."""


class IsNot(_OfMetric):
    """`loss is nan`."""

    def __init__(self, text: str, name: str, what: str) -> None:
        super().__init__(text, name)
        self._test = {"nan": math.isnan, "inf": math.isinf, "not finite": _is_not_finite}[what]

    def holds(self, now: float) -> bool:
        return self.last is not None and self._test(self.last.value)

    def says(self) -> str:
        return f"{self.last.name} is {self.last.value:g}" if self.last else self.text


def _is_not_finite(value: float) -> bool:
    return not math.isfinite(value)


class Compared(_OfMetric):
    """`loss > 10`, also `loss > 10 for 5 steps`."""

    def __init__(self, text: str, name: str, sign: str, number: float, span: Span | None) -> None:
        super().__init__(text, name)
        self._compare, self._number, self._span = _COMPARE[sign], number, span
        self._since: Value | None = None
        self._count = 0

    def next(self, value: Value) -> None:
        if not self._compare(value.value, self._number):
            self._since, self._count = None, 0
            return
        self._since = self._since or value
        self._count += 1

    def holds(self, now: float) -> bool:
        if self._since is None or self.last is None:
            return False
        return (
            self._span is None
            or _passed(self._since, self.last, self._count, now)[self._span.unit] >= self._span.amount
        )

    def says(self) -> str:
        return f"{self.text}: it is {self.last.value:g}" if self.last else self.text


class Monotone(_OfMetric):
    """`loss rises for 5`: each of so many values is higher than the one before."""

    def __init__(self, text: str, name: str, rises: bool, span: Span) -> None:
        super().__init__(text, name)
        self._rises, self._span = rises, span
        self._before: float | None = None
        self._since: Value | None = None
        self._count = 0

    def next(self, value: Value) -> None:
        before, self._before = self._before, value.value
        if before is not None and (value.value > before if self._rises else value.value < before):
            self._since = self._since or value
            self._count += 1
        else:
            self._since, self._count = None, 0

    def holds(self, now: float) -> bool:
        if self._since is None or self.last is None:
            return False
        return _passed(self._since, self.last, self._count, now)[self._span.unit] >= self._span.amount

    def says(self) -> str:
        return f"{self.text}: it is {self._before:g}"


class NoBetter(_OfMetric):
    """`val_loss no better for 10 epochs`."""

    def __init__(self, text: str, name: str, span: Span) -> None:
        super().__init__(text, name)
        self._span = span
        self._best: Value | None = None
        self._count = 0

    def next(self, value: Value) -> None:
        self._count += 1
        if not math.isfinite(value.value):
            return
        largest = better(value.name) == "max"
        if self._best is None or (
            value.value > self._best.value if largest else value.value < self._best.value
        ):
            self._best, self._count = value, 0

    def holds(self, now: float) -> bool:
        if self._best is None or self.last is None:
            return False
        return _passed(self._best, self.last, self._count, now)[self._span.unit] >= self._span.amount

    def says(self) -> str:
        return f"{self.text}: its best is {self._best.value:g}" if self._best else self.text


class Missing(_OfMetric):
    """`loss missing for 10m`, once it has been seen."""

    def __init__(self, text: str, name: str, seconds: float) -> None:
        super().__init__(text, name)
        self._seconds = seconds

    def holds(self, now: float) -> bool:
        return self.last is not None and self.last.time is not None and now - self.last.time >= self._seconds


class Says(Condition):
    """`says "out of memory"`: true right after such a line; who watches looks for `wanted`."""

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(text)
        self.wanted = wanted.lower()
        self._found: str | None = None

    def line(self, text: str | None) -> None:
        self._found = text

    def holds(self, now: float) -> bool:
        return self._found is not None

    def says(self) -> str:
        return f"the console says: {(self._found or '').strip()[:200]}"


class Silent(Condition):
    """`silent for 15m`, once something was printed."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self._seconds = seconds
        self._last: float | None = None

    def output(self, time: float) -> None:
        self._last = time

    def holds(self, now: float) -> bool:
        return self._last is not None and now - self._last >= self._seconds


class Load(Condition):
    """`memory > 95%`, `gpu idle for 10m`: a figure of the load, of several GPUs that of each."""

    def __init__(self, text: str, figure: str, sign: str, number: float, seconds: float, every: bool) -> None:
        """`every` says that it has to be true of all GPUs, not of one."""
        super().__init__(text)
        self._figure = re.compile(_LOAD[figure])
        self._compare, self._number, self._seconds = _COMPARE[sign], number, seconds
        self._quantifier = all if every else any
        self._since: float | None = None
        self._time = 0.0
        self._values: list[float] = []

    def sample(self, time: float, values: Mapping[str, float]) -> None:
        found = [value for name, value in values.items() if self._figure.fullmatch(name)]
        if not found:
            return
        self._time, self._values = time, found
        if self._quantifier(self._compare(value, self._number) for value in found):
            self._since = time if self._since is None else self._since
        else:
            self._since = None

    def holds(self, now: float) -> bool:
        return self._since is not None and self._time - self._since >= self._seconds

    def says(self) -> str:
        return f"{self.text}: {', '.join(f'{value:.0f} %' for value in self._values)}"


def _passed(start: Value, end: Value, count: int, now: float) -> dict[str, float]:
    """What has passed between two values, in each unit; what is not known has not passed."""
    never = -math.inf
    return {
        "values": count,
        "steps": end.step - start.step if start.step is not None and end.step is not None else never,
        "epochs": end.epoch - start.epoch if start.epoch is not None and end.epoch is not None else never,
        "seconds": (end.time or now) - start.time if start.time is not None else never,
    }
