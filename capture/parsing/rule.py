"""What a parser says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from capture.console.frames import Frame
from capture.language import blocks, key_values, tables
from capture.language.literals import literal
from capture.language.model import Case, Parser, Pattern
from capture.language.numbers import Value
from capture.language.patterns import Match, Matcher
from capture.language.readers import LineReader, StreamReader
from capture.language.shape_cache import ShapeCache
from capture.parsing import bars, wrapped
from capture.parsing.outcome import Outcome, first_known
from capture.parsing.renaming import MOST_NAMES
from capture.parsing.state import NOTHING, Reading, State, Waiting

MOST_WAITING = 8
MOST_BARS = 1000


class Rule:
    """One pattern of a parser, ready to read frames."""

    def __init__(self, parser: Parser, pattern: Pattern, timeout: float | None = None) -> None:
        self.parser = parser
        self.pattern = pattern
        self.timeout = timeout
        self.lines = pattern.lines()
        self.spans = bool(self.lines or pattern.wrapped)  # one line after the other
        self.matcher = self.lines.start if self.lines else pattern.matcher()
        outcomes = pattern.cases or [Case.model_construct()]
        self.cases = [Outcome(outcome, pattern, parser) for outcome in outcomes]

    def begin(self, stream: str | None, state: State) -> bool:
        """Begin a stream: whether its first lines are looked at, whatever stands in them."""
        if not isinstance(self.lines, StreamReader):
            return False
        state.opened[self, stream] = (self.lines.begin(), 0)
        return True

    def read(self, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it, or others may read it too.

        `state` is what the parser remembers, and is changed.  Raises patterns.Timeout.
        """
        if self.lines:
            return self._read_lines(self.lines, frame, text, state)
        if isinstance(self.matcher, LineReader):
            if self not in state.readers:
                state.readers[self] = self.matcher.begin()
            values = self.matcher.read(text, state.readers[self], state.memory, state.alone)
            return None if values is None else self.mean(Match(dict(values)), frame, state)
        assert isinstance(self.matcher, Matcher)  # noqa: S101  the others are read above
        if self.pattern.wrapped:
            return self._read_wrapped(self.matcher, self.pattern.wrapped, frame, text, state)
        match = self.matcher.match(text, self.timeout)
        return self.mean(match, frame, state) if match is not None else None

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
        match = matcher.match(text, self.timeout)
        if match is None:
            return None
        if not match.values.get(name):
            return self.mean(match, frame, state)
        column = matcher.find(text, self.timeout).start(name)
        column += len(text[column:]) - len(text[column:].lstrip())
        state.opened[key] = (wrapped.WrappedLine(match, frame, column), frame.offset)
        return [NOTHING]

    def _read_lines(
        self,
        lines: tables.TableMatcher | blocks.BlockMatcher | StreamReader,
        frame: Frame,
        text: str,
        state: State,
    ) -> list[Reading] | None:
        """The same for what stands in several lines: a row of a table, the last line of a block."""
        key = (self, frame.stream)
        before, offset = state.opened.get(key, (None, frame.offset))
        after, read = lines.read(text, frame.final, before, self.timeout)
        if after is None:
            state.opened.pop(key, None)
        else:
            state.opened[key] = (after, offset if after is before else frame.offset)
        if read.match is None:
            return [NOTHING] if read.recognised else None
        if read.whole:
            frame = frame._replace(offset=offset, span=frame.offset + frame.span - offset)
        return self.mean(read.match, frame, state)

    def mean(self, match: Match, frame: Frame, state: State) -> list[Reading] | None:
        """What a match means in the first case that fits; None as in `read`."""
        names = {**state.memory, **match.values}
        for case in self.cases:
            if case.fits(frame, names):
                break
        else:
            return None
        if case.wait:
            state.waiting.append(Waiting(self, case, frame, match))
            if len(state.waiting) > MOST_WAITING:
                state.woken += state.waiting.pop(0).wake(state, known=False)
            return [NOTHING]
        readings = self.meaning(case, frame, match, names, state)
        return None if case.as_ == "peek" else readings

    def meaning(
        self, case: Outcome, frame: Frame, match: Match, names: dict[str, Value], state: State
    ) -> list[Reading]:
        """What the frame means in this case; `names` are all that are known, and are changed."""
        memory, (values, repeated) = state.memory, match
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
            metrics |= dict(key_values.find(str(values.get(name, ""))))
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
    case: Outcome,
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


@ShapeCache
def _without_numbers(description: str) -> str:
    return " ".join(key_values.without(description).translate(_NO_DIGITS).split())
