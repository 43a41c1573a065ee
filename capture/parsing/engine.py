"""Frames to records: the first parser that recognises a frame has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capture.console.frames import FINAL, Frame, Lines
from capture.console.prefixes import PeeledLine, Prefixes, View, unix_time
from capture.language import patterns
from capture.language.model import Naming, Parser
from capture.language.readers import ALONE
from capture.language.required_text import prefilter
from capture.language.shape_cache import ShapeCache, zeroed
from capture.parsing.downsampling import Downsampler
from capture.parsing.index import RuleIndex
from capture.parsing.renaming import Renaming
from capture.parsing.restarts import Restarts
from capture.parsing.rule import Rule
from capture.parsing.state import Reading, State
from capture.records import Record

TIME_LIMIT = 0.05  # seconds that a user's pattern may take on one line
MOST_SOURCES = 4096  # ranks and workers that are told apart


@dataclass
class _Source:
    """Who prints the lines: a rank, a worker, or nobody in particular.  Each is a run of its own."""

    context: Mapping[str, Any]
    states: dict[str, State] = field(default_factory=dict)
    fits: Restarts = field(default_factory=Restarts)
    last: dict[tuple[Any, ...], Reading] = field(default_factory=dict)
    open: set[tuple[str | None, Rule]] = field(default_factory=set)  # tables and blocks that go on, by stream

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        self.states.clear()
        self.last.clear()
        self.open.clear()
        self.fits.resume()


class Engine:
    """Turns frames into records.  The same frames give the same records.

    `own` are the user's parsers, which come first and run under a time limit.  `lines` counts the
    finished lines, `understood` those of which some pattern recognised a frame; `events` are
    messages for the user.
    """

    def __init__(
        self,
        parsers: Sequence[Parser],
        own: Sequence[Parser] = (),
        naming: Naming | None = None,
        downsampler: Downsampler | None = None,
    ) -> None:
        self.rules = [Rule(parser, pattern, TIME_LIMIT) for parser in own for pattern in parser.patterns]
        self.rules += [Rule(parser, pattern) for parser in parsers for pattern in parser.patterns]
        self.lines = self.understood = 0
        self.events: list[str] = []
        self._order = {rule: index for index, rule in enumerate(self.rules)}
        self._renaming = Renaming(naming) if naming else None
        self._downsampler = downsampler
        self._prefixes = Prefixes()
        self._sources: dict[tuple[Any, ...], _Source] = {(): _Source({})}
        self._open: dict[str | None, int] = {}  # streams, and how many tables and blocks go on there
        self._beginning: dict[str | None, list[Rule]] = {}  # streams without metrics, and who reads all there
        self._known: set[str] = set()  # parsers that have recognised more than a heading and config
        self._recognised: set[str | None] = set()  # streams on whose current line a frame was recognised
        self._choose()

    def _choose(self) -> None:
        self._gate = prefilter(rule.matcher.literals for rule in self.rules)
        self.wants = self._gate or _always  # whether some pattern may recognise a text
        candidates = RuleIndex(self.rules)
        self._candidates = ShapeCache(lambda text: candidates(zeroed(text)))

    def wants_all(self, stream: str | None) -> bool:
        """Whether every frame of this stream has to be looked at now, whatever stands in it."""
        return self._gate is None or stream in self._open

    def begin(self, stream: str | None) -> None:
        """Begin a stream: some parsers look at all its lines before the first metrics."""
        source = self._sources[()]
        for rule in self.rules:
            if rule.begin(stream, source.states.setdefault(rule.parser.name, State())):
                self._note(rule, stream, source, True)
                self._beginning.setdefault(stream, []).append(rule)

    def _measures(self, stream: str | None) -> None:
        """The first metrics of a stream: its beginning is over."""
        source = self._sources[()]
        for rule in self._beginning.pop(stream):
            source.states[rule.parser.name].opened.pop((rule, stream), None)
            self._note(rule, stream, source, False)

    def feed(self, frames: Iterable[Frame | Lines]) -> list[Record]:
        """The records of these frames."""
        records: list[Record] = []
        for frame in frames:
            if isinstance(frame, Lines):
                self.lines += frame.shown
                continue
            if frame.data:
                records += self._read(frame)
            if frame.end in FINAL and (frame.data or frame.stream in self._recognised):
                self.lines += 1
                self.understood += frame.stream in self._recognised
                self._recognised.discard(frame.stream)
        return records

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        records = [
            record
            for source in self._sources.values()
            for name, state in source.states.items()
            for reading in state.finish()
            for record in self._record(name, reading, None, source)
        ]
        return records + self._downsampler.rest() if self._downsampler else records

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        for source in self._sources.values():
            source.resume()
        self._open.clear()
        self._beginning.clear()
        self._recognised.clear()

    def _read(self, frame: Frame) -> list[Record]:
        records = []
        for line in self._prefixes.peel(frame.text, frame.stream):
            timed = frame
            if frame.time is None and line.stamp:
                timed = frame._replace(time=unix_time(line.stamp))
            records += self._line(timed, line)
        return records

    def _line(self, frame: Frame, line: PeeledLine) -> list[Record]:
        records: list[Record] = []
        headed: set[str] = set()  # `Epoch 3/25` looks the same to many parsers: all may remember it
        for rule, view, vainly in self._in_question(frame.stream, line.views):
            if headed and (rule.pattern.as_ != "context" or rule.parser.name in headed):
                continue
            source = self._source(view.context)
            readings = self._ask(rule, frame, view.text, source, records)
            if readings is None:
                continue
            self._recognised.add(frame.stream)
            records += [
                r for reading in readings for r in self._record(rule.parser.name, reading, frame, source)
            ]
            if vainly and rule is not vainly[0]:  # the next lines of this shape need not ask in vain again
                vainly[:] = [r for r in vainly if not r.matcher.rejects(view.text)]
            if rule.pattern.as_ != "context":
                if rule.pattern.as_ != "config":
                    self._known.add(rule.parser.name)
                if frame.stream in self._beginning and any(record.metrics for record in records):
                    self._measures(frame.stream)
                return records
            headed.add(rule.parser.name)
        return records

    def _in_question(
        self, stream: str | None, views: Sequence[View]
    ) -> Iterator[tuple[Rule, View, list[Rule]]]:
        """The rules that may know the line, in their order, each with the view and all rules for that."""
        found = []
        for view in views:
            rules = self._candidates(view.text)
            if stream in self._open:
                opened = {rule for where, rule in self._source(view.context).open if where == stream}
                rules = sorted({*rules, *opened}, key=self._order.__getitem__)
            found.append((view, rules))
        if len(found) == 1:
            view, rules = found[0]
            yield from ((rule, view, rules) for rule in list(rules))
            return
        ordered = [
            (self._order[rule], n, rule, view, rules)
            for n, (view, rules) in enumerate(found)
            for rule in rules
        ]
        yield from ((rule, view, rules) for _, _, rule, view, rules in sorted(ordered, key=lambda o: o[:2]))

    def _ask(
        self, rule: Rule, frame: Frame, text: str, source: _Source, records: list[Record]
    ) -> list[Reading] | None:
        """What a rule makes of a text.  What it has waited for that long goes to the records."""
        state = source.states.get(rule.parser.name) or source.states.setdefault(rule.parser.name, State())
        if rule.is_reader:
            state.memory[ALONE] = not self._known - {rule.parser.name}
        try:
            readings = rule.read(frame, text, state)
        except patterns.Timeout:
            self._switch_off(rule, f"took more than {TIME_LIMIT * 1000:.0f} ms on one line")
            return None
        except Exception as error:  # whatever is wrong with one pattern, the others read on
            self._switch_off(rule, f"failed on {text[:80]!r} ({error})")
            return None
        if rule.spans_lines:
            self._note(rule, frame.stream, source, (rule, frame.stream) in state.opened)
        if state.woken:
            woken, state.woken = state.woken, []
            for reading in woken:
                records += self._record(rule.parser.name, reading, frame, source)
        return readings

    def _note(self, rule: Rule, stream: str | None, source: _Source, goes_on: bool) -> None:
        """Remember which tables and blocks are open on a stream: their rows pass the gate."""
        key = (stream, rule)
        if goes_on == (key in source.open):
            return
        source.open.add(key) if goes_on else source.open.discard(key)
        self._open[stream] = self._open.get(stream, 0) + (1 if goes_on else -1)
        if not self._open[stream]:
            del self._open[stream]

    def _source(self, context: Mapping[str, Any]) -> _Source:
        if not context:
            return self._sources[()]
        key = tuple(sorted(context.items()))
        if key not in self._sources and len(self._sources) < MOST_SOURCES:
            self._sources[key] = _Source(context)
        return self._sources.get(key) or self._sources[()]

    def _switch_off(self, rule: Rule, reason: str) -> None:
        if rule not in self.rules:
            return
        self.rules.remove(rule)
        for source in self._sources.values():
            for stream, opened in list(source.open):
                if opened is rule:
                    self._note(rule, stream, source, False)
        self._choose()
        pattern = rule.pattern.source or rule.parser.title
        self.events.append(
            f"parser {rule.parser.name}: a pattern {reason} and is switched off for this run: {pattern}"
        )

    def _record(self, parser: str, reading: Reading, frame: Frame | None, source: _Source) -> list[Record]:
        frame = reading.frame or frame
        metrics = self._renaming(reading.metrics) if self._renaming else reading.metrics
        if frame is None or not (metrics or reading.config):
            return []
        key = (parser, *reading.context.items(), *metrics) if reading.context else (parser, *metrics)
        if frame.end != "newline" and source.last.get(key) == reading:  # only the clock of a bar moved
            return []
        source.last[key] = reading
        context = {**source.context, **reading.context}
        if frame.stream:
            context = {"stream": frame.stream, **context}
        metric = next(iter(metrics), "")
        place = source.fits.place(parser, metric, reading.context, reading.step, reading.epoch)
        if place.fit > 1:
            context["fit"] = place.fit
        at = (frame.offset, frame.span)
        record = Record(frame.time, parser, place.step, place.epoch, metrics, context, at, reading.config)
        if self._downsampler is None:
            return [record]
        series = (key, *sorted(source.context.items()))
        return self._downsampler.add(series, record, live=frame.end not in FINAL)


def _always(text: str) -> bool:
    return True
