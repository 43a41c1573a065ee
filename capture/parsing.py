"""Frames to records: the first format that recognises a frame has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capture import bars, patterns
from capture.fits import Fits
from capture.formats import Format, Naming
from capture.frames import FINAL, Frame
from capture.prefixes import Line, Prefixes, unix_time
from capture.readers import ALONE, Memory
from capture.records import Record
from capture.rules import Reading, Renaming, Rule

TIME_LIMIT = 0.05  # seconds that a user's pattern may take on one line
MOST_SOURCES = 4096  # ranks and workers that are told apart


@dataclass
class _State:
    """What one format remembers about one source of lines."""

    memory: Memory = field(default_factory=dict)
    shown: dict[Any, bars.Bar] = field(default_factory=dict)


@dataclass
class _Source:
    """Who prints the lines: a rank, a worker, or nobody in particular.  Each is a run of its own."""

    context: Mapping[str, Any]
    states: dict[str, _State] = field(default_factory=dict)
    fits: Fits = field(default_factory=Fits)
    last: dict[tuple[Any, ...], Reading] = field(default_factory=dict)


class Parser:
    """Turns frames into records.  The same frames give the same records.

    `own` are the user's formats, which come first and run under a time limit.  `lines` counts the
    finished lines, `understood` those of which some pattern recognised a frame; `events` are
    messages for the user.
    """

    def __init__(
        self, formats: Sequence[Format], own: Sequence[Format] = (), naming: Naming | None = None
    ) -> None:
        self.rules = [Rule(form, pattern, TIME_LIMIT) for form in own for pattern in form.patterns]
        self.rules += [Rule(form, pattern) for form in formats for pattern in form.patterns]
        self.lines = self.understood = 0
        self.events: list[str] = []
        self._renaming = Renaming(naming) if naming else None
        self._prefixes = Prefixes()
        self._sources: dict[tuple[Any, ...], _Source] = {(): _Source({})}
        self._recognised: set[str | None] = set()  # streams on whose current line a frame was recognised
        self._known: set[str] = set()  # formats that have recognised more than a heading
        self._choose()

    def _choose(self) -> None:
        self._gate = patterns.gate(rule.matcher for rule in self.rules)

    def feed(self, frames: Iterable[Frame]) -> list[Record]:
        """The records of these frames."""
        search = self._gate.search if self._gate else None
        records: list[Record] = []
        for frame in frames:
            if frame.data and (search is None or search(frame.data)):
                records += self._read(frame)
            if frame.end in FINAL and (frame.data or frame.stream in self._recognised):
                self.lines += 1
                self.understood += frame.stream in self._recognised
                self._recognised.discard(frame.stream)
        return records

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        records = []
        for source in self._sources.values():
            for name, state in source.states.items():
                for bar in state.shown.values():
                    for step, metrics in bar.finish():
                        assert bar.frame is not None  # noqa: S101  a bar with values was drawn
                        reading = Reading(step, bar.epoch, metrics, bar.context)
                        records += self._record(name, reading, bar.frame, source)
        return records

    def _read(self, frame: Frame) -> list[Record]:
        records = []
        for line in self._prefixes.peel(frame.text, frame.stream):
            timed = frame
            if frame.time is None and line.stamp:
                timed = frame._replace(time=unix_time(line.stamp))
            records += self._line(timed, line)
        return records

    def _line(self, frame: Frame, line: Line) -> list[Record]:
        headed: set[str] = set()  # `Epoch 3/25` looks the same to many formats: all may remember it
        for rule in list(self.rules):
            if headed and (rule.pattern.as_ != "context" or rule.form.name in headed):
                continue
            literals = rule.matcher.literals
            for text, context in line.views:
                if literals is not None and not any(literal in text for literal in literals):
                    continue
                source = self._source(context)
                state = source.states.setdefault(rule.form.name, _State())
                if rule.pattern.reader:
                    state.memory[ALONE] = not self._known - {rule.form.name}
                try:
                    readings = rule.read(frame, text, state.memory, state.shown)
                except patterns.Timeout:
                    self._switch_off(rule, f"took more than {TIME_LIMIT * 1000:.0f} ms on one line")
                    break
                except Exception as error:  # whatever is wrong with one pattern, the others read on
                    self._switch_off(rule, f"failed on {text[:80]!r} ({error})")
                    break
                if readings is not None:
                    self._recognised.add(frame.stream)
                    if rule.pattern.as_ == "context":
                        headed.add(rule.form.name)
                        break
                    name = rule.form.name
                    self._known.add(name)
                    return [r for reading in readings for r in self._record(name, reading, frame, source)]
        return []

    def _source(self, context: Mapping[str, Any]) -> _Source:
        key = tuple(sorted(context.items()))
        if key not in self._sources and len(self._sources) < MOST_SOURCES:
            self._sources[key] = _Source(context)
        return self._sources.get(key) or self._sources[()]

    def _switch_off(self, rule: Rule, reason: str) -> None:
        self.rules.remove(rule)
        self._choose()
        pattern = rule.pattern.line or rule.pattern.regex or rule.pattern.reader
        self.events.append(
            f"format {rule.form.name}: a pattern {reason} and is switched off for this run: {pattern}"
        )

    def _record(self, parser: str, reading: Reading, frame: Frame, source: _Source) -> list[Record]:
        metrics = self._renaming(reading.metrics) if self._renaming else reading.metrics
        if not metrics and not reading.config:
            return []
        key = (parser, *reading.context.items(), *metrics)
        if frame.end != "newline" and source.last.get(key) == reading:  # only the clock of a bar moved
            return []
        source.last[key] = reading
        context = {**source.context, **reading.context}
        if frame.stream:
            context = {"stream": frame.stream, **context}
        metric = next(iter(metrics), "")
        fit = source.fits.number(parser, metric, reading.context, reading.step, reading.epoch)
        if fit > 1:
            context["fit"] = fit
        return [
            Record(
                time=frame.time,
                parser=parser,
                step=reading.step,
                epoch=reading.epoch,
                metrics=metrics,
                context=context,
                at=(frame.offset, frame.span),
                config=reading.config,
            )
        ]
