"""One pattern of a parser, compiled: recognises frames, and picks the case that says what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from capture.console.frames import Frame
from capture.language.blocks import OpenBlock
from capture.language.matchers import StreamMatcher, matcher
from capture.language.model import Case, Parser, Pattern
from capture.language.patterns import Match, RegexMatcher, Spans, WrappedMatcher
from capture.language.readers import Line, LinePlan, LineReader
from capture.parsing.boxes import UnfinishedBox
from capture.parsing.outcome import Outcome
from capture.parsing.state import NOTHING, Reading, State, Waiting
from capture.parsing.wrapped import WrappedLine
from capture.records import Record


class Rule:
    """One pattern of a parser, ready to read frames.

    `timeout` is how many seconds it may take on one line.
    """

    def __init__(self, parser: Parser, pattern: Pattern, timeout: float | None = None) -> None:
        self.parser = parser
        self.pattern = pattern
        self.timeout = timeout
        self.matcher = matcher(pattern)
        wrapped = self.matcher if isinstance(self.matcher, WrappedMatcher) else None
        self._wrapped_matcher = wrapped
        self._expression = self.matcher if isinstance(self.matcher, RegexMatcher) and not wrapped else None
        self.line_reader = self.matcher if isinstance(self.matcher, LineReader) else None
        self.stream_matcher = self.matcher if isinstance(self.matcher, StreamMatcher) else None
        self.spans_lines = bool(self.stream_matcher or wrapped or self.line_reader)
        self.reads_headings = pattern.as_ == "context" or self.line_reader is not None
        outcomes = pattern.cases or [Case.model_construct()]
        self.cases = [Outcome(outcome, pattern, parser) for outcome in outcomes]
        self.draws_bar = any(case.bar for case in self.cases)

    def begin(self, stream: str | None, state: State) -> bool:
        """Begin a stream.  Returns whether all its lines are to be read, whatever their text is."""
        opened = self.stream_matcher.begin() if self.stream_matcher else None
        if opened is not None:
            state.unfinished[self, stream] = (opened, 0)
        return opened is not None

    def known_spans(self, text: str) -> Spans | None:
        """Where a single expression finds the values of all lines of this text's shape, if that is known."""
        return self._expression.known_spans(text) if self._expression and self.timeout is None else None

    def line_plan(self, text: str) -> LinePlan | None:
        """How a reader of single lines reads all of this text's shape, if it need not look at each."""
        return self.line_reader.plan(text) if self.line_reader else None

    def read(self, frame: Frame, text: str, state: State) -> list[Reading] | None:
        """What the frame means; None if the pattern does not recognise it, or others may read it too.

        `text` is the frame's without its prefixes.  `state` is what the parser remembers, and is changed.
        Raises patterns.Timeout.
        """
        if self._expression:
            match = self._expression.match(text, self.timeout)
            return self.readings(match, frame, state) if match is not None else None
        if self.stream_matcher:
            return self._read_lines(self.stream_matcher, frame, text, state)
        if self.line_reader:
            return self._read_by_reader(self.line_reader, frame, text, state)
        return (
            self._read_wrapped(self._wrapped_matcher, frame, text, state) if self._wrapped_matcher else None
        )

    def _read_by_reader(
        self, reader: LineReader, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """What a line means that Python reads, and earlier lines that it makes certain."""
        if self not in state.readers:
            state.readers[self] = reader.begin()
        key = (self, frame.stream)
        line = Line(text, frame, state.alone, state.in_heading, key in state.unfinished)
        found, expects_next = reader.read(line, state.readers[self], state.memory)
        self.expect(expects_next, frame, state)
        if not found:
            return None
        readings = [self.readings(Match(dict(values)), where, state) for values, where in found]
        return None if readings[-1] is None else [reading for each in readings for reading in each or ()]

    def finish(self, state: State) -> list[Reading]:
        """What its reader of single lines held back until the output ended."""
        if not self.line_reader or self not in state.readers:
            return []
        found = self.line_reader.finish(state.readers[self], state.memory)
        return [
            reading
            for values, frame in found
            for reading in self.readings(Match(dict(values)), frame, state) or ()
        ]

    def expect(self, next_line: bool, frame: Frame, state: State) -> None:
        """Note whether its reader expects the line below this one, whatever it holds."""
        if next_line:
            state.unfinished[self, frame.stream] = (None, frame.offset)
        else:
            state.unfinished.pop((self, frame.stream), None)

    def _read_wrapped(
        self, matcher: WrappedMatcher, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """What a line means that may go on below: this is known only when the next one is read."""
        key = (self, frame.stream)
        opened, _ = state.unfinished.get(key, (None, 0))
        if opened is not None:
            if opened.add(frame, text):
                return [NOTHING]
            del state.unfinished[key]
            state.late_readings += opened.finish()
        match = matcher.match(text, self.timeout)
        if match is None:
            return None
        if not match.values.get(matcher.wrapped):
            return self.readings(match, frame, state)
        column = matcher.column(text, self.timeout)
        line = WrappedLine(match, frame, matcher.wrapped, column, partial(self.readings, state=state))
        state.unfinished[key] = (line, frame.offset)
        return [NOTHING]

    def _read_lines(
        self, matcher: StreamMatcher, frame: Frame, text: str, state: State
    ) -> list[Reading] | None:
        """What a line of several means: a row of a table, the last line of a block."""
        key = (self, frame.stream)
        item, offset = state.unfinished.get(key, (None, frame.offset))
        box = item if isinstance(item, UnfinishedBox) else None
        opened: Any = box.block if box else item
        still_open, result = matcher.read(text, frame.final, opened, self.timeout)
        if still_open is opened:
            if box and result.recognised:
                box.add(frame)
        else:
            if box and not result.whole:
                state.late_readings += box.finish()
            state.unfinished.pop(key, None)
            if isinstance(still_open, OpenBlock):
                begun = UnfinishedBox(still_open, frame, partial(self.readings, state=state))
                state.unfinished[key] = begun, frame.offset
            elif still_open is not None:
                state.unfinished[key] = still_open, frame.offset
        if result.match is None:
            return [NOTHING] if result.recognised else None
        if result.whole:
            frame = frame.since(offset)
        return self.readings(result.match, frame, state)

    def readings(self, match: Match, frame: Frame, state: State) -> list[Reading] | None:
        """What a match means in the first case that fits; None as in `read`.

        frame: where the match is, from its first byte to its last
        state: what the parser remembers, and is changed
        """
        names = {**state.memory, **match.values}
        for case in self.cases:
            if case.fits(frame, names):
                break
        else:
            return None
        if case.wait:
            later = Waiting(
                case.wait,
                frame,
                lambda memory: case.readings(match, frame, {**memory, **match.values}, state),
            )
            state.wait(later)
            return [NOTHING]
        readings = case.readings(match, frame, names, state)
        if state.held:
            state.release(readings)
        if case.hold:
            state.held = readings
            return [NOTHING]
        return None if case.as_ == "peek" else readings


class ReadLine(NamedTuple):
    """What the engine made of one line.

    `text` is the line without its prefixes; `rule` is the first that recognised it, or None, and `view` the
    text in which it did; `records` are those that the line completed.
    """

    text: str
    rule: Rule | None
    view: str
    records: Sequence[Record]
