"""What a format says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capture import bars, pairs
from capture.expressions import Expression
from capture.formats import Format, Naming, Outcome, Pattern
from capture.frames import Frame
from capture.patterns import Matcher
from capture.shapes import ByShape
from capture.values import Value, literal

# Where in the run a line stands: never metrics.
KNOWN = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])
MOST_NAMES = 1000
Memory = dict[str, Value]


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class Reading:
    """What one frame means, before it becomes a record."""

    step: int | None = None
    epoch: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Reading()


def expressions(sources: Sequence[str]) -> list[Expression]:
    """The compiled expressions."""
    return [Expression(source) for source in sources]


def first_known(attempts: Sequence[Expression], names: Mapping[str, Value]) -> Any:
    """The value of the first expression whose names are all known; None if there is none."""
    for attempt in attempts:
        value = attempt.value(names)
        if value is not None:
            return value
    return None


class _Names(dict[str, str]):
    """New names of metrics, found out once for each."""

    def __init__(self, rename: Mapping[str, str], prefix: str) -> None:
        self._rename, self._prefix = rename, prefix

    def __missing__(self, name: str) -> str:
        if len(self) >= MOST_NAMES:  # a program that prints ever new ones
            self.clear()
        self[name] = new = self._prefix + self._rename.get(name, name)
        return new


class Renaming:
    """Names and values of metrics changed as `rename:`, `drop:` and `scale:` say, the inner ones first."""

    def __init__(self, *namings: Naming, prefix: str = "") -> None:
        self.rename: dict[str, str] = {}
        self.scale: dict[str, float] = {}
        self.drop: set[str] = set()
        for naming in reversed(namings):
            self.rename |= naming.rename
            self.scale |= naming.scale
            self.drop |= set(naming.drop)
        self._names = _Names(self.rename, prefix)

    def __call__(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics under their new names."""
        if self.drop or self.scale:
            metrics = {n: v * self.scale.get(n, 1) for n, v in metrics.items() if n not in self.drop}
        names = self._names
        # Always the same NaN: it equals itself in a dict, so a bar's NaN is not new each time.
        return {names[n]: v if v == v else math.nan for n, v in metrics.items()}


class Case:
    """One meaning that a pattern may have."""

    def __init__(self, outcome: Outcome, pattern: Pattern, form: Format) -> None:
        self.outcome = outcome
        self.conditions = expressions([*pattern.if_, *outcome.if_])
        self.exceptions = expressions([*pattern.unless, *outcome.unless])
        # What only asks whether a name is known is cheap, and asked first.
        self.known = frozenset(c.name for c in self.conditions if c.name)
        self.unknown = frozenset(c.name for c in self.exceptions if c.name)
        self.computed = [c for c in self.conditions if not c.name]
        self.excluded = [c for c in self.exceptions if not c.name]
        self.when = outcome.when or pattern.when
        self.as_ = outcome.as_ if "as_" in outcome.model_fields_set else pattern.as_
        self.step = expressions(outcome.step or pattern.step)
        self.epoch = expressions(outcome.epoch or pattern.epoch)
        self.derive = {name: Expression(e) for name, e in {**pattern.derive, **outcome.derive}.items()}
        self.remember = {name: Expression(e) for name, e in {**pattern.remember, **outcome.remember}.items()}
        self.forget = [*pattern.forget, *outcome.forget]
        self.prefix = outcome.prefix or pattern.prefix
        self.context = [*pattern.context, *outcome.context]
        self.bar = pattern.bar
        self.renaming = Renaming(outcome, pattern, form, prefix=self.prefix)
        used = [*self.conditions, *self.exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.structure = KNOWN.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.structure |= {name for name in (self.bar.count, self.bar.total, self.bar.label) if name}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether the frame has this meaning."""
        if self.when is not None and frame.final != (self.when == "final"):
            return False
        if not self.known <= names.keys() or not self.unknown.isdisjoint(names):
            return False
        for condition in self.computed:  # all() and any() would take longer than the conditions
            if not condition.holds(names):
                return False
        for exception in self.excluded:  # noqa: SIM110
            if exception.holds(names):
                return False
        return True


class Rule:
    """One pattern of a format, ready to read frames."""

    def __init__(self, form: Format, pattern: Pattern, timeout: float | None = None) -> None:
        self.form = form
        self.pattern = pattern
        self.timeout = timeout
        self.matcher: Matcher = pattern.matcher()
        outcomes = pattern.cases or [Outcome.model_construct()]
        self.cases = [Case(outcome, pattern, form) for outcome in outcomes]

    def read(
        self, frame: Frame, text: str, memory: Memory, shown: dict[Any, bars.Bar]
    ) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it.

        `memory` is what the format remembered, and is changed; `shown` are the bars on the screen.
        Raises patterns.Timeout.
        """
        found = self.matcher.match(text, self.timeout)
        if found is None:
            return None
        values, repeated = found
        names = {**memory, **values}
        for case in self.cases:
            if case.fits(frame, names):
                return self._meaning(case, frame, values, repeated, names, memory, shown)
        return None

    def _meaning(
        self,
        case: Case,
        frame: Frame,
        values: dict[str, Value],
        repeated: Sequence[tuple[str, Value]],
        names: dict[str, Value],
        memory: Memory,
        shown: dict[Any, bars.Bar],
    ) -> list[Reading]:
        step = first_known(case.step, names) if case.step else values.get("step")
        epoch: Any = first_known(case.epoch, names) if case.epoch else names.get("epoch")
        step = int(step) if isinstance(step, (int, float)) and math.isfinite(step) else None
        epoch = epoch if isinstance(epoch, (int, float)) and math.isfinite(epoch) else None
        if step is not None:
            names["step"] = step
        if epoch is not None:
            names["epoch"] = epoch
        for name, expression in case.derive.items():
            value = expression.value(names)
            if value is not None:
                values[name] = names[name] = int(value) if isinstance(value, bool) else value
        structure, context = case.structure, {}
        if case.context:
            context = {name: names[name] for name in case.context if names.get(name) not in (None, "")}
        if case.remember or case.forget:
            remembered = {n: value for n, e in case.remember.items() if (value := e.value(names)) is not None}
            for name in case.forget:
                memory.pop(name, None)
            memory |= remembered
        if case.as_ != "metrics":
            plain = {name: value for name, value in values.items() if name not in structure}
            plain |= {name: literal(v) if isinstance(v, str) else v for name, v in repeated}
            memory |= plain
            return [Reading(config=plain)] if case.as_ == "config" else [NOTHING]
        metrics = {n: v for n, v in values.items() if n not in structure and not isinstance(v, str)}
        if repeated:
            metrics |= {name: value for name, value in repeated if not isinstance(value, str)}
        for name in self.pattern.pairs:
            metrics |= dict(pairs.find(str(values.get(name, ""))))
        metrics = case.renaming(metrics)
        if case.bar is None:
            return [Reading(step, epoch, metrics, context)]
        return _settle(case, frame, names, metrics, Reading(step, epoch, {}, context), shown)


def _settle(
    case: Case,
    frame: Frame,
    names: Mapping[str, Value],
    metrics: Mapping[str, float],
    known: Reading,
    shown: dict[Any, bars.Bar],
) -> list[Reading]:
    """The readings of a bar: those whose count is certain now."""
    assert case.bar is not None  # noqa: S101  asked before
    count = names.get(case.bar.count)
    if not isinstance(count, (int, float)):
        return [NOTHING]
    description = str(names.get(case.bar.label or "", ""))
    key = (_without_numbers(description), names.get(case.bar.total or ""))
    bar = shown.get(key) or shown.setdefault(key, bars.Bar())
    label = bars.label(description)
    context = {**known.context, **({"bar": label} if label else {})}
    settled = bar.refresh(int(count), metrics, known.epoch)
    bar.context, bar.frame = context, frame
    return [Reading(step, known.epoch, values, context) for step, values in settled] or [NOTHING]


_NO_DIGITS = str.maketrans("", "", "0123456789")


@ByShape
def _without_numbers(description: str) -> str:
    return " ".join(pairs.without(description).translate(_NO_DIGITS).split())
