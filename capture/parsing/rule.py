"""What a parser says, compiled: from one frame's text and what was remembered to what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from capture.console.frames import Frame
from capture.language import key_values
from capture.language.literals import literal
from capture.language.matchers import StreamMatcher, matcher
from capture.language.model import BlockPattern, Case, Parser, Pattern, ReaderPattern
from capture.language.numbers import Value
from capture.language.patterns import Match, WrappedMatcher
from capture.language.shape_cache import ShapeCache
from capture.parsing import bars, wrapped
from capture.parsing.outcome import Outcome, first_known
from capture.parsing.renaming import MOST_NAMES
from capture.parsing.state import NOTHING, Reading, State, Waiting

MOST_WAITING = 8
MOST_BARS = 1000


class Rule:
    """One pattern of a parser, ready to read frames.

    `timeout` is how many seconds it may take on one line.
    """

    def __init__(self, parser: Parser, pattern: Pattern, timeout: float | None = None) -> None:
        self.parser = parser
        self.pattern = pattern
        self.timeout = timeout
        self.matcher = matcher(pattern)
        self.stream_matcher = self.matcher if isinstance(self.matcher, StreamMatcher) else None
        self._wrapped_matcher = self.matcher if isinstance(self.matcher, WrappedMatcher) else None
        self.spans_lines = bool(self.stream_matcher or self._wrapped_matcher)
        # Asked for each line, and isinstance() takes long for pydantic's models.
        self.is_reader, self.is_block = isinstance(pattern, ReaderPattern), isinstance(pattern, BlockPattern)
        outcomes = pattern.cases or [Case.model_construct()]
        self.cases = [Outcome(outcome, pattern, parser) for outcome in outcomes]

    def begin(self, stream: str | None, state: State) -> bool:
        """Begin a stream.  Returns whether all its lines are to be read, whatever their text is."""
        opened = self.stream_matcher.begin() if self.stream_matcher else None
        if opened is not None:
            state.opened[self, stream] = (opened, 0)
        return opened is not None

    def read(self, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it, or others may read it too.

        `text` is the frame's without its prefixes.  `state` is what the parser remembers, and is changed.
        Raises patterns.Timeout.
        """
        if self.stream_matcher:
            return self._read_lines(self.stream_matcher, frame, text, state)
        if self._wrapped_matcher:
            return self._read_wrapped(self._wrapped_matcher, frame, text, state)
        match = self.matcher.match(text, self.timeout, state.memory)
        return self.mean(match, frame, state) if match is not None else None

    def _read_wrapped(
        self, matcher: WrappedMatcher, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """What a line means that may go on below: this is known only when the next one is read."""
        key = (self, frame.stream)
        opened, _ = state.opened.get(key, (None, 0))
        if opened is not None:
            if opened.add(frame, text):
                return [NOTHING]
            del state.opened[key]
            state.woken += self.mean(opened.whole(), opened.frame, state) or []
        match = matcher.match(text, self.timeout)
        if match is None:
            return None
        if not match.values.get(matcher.wrapped):
            return self.mean(match, frame, state)
        column = matcher.column(text, self.timeout)
        state.opened[key] = (wrapped.WrappedLine(match, frame, matcher.wrapped, column), frame.offset)
        return [NOTHING]

    def _read_lines(
        self, matcher: StreamMatcher, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """What a line of several means: a row of a table, the last line of a block."""
        key = (self, frame.stream)
        opened, offset = state.opened.get(key, (None, frame.offset))
        still_open, result = matcher.read(text, frame.final, opened, self.timeout)
        if still_open is None:
            state.opened.pop(key, None)
        else:
            state.opened[key] = (still_open, offset if still_open is opened else frame.offset)
        if result.match is None:
            return [NOTHING] if result.recognised else None
        if result.whole:
            frame = frame._replace(offset=offset, span=frame.offset + frame.span - offset)
        return self.mean(result.match, frame, state)

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
        structure = case.structure | values.keys() if self.is_block else case.structure
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
