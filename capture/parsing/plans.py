"""What is known of lines of one shape: which rules may read them, and a plan for those that one always reads.

A program prints the same few lines over and over with other numbers.  For the second line of a shape it is
noted where its text without prefixes begins and which rules still come into question; if a single
expression recognises it, a plan (see `plan_source`) is made of what that means.  The interpreter (`Rule`)
says what is right, and reads what no plan does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from capture.console.frames import Frame
from capture.console.prefixes import PeeledLine, View, depends_on_digits
from capture.language import key_values
from capture.language.patterns import Spans
from capture.language.shape_cache import MAX_LENGTH, shape_of
from capture.parsing import bars, plan_source
from capture.parsing.plan_expressions import NotPlanned
from capture.parsing.plan_source import Found, Label, Plan, Read
from capture.parsing.rule import Rule

MOST_SHAPES = 2048
MOST_PLANS = 512

Candidates = Sequence[tuple[Rule, View]]
_DIGIT = re.compile("[0-9]")


class Shape(NamedTuple):
    """What is known of all lines of one shape.

    candidates: the rules that may read them, each with where the text is that it reads
    stamp: where the time of their prefix is
    texts: takes the texts that the plan wants out of a line
    rule: whose plan it is
    source: that of the plan, to be looked at
    """

    candidates: Sequence[tuple[Rule, slice]]
    stamp: slice | None
    plan: Plan | None = None
    texts: Callable[[str], Sequence[str]] = lambda text: ()
    rule: Rule | None = None
    source: str = ""

    def views(self, text: str) -> list[tuple[Rule, View]]:
        """The rules that may read this line, each with the view in which it may."""
        return [(rule, View(text[where])) for rule, where in self.candidates]


class Plans:
    """The shapes of lines that have come twice."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape] = {}
        self._seen: set[bytes] = set()
        self._plans: dict[Found, tuple[Plan | None, str]] = {}

    def of(self, frame: Frame) -> Shape | None:
        """What is known of the shape of a line; None if nothing is."""
        return self._shapes.get(shape_of(frame.data))

    def clear(self) -> None:
        """Forget everything: other rules come into question now."""
        self._shapes.clear()
        self._seen.clear()
        self._plans.clear()

    def add(self, frame: Frame, line: PeeledLine, candidates: Candidates) -> None:
        """Learn the shape of a line that has been read, and comes for the second time.

        line: the only one that stands on the console's
        candidates: the rules that may read it, each with the view in which it may
        """
        key = shape_of(frame.data)
        if len(key) > MAX_LENGTH or depends_on_digits(line, frame.text):
            return
        if key not in self._seen:
            if len(self._seen) >= MOST_SHAPES:
                self._seen.clear()
            self._seen.add(key)
            return
        self._seen.discard(key)
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        known = self._shape(frame.text, line, candidates)
        if known is not None:
            self._shapes[key] = known

    def _shape(self, text: str, line: PeeledLine, candidates: Candidates) -> Shape | None:
        """What is known of the shape of a text; None if it can't be said where its parts are."""
        left = [(rule, view) for rule, view in candidates if not rule.matcher.rejects(view.text)]
        places = {view.text: _place(text, view.text) for _, view in left}
        stamp = _place(text, line.stamp) if line.stamp else None
        if None in places.values() or (line.stamp and stamp is None):
            return None
        known = Shape([(rule, places[view.text] or slice(0)) for rule, view in left], stamp)
        if not left:
            return known
        rule, view = left[0]
        spans = rule.known_spans(view.text)
        if spans is None:
            return known
        try:
            found, slices = _found(rule, view.text, spans)
        except NotPlanned:
            return known
        start = (places[view.text] or slice(0)).start
        plan, source = self._plan(found)
        texts = _texts([slice(start + where.start, start + where.stop) for where in slices])
        return known._replace(plan=plan, texts=texts, rule=rule, source=source)

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


def _texts(slices: Sequence[slice]) -> Callable[[str], Sequence[str]]:
    if not slices:
        return lambda text: ()
    if len(slices) == 1:
        return lambda text: (text[slices[0]],)
    return itemgetter(*slices)


def _found(rule: Rule, text: str, spans: Spans) -> tuple[Found, list[slice]]:
    """What a rule finds in a text, and where.  Raises NotPlanned if its names have digits."""
    values: list[tuple[str, Read]] = []
    pairs: list[tuple[str, Read]] = []
    slices: list[slice] = []
    inner: list[slice] = []
    for name, read, start, end in spans.values:
        values.append((name, read))
        slices.append(slice(start, end))
    for key_start, key_end, suffix, read, start, end in spans.pairs:
        pairs.append((_without_digits(text[key_start:key_end].strip() + suffix), read))
        inner.append(slice(start, end))
    shown = {span.name: span for span in spans.values}
    for name in rule.pattern.pairs:
        if name in shown:
            _, read, start, end = shown[name]
            inside = str(read(text[start:end]))
            start += text[start:end].find(inside)
            for key_start, key_end, at, stop, read_number in key_values.spans(inside):
                pairs.append((_without_digits(inside[key_start:key_end]), read_number))
                inner.append(slice(start + at, start + stop))
    label = None
    if rule.pattern.bar and rule.pattern.bar.label in shown:
        _, read, start, end = shown[rule.pattern.bar.label]
        description = str(read(text[start:end]))
        label = Label(bars.bar_name(description), bars.identity(description))
    return Found(rule, tuple(values), tuple(pairs), label), slices + inner


def _without_digits(name: str) -> str:
    if _DIGIT.search(name):
        raise NotPlanned(f"{name} may be another name in the next line")
    return name
