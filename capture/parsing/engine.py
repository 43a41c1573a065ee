"""Frames to records: the first parser that recognises a line reads it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence

from capture.console.frames import FINAL, LINE_LIMIT, Frame, Lines
from capture.console.prefixes import Prefixes, View, unix_time
from capture.language.model import Naming, Parser
from capture.language.patterns import Timeout
from capture.parsing import glued
from capture.parsing.downsampling import Downsampler
from capture.parsing.index import RuleIndex
from capture.parsing.plans import Plans, Shape
from capture.parsing.record_builder import RecordBuilder
from capture.parsing.rule import ReadLine, Rule
from capture.parsing.sources import Source, Sources
from capture.parsing.state import Reading
from capture.records import Record

TIME_LIMIT = 0.05  # seconds that a user's pattern may take on one line
_new = tuple.__new__


class Engine:
    """Turns frames into records.  The same frames give the same records.

    Arguments:
    parsers: the built-in parsers, in the order in which they are tried.
    own: the user's parsers, which come first and run under a time limit.
    naming: what the user's configuration renames, drops and scales.
    downsampler: what `--every` asks for.
    on_line: is called with what the rules make of a line; not of lines that are only counted, or that a plan
        reads.
    plans: whether lines are read by plans where there is one: faster, with the same records.

    `lines` counts the finished lines, `understood` those of which some pattern recognised a frame; `events`
    are messages for the user; `plans` are those that are made so far.
    """

    def __init__(
        self,
        parsers: Sequence[Parser],
        own: Sequence[Parser] = (),
        naming: Naming | None = None,
        downsampler: Downsampler | None = None,
        on_line: Callable[[ReadLine], None] | None = None,
        plans: bool = True,
    ) -> None:
        self.rules = [Rule(parser, pattern, TIME_LIMIT) for parser in own for pattern in parser.patterns]
        self.rules += [Rule(parser, pattern) for parser in parsers for pattern in parser.patterns]
        self._index = RuleIndex(self.rules)
        self._order = {rule: index for index, rule in enumerate(self.rules)}
        self._naming, self._downsampler = naming, downsampler
        self._on_line = on_line
        self._plans = plans
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Nothing has been read."""
        self.lines = self.understood = 0
        self.events: list[str] = []
        self._prefixes = Prefixes()
        self._sources = Sources()
        self._builder = RecordBuilder(self._naming, self._downsampler)
        self.plans = Plans() if self._plans else None
        self._beginning: dict[
            str | None, list[Rule]
        ] = {}  # streams without metrics, and the rules that read them
        self._established: set[str] = set()  # parsers that have recognised more than a heading and config
        self._recognised: set[str | None] = set()  # streams on whose current line a frame was recognised

    def anew(
        self,
        naming: Naming | None = None,
        downsampler: Downsampler | None = None,
        on_line: Callable[[ReadLine], None] | None = None,
    ) -> Engine:
        """An engine of the same parsers that has read nothing, in a hundredth of the time of making one."""
        other = copy.copy(self)
        other._naming, other._downsampler, other._on_line = naming, downsampler, on_line
        other._begin_anew()
        return other

    def begin(self, stream: str | None) -> None:
        """Begin a stream: some parsers read all its lines before the first metrics."""
        source = self._sources.anonymous
        for rule in self.rules:
            if rule.begin(stream, source.states[rule.parser.name]):
                self._sources.set_open(source, rule, stream, True)
                self._beginning.setdefault(stream, []).append(rule)

    def _end_beginning(self, stream: str | None) -> None:
        """The first metrics of a stream have come."""
        source = self._sources.anonymous
        for rule in self._beginning.pop(stream):
            source.states[rule.parser.name].unfinished.pop((rule, stream), None)
            self._sources.set_open(source, rule, stream, False)

    def feed(self, frames: Iterable[Frame | Lines]) -> list[Record]:
        """The records that these frames complete.

        Those that may mean something are read, the others are counted.
        """
        records: list[Record] = []
        for item in frames:
            if isinstance(item, Lines):
                self.lines += item.shown
                records += self._read_lines(item)
                continue
            data, end, _, _, _, stream, _ = item
            if end in FINAL and (data or stream in self._recognised):
                self.lines += 1
            text = data.decode("utf-8", "replace")
            if self._on_line or stream in self._sources.open or self._index.may_match(text):
                records += self._read(item, text)
            if end in FINAL:
                self._end_line(stream)
        return records

    def _read_lines(self, lines: Lines) -> list[Record]:
        """The records of the lines that hold a text which some rule requires; of all while a table is open.

        Reading a line may open a table or close it.
        """
        records: list[Record] = []
        data, texts, offset, time, stream, cleared, is_bare = lines
        opened, read, may_match = self._sources.open, self._read, self._index.may_match
        done = 0
        for index, text in enumerate(texts):
            if not may_match(text) and stream not in opened:
                continue
            if index > done:
                offset += sum(map(len, data[done:index])) + index - done
            line = data[index]
            span = len(line)
            if is_bare and span <= LINE_LIMIT:
                frame = _new(Frame, (line, "newline", offset, span, time, stream, cleared))
            else:
                frame = lines.frame(index, offset)
                text = frame.text
            records += read(frame, text)
            self._end_line(stream)
            offset += span + 1
            done = index + 1
        return records

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        readers = [rule for rule in self.rules if rule.line_reader]
        records = [
            record
            for source in self._sources
            for parser, state in source.states.items()
            for held in (state.finish(), *(rule.finish(state) for rule in readers))
            for reading in held
            for record in self._builder.build(parser, reading, None, source)
        ]
        return records + self._builder.finish()

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        self._sources.resume()
        self._beginning.clear()
        self._recognised.clear()

    def _read(self, frame: Frame, text: str) -> list[Record]:
        """The records of a frame of this text: by the plan for its shape if there is one, or by the rules."""
        data, _, _, _, time, stream, _ = frame
        if not data:
            return []
        shape = self.plans.of(data, text) if self.plans else None
        if shape is None:
            return self._read_by_rules(frame, self.plans)
        is_open = stream in self._sources.open
        source = self._sources.of(shape.context)
        if is_open and not self._comes_first(shape.rule, stream, source):
            return self._read_by_rules(frame)
        if shape.stamp and time is None:
            frame = frame._replace(time=unix_time(text[shape.stamp]))
        if shape.plan:
            by_plan = self._read_by_plan(frame, text, shape, source)
            if by_plan is not None:
                return by_plan
        return self._read_by_rules(frame) if is_open else self._read_line(frame, shape.views(text), text)

    def _read_by_rules(self, frame: Frame, plans: Plans | None = None) -> list[Record]:
        """The records of a frame, whatever its shape is; `plans` learn this, if they are given."""
        records = []
        text = frame.text
        lines = glued.peel(self._prefixes, text, frame.stream)
        for line in lines:
            of_line = frame._replace(end="text") if line.is_bar else frame
            if frame.time is None and line.stamp:
                of_line = of_line._replace(time=unix_time(line.stamp))
            is_open = frame.stream in self._sources.open
            may_read = self._with_open(frame.stream, line.views) if is_open else self._candidates(line.views)
            records += self._read_line(of_line, may_read, line.views[0].text)
            if len(lines) == 1 and plans:
                plans.add(frame, line, self._candidates(line.views) if is_open else may_read)
        return records

    def _read_by_plan(self, frame: Frame, text: str, shape: Shape, source: Source) -> list[Record] | None:
        """The records of a line of whose shape there is a plan; None if the rules have to be asked."""
        rule, plan, texts, parser = shape.rule, shape.plan, shape.texts, shape.parser
        if rule is None or plan is None or texts is None:
            return None
        if shape.fixed is not None and shape.fixed(text) != shape.expected:
            return None
        state, stream = source.states[parser], frame.stream
        if rule.line_reader:
            state.alone = self._is_alone(parser)
        try:
            readings = plan(frame, texts(text), state)
        except Exception:  # as in `_ask`: the rule says what is wrong with its pattern
            return None
        if readings is None:
            return None
        if rule.spans_lines and (state.unfinished or self._sources.open):
            self._sources.set_open(source, rule, stream, (rule, stream) in state.unfinished)
        if rule.draws_bar:
            source.tell_epoch(state.epoch_of_bar)
        self._established.add(parser)
        self._recognised.add(stream)
        build = self._builder.build
        if len(readings) == 1:
            return build(parser, readings[0], frame, source)
        return [record for reading in readings for record in build(parser, reading, frame, source)]

    def _comes_first(self, rule: Rule | None, stream: str | None, source: Source) -> bool:
        """Whether no rule with a table, block or list of the source open on the stream is asked before it."""
        opened = (other for where, other in source.open if where == stream)
        return rule is not None and all(self._order[rule] <= self._order[other] for other in opened)

    def _end_line(self, stream: str | None) -> None:
        """Count a finished line of a stream if a frame on it was recognised."""
        if stream in self._recognised:
            self.understood += 1
            self._recognised.discard(stream)

    def _read_line(self, frame: Frame, candidates: Sequence[tuple[Rule, View]], text: str) -> list[Record]:
        """The records of one line.  The first rule that recognises it reads it; headings are read by more.

        `Epoch 3/25` looks the same to many parsers, and each of them may remember it.

        candidates: the rules that may read the line, each with the view in which it may
        text: the line's without its prefixes
        """
        records: list[Record] = []
        first: Rule | None = None
        read_in = ""
        headings: set[str] = set()  # parsers that have recognised the line as a heading
        in_vain = False
        for rule, view in candidates:
            if headings and (not rule.reads_headings or rule.parser.name in headings):
                continue
            source = self._sources.of(view.context)
            if rule.line_reader:
                source.states[rule.parser.name].in_heading = bool(headings)
            readings = self._ask(rule, frame, view.text, source, records)
            if readings is None:
                in_vain = True
                continue
            if rule.draws_bar:
                source.tell_epoch(source.states[rule.parser.name].epoch_of_bar)
            if in_vain:
                self._index.forget_rejecting(view.text)
            for reading in readings:
                records += self._builder.build(rule.parser.name, reading, frame, source)
            if first is None:
                first, read_in = rule, view.text
            if rule.pattern.as_ != "context":
                self._note_recognition(rule, frame.stream, records)
                break
            headings.add(rule.parser.name)
        if first is not None:
            self._recognised.add(frame.stream)
        if self._on_line:
            self._on_line(ReadLine(text, first, read_in, records))
        return records

    def _note_recognition(self, rule: Rule, stream: str | None, records: Sequence[Record]) -> None:
        """Note that a rule has recognised more than a heading."""
        if rule.pattern.as_ != "config":
            self._established.add(rule.parser.name)
        if stream in self._beginning and any(record.metrics for record in records):
            self._end_beginning(stream)

    def _candidates(self, views: Sequence[View]) -> list[tuple[Rule, View]]:
        """The rules that may read a line for its text, in their order, each with the view in which it may."""
        if len(views) == 1:
            return [(rule, views[0]) for rule in self._index(views[0].text)]
        return self._in_order((rule, view) for view in views for rule in self._index(view.text))

    def _with_open(self, stream: str | None, views: Sequence[View]) -> list[tuple[Rule, View]]:
        """These rules, and those that have a table, block or list open on the stream: they read any text."""
        found = []
        for view in views:
            opened = {rule for where, rule in self._sources.of(view.context).open if where == stream}
            found += [(rule, view) for rule in {*self._index(view.text), *opened}]
        return self._in_order(found)

    def _in_order(self, candidates: Iterable[tuple[Rule, View]]) -> list[tuple[Rule, View]]:
        return sorted(candidates, key=lambda pair: self._order[pair[0]])

    def _ask(
        self, rule: Rule, frame: Frame, text: str, source: Source, records: list[Record]
    ) -> list[Reading] | None:
        """What a rule reads in a text; None if it does not recognise it.

        Records of lines that had waited for this one are added to `records`.
        """
        state = source.states[rule.parser.name]
        if rule.line_reader:
            state.alone = self._is_alone(rule.parser.name)
        try:
            readings = rule.read(frame, text, state)
        except Timeout:
            self._switch_off(rule, f"took more than {TIME_LIMIT * 1000:.0f} ms on one line")
            return None
        except Exception as error:  # whatever is wrong with one pattern, the others read on
            self._switch_off(rule, f"failed on {text[:80]!r} ({error})")
            return None
        if rule.spans_lines:
            self._sources.set_open(source, rule, frame.stream, (rule, frame.stream) in state.unfinished)
        if state.late_readings:
            woken, state.late_readings = state.late_readings, []
            for reading in woken:
                records += self._builder.build(rule.parser.name, reading, frame, source)
        return readings

    def _is_alone(self, parser: str) -> bool:
        """Whether no other parser has recognised a line yet."""
        return len(self._established) <= (parser in self._established)

    def _switch_off(self, rule: Rule, reason: str) -> None:
        if rule not in self.rules:
            return
        self.rules = [other for other in self.rules if other is not rule]
        self._sources.close(rule)
        self._index = RuleIndex(self.rules)
        if self.plans:
            self.plans.clear()
        pattern = rule.pattern.source or rule.parser.title
        self.events.append(
            f"parser {rule.parser.name}: a pattern {reason} and is switched off for this run: {pattern}"
        )
