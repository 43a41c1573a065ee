"""What a format says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capture import bars, pairs
from capture.expressions import Expression, Unknown
from capture.formats import Format, Naming, Outcome, Pattern
from capture.frames import Frame
from capture.patterns import Matcher
from capture.readers import Memory, Reader
from capture.values import Value, is_number, literal, number

# Where in the run a line stands: never metrics.
KNOWN = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])


@dataclass(frozen=True)
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
        try:
            return attempt(names)
        except Unknown:
            continue
    return None


class Renaming:
    """Names and values of metrics changed as `rename:`, `drop:` and `scale:` say, the inner ones first."""

    def __init__(self, *namings: Naming) -> None:
        self.rename: dict[str, str] = {}
        self.scale: dict[str, float] = {}
        self.drop: set[str] = set()
        for naming in reversed(namings):
            self.rename |= naming.rename
            self.scale |= naming.scale
            self.drop |= set(naming.drop)

    def __call__(self, metrics: Mapping[str, float], prefix: str = "") -> dict[str, float]:
        """The metrics under their new names."""
        changed = {}
        for name, value in metrics.items():
            if name not in self.drop:
                scaled = value * self.scale[name] if name in self.scale else value
                # Always the same NaN: it equals itself in a dict, so a bar's NaN is not new each time.
                changed[prefix + self.rename.get(name, name)] = scaled if scaled == scaled else math.nan
        return changed


class Case:
    """One meaning that a pattern may have."""

    def __init__(self, outcome: Outcome, pattern: Pattern, form: Format) -> None:
        self.outcome = outcome
        self.conditions = expressions([*pattern.if_, *outcome.if_])
        self.exceptions = expressions([*pattern.unless, *outcome.unless])
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
        self.renaming = Renaming(outcome, pattern, form)
        used = [*self.conditions, *self.exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.structure = KNOWN.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.structure |= {name for name in (self.bar.count, self.bar.total, self.bar.label) if name}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether the frame has this meaning."""
        return (
            (self.when is None or frame.final == (self.when == "final"))
            and all(condition.holds(names) for condition in self.conditions)
            and not any(exception.holds(names) for exception in self.exceptions)
        )


class Rule:
    """One pattern of a format, ready to read frames."""

    def __init__(self, form: Format, pattern: Pattern, timeout: float | None = None) -> None:
        self.form = form
        self.pattern = pattern
        self.timeout = timeout
        self.matcher: Matcher | Reader = pattern.matcher()
        outcomes = pattern.cases or [Outcome.model_construct()]
        self.cases = [Case(outcome, pattern, form) for outcome in outcomes]

    def read(
        self, frame: Frame, text: str, memory: Memory, shown: dict[Any, bars.Bar]
    ) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it.

        `memory` is what the format remembered, and is changed; `shown` are the bars on the screen.
        Raises patterns.Timeout.
        """
        values: dict[str, Value]
        repeated: list[tuple[str, str]] = []
        if isinstance(self.matcher, Reader):
            read = self.matcher.read(text, memory)
            if read is None:
                return None
            values = dict(read)
        else:
            found = self.matcher.match(text, self.timeout)
            if found is None:
                return None
            values, repeated = found
        names = {**memory, **values}
        case = next((case for case in self.cases if case.fits(frame, names)), None)
        if case is None:
            return None
        return self._meaning(case, frame, values, repeated, names, memory, shown)

    def _meaning(
        self,
        case: Case,
        frame: Frame,
        values: dict[str, Value],
        repeated: Sequence[tuple[str, str]],
        names: dict[str, Value],
        memory: Memory,
        shown: dict[Any, bars.Bar],
    ) -> list[Reading]:
        step = first_known(case.step, names) if case.step else values.get("step")
        epoch: Any = first_known(case.epoch, names) if case.epoch else names.get("epoch")
        step = int(step) if isinstance(step, (int, float)) and math.isfinite(step) else None
        epoch = epoch if isinstance(epoch, (int, float)) and math.isfinite(epoch) else None
        names |= {name: value for name, value in (("step", step), ("epoch", epoch)) if value is not None}
        for name, expression in case.derive.items():
            value = first_known([expression], names)
            if value is not None:
                values[name] = names[name] = int(value) if isinstance(value, bool) else value
        context = {name: names[name] for name in case.context if names.get(name) not in (None, "")}
        plain = {name: value for name, value in values.items() if name not in case.structure}
        remembered = {name: first_known([e], names) for name, e in case.remember.items()}
        for name in case.forget:
            memory.pop(name, None)
        memory |= {name: value for name, value in remembered.items() if value is not None}
        if case.as_ != "metrics":
            plain |= {key.strip(): literal(value) for key, value in repeated}
            memory |= plain
            return [Reading(config=plain)] if case.as_ == "config" else [NOTHING]
        metrics = {name: value for name, value in plain.items() if not isinstance(value, str)}
        metrics |= {key.strip(): number(value) for key, value in repeated if is_number(value)}
        for name in self.pattern.pairs:
            metrics |= dict(pairs.find(str(values.get(name, ""))))
        metrics = case.renaming(metrics, case.prefix)
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
    key = (
        " ".join(pairs.without(description).translate(_NO_DIGITS).split()),
        names.get(case.bar.total or ""),
    )
    bar = shown.setdefault(key, bars.Bar())
    label = bars.label(description)
    context = {**known.context, **({"bar": label} if label else {})}
    settled = bar.refresh(int(count), metrics, known.epoch)
    bar.context, bar.frame = context, frame
    return [Reading(step, known.epoch, values, context) for step, values in settled] or [NOTHING]


_NO_DIGITS = str.maketrans("", "", "0123456789")
