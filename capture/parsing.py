"""Frames to records: the first format that recognises a frame has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from capture import bars, patterns
from capture.fits import Fits
from capture.formats import Format, Naming
from capture.frames import FINAL, Frame, Lines
from capture.literals import Required
from capture.records import Record
from capture.rules import Memory, Reading, Renaming, Rule
from capture.shapes import ByShape, zeroed

_DIGIT = re.compile("[0-9]")
TIME_LIMIT = 0.05  # seconds that a user's pattern may take on one line


@dataclass
class _State:
    """What one format remembers about one source of lines."""

    memory: Memory = field(default_factory=dict)
    shown: dict[Any, bars.Bar] = field(default_factory=dict)


class Candidates:
    """Tells which rules find a literal that they require in a text; all digits, being alike, are zeros in it.

    Asks all rules at once, then either half of them: most texts concern few.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._wants = patterns.gate(_zeroed(rule.matcher.literals) for rule in rules)
        half = len(rules) // 2
        self._halves = [Candidates(rules[:half]), Candidates(rules[half:])] if half else []

    def __call__(self, text: str, sure: bool = False) -> list[Rule]:
        if not sure and self._wants and not self._wants(text):
            return []
        if not self._halves:
            return [*self._rules]
        first, second = self._halves
        found = first(text)
        return found + second(text, sure=self._wants is not None and not found)


def _zeroed(literals: Required) -> Required:
    return None if literals is None else frozenset(_DIGIT.sub("0", literal) for literal in literals)


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
        self._states: dict[str, _State] = {}
        self._fits = Fits()
        self._last: dict[tuple[Any, ...], Reading] = {}
        self._recognised: set[str | None] = set()  # streams on whose current line a frame was recognised
        self.expecting: set[str | None] = set()  # streams on which rows without any literal may follow
        self._choose()

    def _choose(self) -> None:
        self._gate = patterns.gate(rule.matcher.literals for rule in self.rules)
        self.wants = self._gate or _always  # whether some pattern may recognise a text
        candidates = Candidates(self.rules)
        self._candidates = ByShape(lambda text: candidates(zeroed(text)))

    def wants_all(self, stream: str | None) -> bool:
        """Whether every frame of this stream has to be looked at now, whatever stands in it."""
        return self._gate is None or stream in self.expecting

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
        records = []
        for name, state in self._states.items():
            for bar in state.shown.values():
                for step, metrics in bar.finish():
                    assert bar.frame is not None  # noqa: S101  a bar with values was drawn
                    reading = Reading(step, bar.epoch, metrics, bar.context)
                    records += self._record(name, reading, bar.frame)
        return records

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        self._states.clear()
        self._last.clear()
        self._recognised.clear()
        self.expecting.clear()
        self._fits.resume()

    def _read(self, frame: Frame) -> list[Record]:
        text = frame.text
        candidates = self._candidates(text)
        for rule in candidates:
            state = self._states.get(rule.form.name) or self._states.setdefault(rule.form.name, _State())
            try:
                readings = rule.read(frame, text, state.memory, state.shown)
            except patterns.Timeout:
                self._switch_off(rule, f"took more than {TIME_LIMIT * 1000:.0f} ms on one line")
                continue
            except Exception as error:  # whatever is wrong with one pattern, the others read on
                self._switch_off(rule, f"failed on {text[:80]!r} ({error})")
                continue
            if readings is not None:
                self._recognised.add(frame.stream)
                if rule is not candidates[0]:  # the next lines of this shape need not ask in vain again
                    candidates[:] = [r for r in candidates if not r.matcher.rejects(text)]
                return [r for reading in readings for r in self._record(rule.form.name, reading, frame)]
        return []

    def _switch_off(self, rule: Rule, reason: str) -> None:
        self.rules.remove(rule)
        self._choose()
        pattern = rule.pattern.line or rule.pattern.regex
        self.events.append(
            f"format {rule.form.name}: a pattern {reason} and is switched off for this run: {pattern}"
        )

    def _record(self, parser: str, reading: Reading, frame: Frame) -> list[Record]:
        metrics = self._renaming(reading.metrics) if self._renaming else reading.metrics
        if not metrics and not reading.config:
            return []
        key = (parser, *metrics)
        if frame.end != "newline" and self._last.get(key) == reading:  # only the clock of a bar moved
            return []
        self._last[key] = reading
        context = {"stream": frame.stream, **reading.context} if frame.stream else dict(reading.context)
        metric = next(iter(metrics), "")
        place = self._fits.place(parser, metric, reading.context, reading.step, reading.epoch)
        if place.fit > 1:
            context["fit"] = place.fit
        return [
            Record(
                frame.time,
                parser,
                place.step,
                place.epoch,
                metrics,
                context,
                (frame.offset, frame.span),
                reading.config,
            )
        ]


def _always(text: str) -> bool:
    return True
