"""What a format says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from capture import bars, blocks, pairs, tables, wraps
from capture.expressions import Expression
from capture.formats import Format, Naming, Outcome, Pattern, Rewriting
from capture.frames import Frame
from capture.patterns import Matcher
from capture.readers import LinesReader, Reader
from capture.shapes import ByShape
from capture.state import NOTHING, Reading, State, Waiting
from capture.values import Found, Value, literal

# Where in the run a line stands: never metrics.
KNOWN = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])
MOST_NAMES = 1000
MOST_WAITING = 8
MOST_BARS = 1000


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

    def __init__(self, rename: Mapping[str, str], rewrite: Mapping[str, str], prefix: str) -> None:
        self._rename, self._prefix = rename, prefix
        self._rewrite = [(re.compile(old), replacement) for old, replacement in rewrite.items()]

    def __missing__(self, name: str) -> str:
        if len(self) >= MOST_NAMES:  # a program that prints ever new ones
            self.clear()
        new = self._rename.get(name, name)
        for old, replacement in self._rewrite:
            new = old.sub(replacement, new)
        self[name] = new = self._prefix + new
        return new


class Renaming:
    """Metrics changed as `rename:`, `drop:`, `scale:` and `rewrite:` say, the inner ones first."""

    def __init__(self, *namings: Naming, prefix: str = "") -> None:
        self.rename: dict[str, str] = {}
        self.scale: dict[str, float] = {}
        self.drop: set[str] = set()
        for naming in reversed(namings):
            self.rename |= naming.rename
            self.scale |= naming.scale
            self.drop |= set(naming.drop)
        rewritings = [naming.rewrite for naming in namings if isinstance(naming, Rewriting)]
        rewrite = {old: new for one in rewritings for old, new in one.items()}
        self._names = _Names(self.rename, rewrite, prefix)

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
        self.wait = outcome.wait or pattern.wait
        self.renaming = Renaming(outcome, pattern, form, prefix=self.prefix)
        used = [*self.conditions, *self.exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.structure = KNOWN.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.structure |= {name for name in (self.bar.count, self.bar.total, self.bar.label) if name}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether the frame has this meaning."""
        if self.when is not None and not _is(self.when, frame):
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
        self.matcher = self.lines.start if self.lines else pattern.matcher()
        outcomes = pattern.cases or [Outcome.model_construct()]
        self.cases = [Case(outcome, pattern, form) for outcome in outcomes]

    def begin(self, stream: str | None, state: State) -> bool:
        """Begin a stream: whether its first lines are looked at, whatever stands in them."""
        if not isinstance(self.lines, LinesReader):
            return False
        state.opened[self, stream] = (self.lines.begin(), 0)
        return True

    def read(self, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it, or others may read it too.

        `state` is what the format remembers, and is changed.  Raises patterns.Timeout.
        """
        if self.lines:
            return self._read_lines(self.lines, frame, text, state)
        if isinstance(self.matcher, Reader):
            values = self.matcher.read(text, state.memory)
            return None if values is None else self.mean((dict(values), []), frame, state)
        assert isinstance(self.matcher, Matcher)  # noqa: S101  the others are read above
        if self.pattern.wrapped:
            return self._read_wrapped(self.matcher, self.pattern.wrapped, frame, text, state)
        found = self.matcher.match(text, self.timeout)
        return self.mean(found, frame, state) if found is not None else None

    def _read_wrapped(
        self, matcher: Matcher, name: str, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """The same for a line that may go on below: it means something once the next one is there."""
        key = (self, frame.stream)
        before, _ = state.opened.get(key, (None, 0))
        if before is not None:
            if before.add(frame, text):
                return [NOTHING]
            del state.opened[key]
            state.woken += self.mean(before.whole(name), before.frame, state) or []
        found = matcher.match(text, self.timeout)
        if found is None:
            return None
        if not found[0].get(name):
            return self.mean(found, frame, state)
        column = matcher.find(text, self.timeout).start(name)
        column += len(text[column:]) - len(text[column:].lstrip())
        state.opened[key] = (wraps.Open(found, frame, column), frame.offset)
        return [NOTHING]

    def _read_lines(
        self, lines: tables.Table | blocks.Block | LinesReader, frame: Frame, text: str, state: State
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
        if read.whole:
            frame = frame._replace(offset=offset, span=frame.offset + frame.span - offset)
        return self.mean(read.found, frame, state)

    def mean(self, found: Found, frame: Frame, state: State) -> list[Reading] | None:
        """What a match means in the first case that fits; None as in `read`."""
        names = {**state.memory, **found[0]}
        for case in self.cases:
            if case.fits(frame, names):
                break
        else:
            return None
        if case.wait:
            state.waiting.append(Waiting(self, case, frame, found))
            if len(state.waiting) > MOST_WAITING:
                state.woken += state.waiting.pop(0).wake(state, known=False)
            return [NOTHING]
        readings = self.meaning(case, frame, found, names, state)
        return None if case.as_ == "overheard" else readings

    def meaning(
        self, case: Case, frame: Frame, found: Found, names: dict[str, Value], state: State
    ) -> list[Reading]:
        """What the frame means in this case; `names` are all that are known, and are changed."""
        memory, (values, repeated) = state.memory, found
        structure = case.structure | values.keys() if self.pattern.block else case.structure
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
        context = {}
        if case.context:
            context = {name: names[name] for name in case.context if names.get(name) not in (None, "")}
        if case.remember or case.forget:
            remembered = {n: value for n, e in case.remember.items() if (value := e.value(names)) is not None}
            for name in case.forget:
                memory.pop(name, None)
            memory |= remembered
            state.wake(remembered)
        if case.as_ != "metrics":
            plain = {name: value for name, value in values.items() if name not in structure}
            plain |= {name: literal(v) if isinstance(v, str) else v for name, v in repeated}
            memory |= {n: v for n, v in plain.items() if n in memory or len(memory) < MOST_NAMES}
            return [Reading(config=plain, frame=frame)] if case.as_ == "config" else [NOTHING]
        metrics = {n: v for n, v in values.items() if n not in structure and not isinstance(v, str)}
        if repeated:
            metrics |= {name: value for name, value in repeated if not isinstance(value, str)}
        for name in self.pattern.pairs:
            metrics |= dict(pairs.find(str(values.get(name, ""))))
        metrics = case.renaming(metrics)
        if case.bar is None:
            return [Reading(step, epoch, metrics, context, frame=frame)]
        known = Reading(step, epoch, {}, context)
        readings = _settle(case, frame, names, metrics, known, state.shown, own_epoch="epoch" in values)
        if readings[-1].step is not None:
            names["step"] = readings[-1].step
            memory |= {n: v for n, e in case.remember.items() if (v := e.value(names)) is not None}
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
    key = (_without_numbers(description), total)
    bar = shown.get(key) or shown.setdefault(key, bars.Bar())
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


@ByShape
def _without_numbers(description: str) -> str:
    return " ".join(pairs.without(description).translate(_NO_DIGITS).split())
