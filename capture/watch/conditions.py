"""The language of alerts and stop rules.

    loss is nan                    a metric: nan, inf, or `is not finite`
    loss > 10                      compared with a number: > >= < <= == !=
    loss rises for 5               its last 5 values, each higher than the one before; `falls` as well
    val_loss no better for 10 epochs      epochs, steps, values, or a time: 30s 15m 2h
    loss missing for 10m           it was printed before, but not for so long
    says "CUDA out of memory"      a line of the console holds this text
    silent for 15m                 nothing was printed for so long
    gpu idle for 10m               the load: `gpu`, `cpu`
    memory > 95%                   `memory`, `gpu memory`, `cpu`, `gpu`, each in percent; may end in `for 5m`

A metric is called by its name or its last part.  Conditions are joined by `and` and `or`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from capture.errors import UserError
from capture.metrics import better

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
_UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
_SPAN = r"for\s+(?P<span>\d+(?:\.\d+)?\s*[a-z]*)"
_IDLE_PERCENT = 5.0  # below this share a processor does nothing that counts

# What the load is called in rules, and in the samples.
_LOAD = {
    "memory": r"machine/memory_percent",
    "cpu": r"machine/cpu_percent",
    "gpu": r"gpu/\d+/utilization_percent",
    "gpu memory": r"gpu/\d+/memory_percent",
}


class Span(NamedTuple):
    """How long a condition has to hold: `unit` is "epochs", "steps", "values" or "seconds"."""

    amount: float
    unit: str


class Value(NamedTuple):
    """A value of a metric, with its place in the run and its time in Unix seconds, as far as they are known."""

    name: str
    value: float
    step: int | None
    epoch: float | None
    time: float | None


class Condition(Protocol):
    """Something that can be true of a run; `holds` is asked after each event that may concern it."""

    def value(self, value: Value) -> None:
        """The next value of any metric."""

    def line(self, text: str) -> None:
        """The next line of the console."""

    def sample(self, time: float, values: Mapping[str, float]) -> None:
        """The next sample of the load."""

    def holds(self, now: float) -> bool:
        """Whether it is true now; `now` is in Unix seconds."""

    def says(self) -> str:
        """What was seen, for the alert: `loss is nan`."""


class _Base:
    """Ignores everything; a condition overrides what concerns it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def value(self, value: Value) -> None:
        pass

    def line(self, text: str) -> None:
        pass

    def sample(self, time: float, values: Mapping[str, float]) -> None:
        pass

    def holds(self, now: float) -> bool:
        return False

    def says(self) -> str:
        return self.text


def is_named(name: str, wanted: str) -> bool:
    """Whether a metric is meant by its name or its last part; spaces and underscores are alike."""
    plain = wanted.replace("_", " ")
    return name == wanted or name.replace("_", " ") == plain or name.rpartition("/")[2].replace("_", " ") == plain


class _OfMetric(_Base):
    """A condition on the values of one metric."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name
        self.last: Value | None = None

    def value(self, value: Value) -> None:
        if is_named(value.name, self.name):
            self.last = value
            self.next(value)

    def next(self, value: Value) -> None:
        """The next value of this metric."""


class IsNot(_OfMetric):
    """`loss is nan`."""

    def __init__(self, text: str, name: str, what: str) -> None:
        super().__init__(text, name)
        self._test = {"nan": math.isnan, "inf": math.isinf, "not finite": lambda value: not math.isfinite(value)}[what]

    def holds(self, now: float) -> bool:
        return self.last is not None and self._test(self.last.value)

    def says(self) -> str:
        return f"{self.last.name} is {self.last.value:g}" if self.last else self.text


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
        return self._span is None or _passed(self._since, self.last, self._count, now) [self._span.unit] >= self._span.amount

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
        if self._best is None or (value.value > self._best.value if largest else value.value < self._best.value):
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


class Says(_Base):
    """`says "out of memory"`: true right after such a line."""

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(text)
        self._wanted = wanted.lower()
        self._found = ""

    def line(self, text: str) -> None:
        self._found = text if self._wanted in text.lower() else ""

    def holds(self, now: float) -> bool:
        return bool(self._found)

    def says(self) -> str:
        return f"the console says: {self._found.strip()[:200]}"


class Silent(_Base):
    """`silent for 15m`: the clock of the last output is set by who watches."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self._seconds = seconds
        self.last_output: float | None = None

    def holds(self, now: float) -> bool:
        return self.last_output is not None and now - self.last_output >= self._seconds


class Load(_Base):
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


class Any_:
    """Several conditions: one of `groups` has to hold, of which every part does."""

    def __init__(self, text: str, groups: list[list[Condition]]) -> None:
        self.text = text
        self._groups = groups
        self.parts = [part for group in groups for part in group]

    def holds(self, now: float) -> list[Condition]:
        """The parts by which it holds now; empty if it doesn't."""
        for group in self._groups:
            if all(part.holds(now) for part in group):
                return group
        return []


_FORMS: list[tuple[str, Callable[[str, re.Match[str]], Condition]]] = [
    (r"says\s+(?P<quote>[\"'])(?P<words>.+)(?P=quote)", lambda text, m: Says(text, m["words"])),
    (rf"silent\s+{_SPAN}", lambda text, m: Silent(text, _seconds(text, m["span"]))),
    (
        rf"(?P<figure>gpu|cpu)\s+idle\s+{_SPAN}",
        lambda text, m: Load(text, m["figure"], "<", _IDLE_PERCENT, _seconds(text, m["span"]), True),
    ),
    (
        rf"(?P<figure>gpu memory|memory|cpu|gpu)\s*(?P<sign>[<>]=?)\s*(?P<number>{_NUMBER})\s*%(?:\s+{_SPAN})?",
        lambda text, m: Load(text, m["figure"], m["sign"], float(m["number"]),
                             _seconds(text, m["span"]) if m["span"] else 0.0, False),
    ),
    (
        r"(?P<name>.+?)\s+is\s+(?P<what>nan|inf|not finite)",
        lambda text, m: IsNot(text, m["name"], m["what"]),
    ),
    (
        rf"(?P<name>.+?)\s+(?P<way>rises|falls)\s+{_SPAN}",
        lambda text, m: Monotone(text, m["name"], m["way"] == "rises", _span(text, m["span"])),
    ),
    (rf"(?P<name>.+?)\s+no better\s+{_SPAN}", lambda text, m: NoBetter(text, m["name"], _span(text, m["span"]))),
    (rf"(?P<name>.+?)\s+missing\s+{_SPAN}", lambda text, m: Missing(text, m["name"], _seconds(text, m["span"]))),
    (
        rf"(?P<name>.+?)\s*(?P<sign>[<>=!]=|[<>=])\s*(?P<number>{_NUMBER})(?:\s+{_SPAN})?",
        lambda text, m: Compared(text, m["name"], m["sign"], float(m["number"]), _span(text, m["span"]) if m["span"] else None),
    ),
]  # fmt: skip


def parse(text: str) -> Any_:
    """The condition that a text states.  Raises UserError with what would be right."""
    groups = [[_one(part) for part in _split(group, "and")] for group in _split(text, "or")]
    return Any_(text.strip(), groups)


def _split(text: str, word: str) -> list[str]:
    """The parts between a word, but for those inside quotes."""
    return [part.strip() for part in re.split(rf"\s+{word}\s+(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)]


def _one(text: str) -> Condition:
    for form, make in _FORMS:
        if match := re.fullmatch(form, text.strip(), re.I if form.startswith(("says", "silent")) else 0):
            return make(text.strip(), match)
    raise UserError(
        f"{text!r} is no rule; rules look like: loss is nan, loss > 10, loss rises for 5, val_loss no better for "
        'ten epochs (10 epochs), says "out of memory", silent for 15m, gpu idle for 10m, memory > 95%'
    )


def _span(text: str, span: str) -> Span:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", span)
    amount, unit = (float(match[1]), match[2]) if match else (0.0, "?")
    if unit in ("", "value", "values", "times"):
        return Span(amount, "values")
    if unit in ("epoch", "epochs", "step", "steps"):
        return Span(amount, unit.rstrip("s") + "s")
    if unit.rstrip("s") in _UNITS or unit in _UNITS:
        return Span(amount * _UNITS[unit if unit in _UNITS else unit.rstrip("s")], "seconds")
    raise UserError(f"{text!r}: for {span}: should be a number of epochs, steps or values, or a time such as 30s, 15m, 2h")


def _seconds(text: str, span: str) -> float:
    found = _span(text, span)
    if found.unit != "seconds":
        raise UserError(f"{text!r}: for {span}: should be a time, such as 30s, 15m or 2h")
    return found.amount
