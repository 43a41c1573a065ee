"""Frames to records: the first format that recognises a frame has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from capture import patterns
from capture.fits import Fits
from capture.formats import Format, Naming
from capture.frames import FINAL, Frame
from capture.records import Record
from capture.rules import Renaming, Rule
from capture.state import Reading, State

TIME_LIMIT = 0.05  # seconds that a user's pattern may take on one line


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
        self._states: dict[str, State] = {}
        self._fits = Fits()
        self._last: dict[tuple[Any, ...], Reading] = {}
        self._open: dict[str | None, set[Rule]] = {}  # streams, and the tables and blocks that go on there
        self._recognised: set[str | None] = set()  # streams on whose current line a frame was recognised
        self._choose()

    def _choose(self) -> None:
        self._gate = patterns.gate(rule.matcher for rule in self.rules)

    def feed(self, frames: Iterable[Frame]) -> list[Record]:
        """The records of these frames."""
        search = self._gate.search if self._gate else None
        records: list[Record] = []
        for frame in frames:
            if frame.data and (search is None or search(frame.data) or frame.stream in self._open):
                records += self._read(frame)
            if frame.end in FINAL and (frame.data or frame.stream in self._recognised):
                self.lines += 1
                self.understood += frame.stream in self._recognised
                self._recognised.discard(frame.stream)
        return records

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        return [
            record
            for name, state in self._states.items()
            for reading in state.finish()
            for record in self._record(name, reading, None)
        ]

    def _read(self, frame: Frame) -> list[Record]:
        text, opened = frame.text, self._open.get(frame.stream, ())
        records: list[Record] = []
        for rule in list(self.rules):
            literals = rule.matcher.literals
            if rule not in opened and literals is not None and not any(text_ in text for text_ in literals):
                continue
            state = self._states.setdefault(rule.form.name, State())
            try:
                readings = rule.read(frame, text, state)
            except patterns.Timeout:
                self._switch_off(rule, f"took more than {TIME_LIMIT * 1000:.0f} ms on one line")
                continue
            except Exception as error:  # whatever is wrong with one pattern, the others read on
                self._switch_off(rule, f"failed on {text[:80]!r} ({error})")
                continue
            if rule.spans:
                self._note(rule, frame.stream, (rule, frame.stream) in state.opened)
            woken, state.woken = state.woken, []
            for reading in [*woken, *(readings or [])]:
                records += self._record(rule.form.name, reading, frame)
            if readings is not None:
                self._recognised.add(frame.stream)
                break
        return records

    def _note(self, rule: Rule, stream: str | None, goes_on: bool) -> None:
        """Remember which tables and blocks are open on a stream: their rows pass the gate."""
        rules = self._open.setdefault(stream, set())
        rules.add(rule) if goes_on else rules.discard(rule)
        if not rules:
            del self._open[stream]

    def _switch_off(self, rule: Rule, reason: str) -> None:
        self.rules.remove(rule)
        for stream in list(self._open):
            self._note(rule, stream, False)
        self._choose()
        pattern = rule.pattern.line or rule.pattern.regex or rule.matcher.source
        self.events.append(
            f"format {rule.form.name}: a pattern {reason} and is switched off for this run: {pattern}"
        )

    def _record(self, parser: str, reading: Reading, frame: Frame | None) -> list[Record]:
        frame = reading.frame or frame
        metrics = self._renaming(reading.metrics) if self._renaming else reading.metrics
        if frame is None or not (metrics or reading.config):
            return []
        key = (parser, *metrics)
        if frame.end != "newline" and self._last.get(key) == reading:  # only the clock of a bar moved
            return []
        self._last[key] = reading
        context = {"stream": frame.stream, **reading.context} if frame.stream else dict(reading.context)
        metric = next(iter(metrics), "")
        fit = self._fits.number(parser, metric, reading.context, reading.step, reading.epoch)
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
