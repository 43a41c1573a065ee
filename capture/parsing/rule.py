"""One pattern of a parser, compiled: recognises frames, and picks the case that says what they mean."""

from __future__ import annotations

from functools import partial

from capture.console.frames import Frame
from capture.language import blocks, tables
from capture.language.model import Case, Parser, Pattern
from capture.language.patterns import Match, Matcher
from capture.language.readers import LineReader, StreamReader
from capture.parsing.outcome import Outcome
from capture.parsing.state import NOTHING, Reading, State, Waiting
from capture.parsing.wrapped import WrappedLine


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
            values = self.matcher.read(text, state.memory)
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
            state.woken += before.finish()
        match = matcher.match(text, self.timeout)
        if match is None:
            return None
        if not match.values.get(name):
            return self.mean(match, frame, state)
        column = matcher.find(text, self.timeout).start(name)
        column += len(text[column:]) - len(text[column:].lstrip())
        line = WrappedLine(match, frame, name, column, partial(self.mean, state=state))
        state.opened[key] = (line, frame.offset)
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
                case.wait, lambda memory: case.readings(match, frame, {**memory, **match.values}, state)
            )
            state.wait(later)
            return [NOTHING]
        readings = case.readings(match, frame, names, state)
        return None if case.as_ == "peek" else readings
