"""What is known of lines of one shape: which rules may read them, and a plan for those that one always reads.

A program prints the same few lines over and over with other numbers.  For the second line of a shape it is
noted where its text without prefixes begins and which rules still come into question; if a single
expression recognises it, a plan (see `plan_source`) is made of what that means.  The interpreter (`Rule`)
says what is right, and reads what no plan does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from capture.console.frames import Frame
from capture.console.prefixes import PeeledLine, View, depends_on_digits
from capture.language import key_values
from capture.language.patterns import Spans, ValueSpan
from capture.language.shape_cache import MAX_LENGTH, ZEROS, shape_of
from capture.parsing import bars, plan_source, reader_plan
from capture.parsing.plan_expressions import NotPlanned
from capture.parsing.plan_source import Found, Label, Plan, Read
from capture.parsing.rule import Rule

MOST_SHAPES = 2048
MOST_PRINTERS = 256  # ranks and workers
MOST_PLANS = 512

Take = Callable[[str], "tuple[str, ...]"]
Candidates = Sequence[tuple[Rule, View]]
_DIGIT = re.compile("[0-9]")


@dataclass(slots=True)  # read faster than a NamedTuple
class Shape:
    """What is known of all lines of one shape.

    candidates: the rules that may read them, each with where the text is that it reads
    stamp: where the time of their prefix is
    context: the rank or worker that prints them
    rule: whose plan there is; None if there is none
    parser: the name of its parser
    texts: takes the texts that the plan wants out of a line
    fixed: takes those out of it that have to be as `expected`: names with digits
    """

    candidates: Sequence[tuple[Rule, slice]]
    stamp: slice | None
    context: Mapping[str, Any]
    rule: Rule | None = None
    parser: str = ""
    plan: Plan | None = None
    texts: Take | None = None
    fixed: Take | None = None
    expected: Sequence[str] = ()

    def views(self, text: str) -> list[tuple[Rule, View]]:
        """The rules that may read this line, each with the view in which it may."""
        return [(rule, View(text[where], self.context)) for rule, where in self.candidates]


@dataclass(slots=True)
class _Printed:
    """What is known of a shape for each rank or worker that prints such lines; `by` takes it out of them."""

    by: Take
    shapes: dict[tuple[str, ...], Shape] = field(default_factory=dict)


class Plans:
    """The shapes of lines that have come twice."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape | _Printed] = {}
        self._seen: set[tuple[bytes, tuple[str, ...]]] = set()
        self._plans: dict[Found, tuple[Plan | None, str]] = {}

    def of(self, data: bytes, text: str) -> Shape | None:
        """What is known of the shape of a frame's bytes, whose text this is; None if nothing is."""
        known = self._shapes.get(data.translate(ZEROS))
        return known.shapes.get(known.by(text)) if isinstance(known, _Printed) else known

    @property
    def sources(self) -> list[tuple[Rule, str]]:
        """The plans in Python, each with the rule whose lines it reads."""
        return [(found.rule, source) for found, (plan, source) in self._plans.items() if plan]

    def clear(self) -> None:
        """Forget everything: other rules come into question now."""
        self._shapes.clear()
        self._seen.clear()
        self._plans.clear()

    def add(self, frame: Frame, line: PeeledLine, candidates: Candidates) -> None:
        """Learn the shape of a line that has been read, and comes for the second time.

        line: the only one that is on the console's
        candidates: the rules that may read it, each with the view in which it may
        """
        text = frame.text
        key, by = shape_of(frame.data), _take(line.printed_by)
        if len(key) > MAX_LENGTH or depends_on_digits(line, text):
            return
        if (key, by(text)) not in self._seen:
            if len(self._seen) >= MOST_SHAPES:
                self._seen.clear()
            self._seen.add((key, by(text)))
            return
        self._seen.discard((key, by(text)))
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        known = self._shape(text, line, candidates)
        if known is None:
            return
        if not line.printed_by:
            self._shapes[key] = known
            return
        printed = self._shapes.setdefault(key, _Printed(by))
        if isinstance(printed, _Printed):
            if len(printed.shapes) >= MOST_PRINTERS:
                printed.shapes.clear()
            printed.shapes[by(text)] = known

    def _shape(self, text: str, line: PeeledLine, candidates: Candidates) -> Shape | None:
        """What is known of the shape of a text; None if it can't be said where its parts are."""
        left = [(rule, view) for rule, view in candidates if not rule.matcher.rejects(view.text)]
        places = {view.text: _place(text, view.text) for _, view in left}
        stamp = _place(text, line.stamp) if line.stamp else None
        if None in places.values() or (line.stamp and stamp is None):
            return None
        found = [(rule, places[view.text] or slice(0)) for rule, view in left]
        known = Shape(found, stamp, line.views[0].context)
        if not left:
            return known
        rule, view = left[0]
        planned = self._plan_of(rule, view.text)
        if planned is None:
            return known
        plan, texts, fixed = planned
        start = (places[view.text] or slice(0)).start
        texts, fixed = (
            [slice(start + part.start, start + part.stop) for part in parts] for parts in (texts, fixed)
        )
        known.rule, known.parser = rule, rule.parser.name
        known.plan, known.texts = plan, _take(texts)
        if fixed:
            known.fixed = _take(fixed)
            known.expected = known.fixed(text)
        return known

    def _plan_of(self, rule: Rule, text: str) -> tuple[Plan, list[slice], list[slice]] | None:
        """The plan for a text of this shape, where its texts are, and those that have to be the same."""
        if (spans := rule.known_spans(text)) is not None:
            found, texts, fixed = _found(rule, text, spans)
            plan, _ = self._plan(found)
            return (plan, texts, fixed) if plan else None
        if (of_line := rule.line_plan(text)) is not None:
            plan = reader_plan.plan(rule, of_line, lambda found: self._plan(found)[0])
            return (plan, [*of_line.texts], [*of_line.fixed]) if plan else None
        return None

    def _plan(self, found: Found) -> tuple[Plan | None, str]:
        """The plan for lines in which this is found, and its source; None if the interpreter reads them."""
        if found not in self._plans:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            try:
                source = plan_source.source(found)
                self._plans[found] = plan_source.compiled(source), source
            except NotPlanned:
                self._plans[found] = None, ""
        return self._plans[found]


def _place(text: str, part: str) -> slice | None:
    """Where a part of a text is; None if it is there more than once."""
    start = text.find(part)
    return None if start < 0 or text.find(part, start + 1) >= 0 else slice(start, start + len(part))


def _take(parts: Sequence[slice]) -> Take:
    """Takes these parts out of a text."""
    if not parts:
        return lambda text: ()
    if len(parts) == 1:
        return lambda text: (text[parts[0]],)
    return itemgetter(*parts)


def _found(rule: Rule, text: str, spans: Spans) -> tuple[Found, list[slice], list[slice]]:
    """What a rule finds in a text, where, and where the names with digits are, which have to be the same."""
    shown = {span.name: span for span in spans.values}
    values = tuple((name, read) for name, read, _, _ in spans.values)
    texts = [slice(start, end) for _, _, start, end in spans.values]
    pairs: list[tuple[str, Read]] = []
    keys: list[slice] = []
    for key_start, key_end, suffix, read, start, end in spans.pairs:
        pairs.append((text[key_start:key_end].strip() + suffix, read))
        keys.append(slice(key_start, key_end))
        texts.append(slice(start, end))
    for name in rule.pattern.pairs:
        inside, start = _shown(text, shown.get(name))
        for key_start, key_end, at, stop, read in key_values.spans(inside):
            pairs.append((inside[key_start:key_end], read))
            keys.append(slice(start + key_start, start + key_end))
            texts.append(slice(start + at, start + stop))
    label = None
    if rule.pattern.bar and rule.pattern.bar.label in shown:
        description, _ = _shown(text, shown[rule.pattern.bar.label])
        label = Label(bars.bar_name(description), bars.identity(description))
    return Found(rule, values, tuple(pairs), label), texts, [key for key in keys if _DIGIT.search(text[key])]


def _shown(text: str, span: ValueSpan | None) -> tuple[str, int]:
    """A value as text, and where that begins in the line."""
    if span is None:
        return "", 0
    value = str(span.read(text[span.start : span.end]))
    return value, span.start + max(0, text[span.start : span.end].find(value))
