"""What a format says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from capture import bars, blocks, pairs, tables, wraps
from capture.expressions import Expression, Unknown
from capture.formats import Format, Naming, Outcome, Pattern
from capture.frames import Frame
from capture.patterns import Matcher
from capture.readers import Reader
from capture.state import NOTHING, Reading, State, Waiting
from capture.values import Found, Value, is_number, literal, number

# Where in the run a line stands: never metrics.
KNOWN = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])
MOST_WAITING = 8
MOST_BARS = 1000


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
    """Metrics changed as `rename:`, `drop:`, `scale:` and `rewrite:` say, the inner ones first."""

    def __init__(self, *namings: Naming) -> None:
        self.rewrite = [(re.compile(old), new) for naming in namings for old, new in naming.rewrite.items()]
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
                changed[prefix + self._name(name)] = scaled if scaled == scaled else math.nan
        return changed

    def _name(self, name: str) -> str:
        name = self.rename.get(name, name)
        for old, new in self.rewrite:
            name = old.sub(new, name)
        return name


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
        self.wait = outcome.wait or pattern.wait
        self.renaming = Renaming(outcome, pattern, form)
        used = [*self.conditions, *self.exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.structure = KNOWN.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.structure |= {name for name in (self.bar.count, self.bar.total, self.bar.label) if name}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether the frame has this meaning."""
        return (
            (self.when is None or _is(self.when, frame))
            and all(condition.holds(names) for condition in self.conditions)
            and not any(exception.holds(names) for exception in self.exceptions)
        )


def _is(when: str, frame: Frame) -> bool:
    """Whether a frame is what `when:` asks for; `outer` is a bar that is not drawn below another one."""
    return frame.end != "up" if when == "outer" else frame.final == (when == "final")


class Rule:
    """One pattern of a format, ready to read frames."""

    def __init__(self, form: Format, pattern: Pattern, timeout: float | None = None) -> None:
        self.form = form
        self.pattern = pattern
        self.timeout = timeout
        self.lines = pattern.lines()
        self.spans = bool(self.lines or pattern.wrapped)  # one line after the other
        self.matcher: Matcher | Reader = self.lines.start if self.lines else pattern.matcher()
        outcomes = pattern.cases or [Outcome.model_construct()]
        self.cases = [Case(outcome, pattern, form) for outcome in outcomes]

    def read(self, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it, or others may read it too.

        `state` is what the format remembers, and is changed.  Raises patterns.Timeout.
        """
        if isinstance(self.matcher, Reader):
            values = self.matcher.read(text, state.memory)
            return None if values is None else self.mean((dict(values), []), frame, state)
        if self.lines:
            return self._read_lines(self.lines, frame, text, state)
        if self.pattern.wrapped:
            return self._read_wrapped(self.pattern.wrapped, frame, text, state)
        found = self.matcher.match(text, self.timeout)
        return self.mean(found, frame, state) if found is not None else None

    def _read_wrapped(self, name: str, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """The same for a line that may go on below: it means something once the next one is there."""
        key = (self, frame.stream)
        before, _ = state.opened.get(key, (None, 0))
        if before is not None:
            if before.add(frame, text):
                return [NOTHING]
            del state.opened[key]
            state.woken += self.mean(before.whole(name), before.frame, state) or []
        found = self.matcher.match(text, self.timeout)
        if found is None:
            return None
        if not found[0].get(name):
            return self.mean(found, frame, state)
        column = self.matcher.find(text, self.timeout).start(name)
        column += len(text[column:]) - len(text[column:].lstrip())
        state.opened[key] = (wraps.Open(found, frame, column), frame.offset)
        return [NOTHING]

    def _read_lines(
        self, lines: tables.Table | blocks.Block, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """The same for what stands in several lines: a row of a table, the last line of a block."""
        key = (self, frame.stream)
        before, offset = state.opened.get(key, (None, frame.offset))
        after, read = lines.read(text, frame.final, before, self.timeout)
        if after is None:
            state.opened.pop(key, None)
        else:
            state.opened[key] = (after, offset if after is before else frame.offset)
        if read.found is None:
            return [NOTHING] if read.recognised else None
        if after is None:  # the whole block
            frame = frame._replace(offset=offset, span=frame.offset + frame.span - offset)
        return self.mean(read.found, frame, state)

    def mean(self, found: Found, frame: Frame, state: State) -> list[Reading] | None:
        """What a match means in the first case that fits; None as in `read`."""
        names = {**state.memory, **found[0]}
        case = next((case for case in self.cases if case.fits(frame, names)), None)
        if case is None:
            return None
        if case.wait:
            state.waiting.append(Waiting(self, case, frame, found))
            if len(state.waiting) > MOST_WAITING:
                state.woken += state.waiting.pop(0).wake(state, known=False)
            return [NOTHING]
        readings = self.meaning(case, frame, found, state)
        return None if case.as_ == "overheard" else readings

    def meaning(
        self,
        case: Case,
        frame: Frame,
        found: Found,
        state: State,
    ) -> list[Reading]:
        """What the frame means in this case."""
        memory, (values, repeated) = state.memory, (dict(found[0]), found[1])
        names = {**memory, **values}
        hidden = case.structure | values.keys() if self.pattern.block else case.structure
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
        plain = {name: value for name, value in values.items() if name not in hidden}
        remembered = {name: first_known([e], names) for name, e in case.remember.items()}
        for name in case.forget:
            memory.pop(name, None)
        remembered = {name: value for name, value in remembered.items() if value is not None}
        memory |= remembered
        state.wake(remembered)
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
            return [Reading(step, epoch, metrics, context, frame=frame)]
        known = Reading(step, epoch, {}, context)
        readings = _settle(case, frame, names, metrics, known, state.shown, own_epoch="epoch" in values)
        if readings[-1].step is not None:
            names["step"] = readings[-1].step
            memory |= {n: v for n, e in case.remember.items() if (v := first_known([e], names)) is not None}
        return readings


def _settle(
    case: Case,
    frame: Frame,
    names: Mapping[str, Value],
    metrics: Mapping[str, float],
    known: Reading,
    shown: dict[Any, bars.Bar],
    own_epoch: bool,
) -> list[Reading]:
    """The readings of a bar: those whose count is certain now.

    An epoch that stands on another bar (`own_epoch` is False) says nothing of where this one starts over.
    """
    assert case.bar is not None  # noqa: S101  asked before
    count = names.get(case.bar.count)
    if not isinstance(count, (int, float)):
        return [NOTHING]
    description = str(names.get(case.bar.label or "", ""))
    total = names.get(case.bar.total or "")
    key = (" ".join(pairs.without(description).translate(_NO_DIGITS).split()), total)
    bar = shown.setdefault(key, bars.Bar())
    if len(shown) > MOST_BARS:
        del shown[next(iter(shown))]
    label = bars.label(description)
    settled = bar.refresh(
        int(count),
        metrics,
        known.epoch if own_epoch else None,
        total if isinstance(total, (int, float)) else None,
        case.bar.values,
    )
    bar.context, bar.frame = {**known.context, **({"bar": label} if label else {})}, frame
    return [
        Reading(step, known.epoch if epoch is None else epoch, values, bar.context)
        for step, epoch, values in settled
    ] or [NOTHING]


_NO_DIGITS = str.maketrans("", "", "0123456789")
