"""What a match means: where in the run it is, and its metrics, its config, or what is remembered of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeGuard

from capture.console.frames import Frame
from capture.language import key_values, model
from capture.language.expressions import Expression, compiled
from capture.language.literals import literal
from capture.language.model import BlockPattern, Case, Parser, Pattern
from capture.language.numbers import Value
from capture.language.patterns import Match
from capture.parsing import bars
from capture.parsing.renaming import Renaming
from capture.parsing.state import NOTHING, Reading, State

# Names for where in the run a line is: never metrics.
POSITIONS = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])
_WHEN: Mapping[str, Callable[[Frame], bool]] = {
    "final": lambda frame: frame.final,
    "live": lambda frame: not frame.final,
    "outer": lambda frame: frame.end != "up",  # a bar that is not drawn below another one
}


class Outcome:
    """One case of a pattern, compiled: when it holds, and what a match means then.

    as_: the kind of result: `metrics`, `config`, `context`, or `peek`, context that other parsers read, too
    wait: the name of a value that has to come from a later line; None if there is none
    hold: whether the parser's next line may repeat this one with more values
    """

    def __init__(self, case: Case, pattern: Pattern, parser: Parser) -> None:
        self.as_ = case.as_ if "as_" in case.model_fields_set else pattern.as_
        self.wait = case.wait or pattern.wait
        self.hold = case.hold or pattern.hold
        when = case.when or pattern.when
        self.when = when
        self._is_when = _WHEN[when] if when else None
        conditions = _compiled([*pattern.if_, *case.if_])
        exceptions = _compiled([*pattern.unless, *case.unless])
        # What only asks whether a name is known is cheap, and asked first.
        self.required_names = frozenset(c.name for c in conditions if c.name)
        self.forbidden_names = frozenset(c.name for c in exceptions if c.name)
        self.conditions = [c for c in conditions if not c.name]
        self.exceptions = [c for c in exceptions if not c.name]
        self.step = _compiled(case.step or pattern.step)
        self.epoch = _compiled(case.epoch or pattern.epoch)
        self.derive = {name: compiled(e) for name, e in {**pattern.derive, **case.derive}.items()}
        self.remember = {name: compiled(e) for name, e in {**pattern.remember, **case.remember}.items()}
        self.forget = [*pattern.forget, *case.forget]
        self.context = [*pattern.context, *case.context]
        self.renaming = Renaming(case, pattern, parser, prefix=case.prefix or pattern.prefix)
        self.texts_with_pairs = pattern.pairs
        self.bar = pattern.bar
        self.only_pairs = isinstance(pattern, BlockPattern)
        used = [*conditions, *exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.not_metrics = POSITIONS.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.not_metrics |= {n for n in (self.bar.count, self.bar.total, self.bar.label) if n}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether this case holds for a frame.

        names: all values that are known: the line's own, and those remembered
        """
        if self._is_when is not None and not self._is_when(frame):
            return False
        known = names.keys()
        if not self.required_names <= known or not known.isdisjoint(self.forbidden_names):
            return False
        for condition in self.conditions:  # all() and any() would take longer than the conditions
            if not condition.holds(names):
                return False
        for exception in self.exceptions:  # noqa: SIM110
            if exception.holds(names):
                return False
        return True

    def readings(self, match: Match, frame: Frame, names: Mapping[str, Value], state: State) -> list[Reading]:
        """What a match means in this case.

        names: all values that are known: the line's own, and those remembered
        state: what the parser remembers, and is changed
        """
        step, epoch = self.locate(match.values, names)
        known = {**names}
        if step is not None:
            known["step"] = step
        if epoch is not None:
            known["epoch"] = epoch
        values = match.values
        if self.derive:
            derived = self._derived(known)
            known |= derived
            values = {**values, **derived}
        context = {}
        if self.context:
            context = {name: known[name] for name in self.context if known.get(name) not in (None, "")}
        if self.remember or self.forget:
            state.remember(self._to_remember(known), frame, self.forget)
        excluded = self.not_metrics | match.values.keys() if self.only_pairs else self.not_metrics
        if self.as_ == "metrics":
            reading = Reading(step, epoch, self._metrics(values, match.pairs, excluded), context, frame=frame)
            if self.bar is None:
                return [reading]
            return self._settle(self.bar, reading, known, state, has_epoch="epoch" in values)
        config = _config(values, match.pairs, excluded)
        state.add_context(config)
        return [Reading(config=config, frame=frame)] if self.as_ == "config" else [NOTHING]

    def locate(
        self, values: Mapping[str, Value], names: Mapping[str, Value]
    ) -> tuple[int | None, float | None]:
        """The step and the epoch, each None if it is not known.

        values: those of the line: the step of an earlier line is not this one's, its epoch goes on
        names: all values that are known
        """
        step = _first_known(self.step, names) if self.step else values.get("step")
        epoch: Any = _first_known(self.epoch, names) if self.epoch else names.get("epoch")
        return (
            int(step) if is_finite(step) else None,
            epoch if is_finite(epoch) else None,
        )

    def _derived(self, names: Mapping[str, Value]) -> dict[str, Value]:
        """The values of `derive:`, of which each may use those before it; unknown ones are left out."""
        known, derived = {**names}, {}
        for name, expression in self.derive.items():
            value = expression.value(known)
            if value is not None:
                known[name] = derived[name] = int(value) if isinstance(value, bool) else value
        return derived

    def _to_remember(self, names: Mapping[str, Value]) -> dict[str, Value]:
        """The values of `remember:`; unknown ones are left out."""
        return {n: value for n, e in self.remember.items() if (value := e.value(names)) is not None}

    def _metrics(
        self, values: Mapping[str, Value], pairs: Sequence[tuple[str, Value]], excluded: Set[str]
    ) -> dict[str, float]:
        """The numbers under their final names."""
        metrics = {n: v for n, v in values.items() if n not in excluded and not isinstance(v, str)}
        if pairs:
            metrics |= {name: value for name, value in pairs if not isinstance(value, str)}
        for name in self.texts_with_pairs:
            metrics |= key_values.find(str(values.get(name, "")))
        return self.renaming(metrics)

    def _settle(
        self,
        spec: model.Bar,
        reading: Reading,
        names: Mapping[str, Value],
        state: State,
        has_epoch: bool,
    ) -> list[Reading]:
        """The readings of a bar: values whose step is certain now; the last step is remembered.

        reading: what the bar shows, and where it is drawn
        names: all values that are known
        state: what the parser remembers, and is changed
        has_epoch: whether the bar itself shows its epoch
        """
        count, total = names.get(spec.count), names.get(spec.total or "")
        if not is_finite(count):
            return [NOTHING]
        description = str(names.get(spec.label or "", ""))
        name = bars.bar_name(description)
        context = {**reading.context, "bar": name} if name else reading.context
        drawing = bars.Drawing(
            int(count),
            reading.metrics,
            reading.epoch if has_epoch else None,
            total if is_finite(total) else None,
            reading.frame,
            context,
            reading.epoch,
        )
        state.epoch_of_bar = reading.epoch
        settled = state.bar(spec.values, bars.identity(description), total).refresh(drawing)
        if not settled:
            return [NOTHING]
        if self.remember:
            state.memory |= self._to_remember({**names, "step": settled[-1].step})
        return [Reading(step, epoch, metrics, context) for step, epoch, metrics in settled]


def _compiled(sources: Sequence[str]) -> list[Expression]:
    return [compiled(source) for source in sources]


def _first_known(attempts: Sequence[Expression], names: Mapping[str, Value]) -> Any:
    """The value of the first expression whose names are all known; None if there is none."""
    for attempt in attempts:
        value = attempt.value(names)
        if value is not None:
            return value
    return None


def is_finite(value: Any) -> TypeGuard[float]:
    """Whether a value is a number, and neither NaN nor infinite."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def _config(
    values: Mapping[str, Value], pairs: Sequence[tuple[str, Value]], excluded: Set[str]
) -> dict[str, Any]:
    """Every value that is not excluded, texts included; those of pairs are read as literals."""
    config = {name: value for name, value in values.items() if name not in excluded}
    return config | {name: literal(value) if isinstance(value, str) else value for name, value in pairs}
