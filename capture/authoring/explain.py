"""Why a line means what it means, or nothing: which pattern reads it, and which one came nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple

from capture.console.frames import FINAL, Frame, Lines
from capture.console.prefixes import PeeledLine
from capture.language.model import Parser, Pattern, ReaderPattern, TablePattern
from capture.language.patterns import RegexMatcher, Timeout
from capture.parsing.engine import Engine
from capture.parsing.pipeline import parse
from capture.parsing.rule import Rule
from capture.records import Record

MOST_GROUPS, MOST_UNREAD = 10_000, 100_000
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_NUMERIC = re.compile(r"[A-Za-z].*(?<![\w.])[-+]?\d|(?<![\w.])[-+]?\d.*[A-Za-z]")


class Near(NamedTuple):
    """The pattern that came nearest to a line, and what stands where it stopped."""

    rule: Rule
    stop: str


@dataclass
class Group:
    """Lines that the same pattern reads; where none or a reader reads them, those with the same words."""

    text: str
    number: int  # of the first of them, from 1
    rule: Rule | None
    captured: Mapping[str, Any]
    records: Sequence[Record]
    count: int = 1
    near: Near | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether numbers stand beside words in it."""
        return _NUMERIC.search(self.text) is not None


@dataclass
class _Asked:
    """The first pattern that recognised the line which is being read."""

    rule: Rule | None = None
    text: str = ""


class Explainer(Engine):
    """An engine that keeps what it made of each line: of those alike once."""

    def __init__(self, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> None:
        super().__init__(parsers, own)
        self.groups: dict[str | Rule, Group] = {}
        self.unread: list[str] = []  # lines with numbers that no pattern reads
        self._number = 1
        self._asked = _Asked()

    def wants_all(self, stream: str | None) -> bool:
        """Every line, also those that no pattern can know."""
        return True

    def feed(self, frames: Iterable[Frame | Lines]) -> list[Record]:
        """The records of these frames."""
        records = []
        for frame in frames:
            records += super().feed([frame])
            self._number += isinstance(frame, Frame) and frame.end in FINAL
        return records

    def _line(self, frame: Frame, line: PeeledLine) -> list[Record]:
        self._asked = _Asked()
        records = super()._line(frame, line)
        text, rule = line.views[0].text.strip(), self._asked.rule
        if rule is None and len(self.unread) < MOST_UNREAD and _NUMERIC.search(text):
            self.unread.append(text)
        key = rule if rule and not rule.is_reader else _NUMBER.sub("0", text)
        if key in self.groups:
            self.groups[key].count += 1
        elif text and len(self.groups) < MOST_GROUPS:
            self.groups[key] = self._group(text, rule, records)
        return records

    def _group(self, text: str, rule: Rule | None, records: Sequence[Record]) -> Group:
        captured: Mapping[str, Any] = {}
        if rule is not None and not rule.is_reader:
            values, pairs = rule.matcher.match(self._asked.text) or ({}, [])
            captured = {**values, **dict(pairs)}
        near = self._nearest(text, rule) if rule is None or rule.is_reader else None
        return Group(text, self._number, rule, captured, records, near=near)

    def _ask(self, rule: Rule, frame: Frame, text: str, *others: Any) -> Any:
        readings = super()._ask(rule, frame, text, *others)
        if readings is not None and self._asked.rule is None:
            self._asked = _Asked(rule, text)
        return readings

    def _nearest(self, text: str, by: Rule | None) -> Near | None:
        """The pattern, of another parser than `by`, that knows most of the line's start, with a number."""
        number = _NUMBER.search(text)
        if number is None or not _NUMERIC.search(text):
            return None
        others = [
            rule
            for rule in self.rules
            if not rule.stream_matcher and (by is None or rule.parser is not by.parser)
        ]
        reach, nearest = max(
            ((_reach(rule, text), rule) for rule in others), key=itemgetter(0), default=(0, None)
        )
        return Near(nearest, text[reach:]) if nearest and reach >= number.end() else None


def _reach(rule: Rule, text: str) -> int:
    try:
        return rule.matcher.reach(text, rule.timeout) if isinstance(rule.matcher, RegexMatcher) else 0
    except Timeout:  # a user's own pattern, on a line that it is not made for
        return 0


def explain(file: BinaryIO, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> Explainer:
    """What is made of a log: in `groups`, in the order in which each kind of line first stands there."""
    explainer = Explainer(parsers, own)
    for _ in parse(file, explainer):
        pass
    return explainer


def shown(pattern: Pattern) -> str:
    """How a pattern is called."""
    if isinstance(pattern, ReaderPattern):
        return f"reader {pattern.reader}"
    return pattern.source or ("a table" if isinstance(pattern, TablePattern) else "a block")
