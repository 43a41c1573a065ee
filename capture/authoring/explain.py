"""Explains a log: which pattern reads each kind of line, what it captures, or which one comes nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple

from capture.console.frames import Frame, FrameReader
from capture.language.model import Parser, Pattern, ReaderPattern, TablePattern
from capture.language.patterns import RegexMatcher, Timeout
from capture.language.readers import LineReader, StreamReader
from capture.parsing.engine import Engine
from capture.parsing.pipeline import READ_SIZE, parse
from capture.parsing.rule import ReadLine, Rule
from capture.records import Record

MAX_GROUPS, MAX_UNREAD = 10_000, 100_000
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z]{2}")
_NUMERIC = re.compile(r"[A-Za-z].*(?<![\w.])[-+]?\d|(?<![\w.])[-+]?\d.*[A-Za-z]")


class Near(NamedTuple):
    """The pattern that comes nearest to a line, and the rest of the line from where it stops matching."""

    rule: Rule
    stop: str


@dataclass
class Group:
    """Lines of one kind: those that one pattern reads, or that differ in their numbers alone.

    `text` is the first of them, with its `number` in the log, what the pattern `captured` in it, and the
    `records` that it gives; `count` is how many there are.  `rule` is None where no pattern reads them, and
    `near` is the pattern that comes nearest then, if there is one.
    """

    text: str
    number: int  # from 1
    rule: Rule | None
    captured: Mapping[str, Any]
    records: Sequence[Record]
    count: int = 1
    near: Near | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether the line holds both words and numbers."""
        return _NUMERIC.search(self.text) is not None


class Explainer:
    """Reads a log and explains its lines.

    `groups` are the kinds of lines, in the order of their first ones; `unread` are the lines with numbers
    that no pattern reads.
    """

    def __init__(self, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> None:
        self.groups: dict[str | Rule, Group] = {}
        self.unread: list[str] = []
        self._engine = Engine(parsers, own, on_line=self._add, plans=False)
        self._number = 1  # of the line that is being read

    def read(self, file: BinaryIO) -> None:
        """Read a log to its end."""
        reader, offset = FrameReader(), 0
        self._engine.begin(None)
        while data := file.read(READ_SIZE):
            self._feed(reader.feed(data, offset))
            offset += len(data)
        self._feed(reader.finish())
        self._engine.finish()

    def _feed(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            self._engine.feed([frame])
            self._number += frame.final

    def _add(self, line: ReadLine) -> None:
        text, rule = line.text.strip(), line.rule
        if rule is None and len(self.unread) < MAX_UNREAD and _NUMBER.search(text):
            self.unread.append(text)
        key = rule if rule and not isinstance(rule.pattern, ReaderPattern) else _NUMBER.sub("0", text)
        if key in self.groups:
            self.groups[key].count += 1
        elif text and len(self.groups) < MAX_GROUPS:
            self.groups[key] = self._group(text, line)

    def _group(self, text: str, line: ReadLine) -> Group:
        rule = line.rule
        captured: Mapping[str, Any] = {}
        by_reader = rule is not None and isinstance(rule.pattern, ReaderPattern)
        if rule is not None and not isinstance(rule.matcher, (LineReader, StreamReader)):
            values, pairs = rule.matcher.match(line.view) or ({}, [])
            captured = {**values, **dict(pairs)}
        is_unread = rule is None or (by_reader and not line.records)
        near = self._nearest(text, rule) if is_unread else None
        return Group(text, self._number, rule, captured, line.records, near=near)

    def _nearest(self, text: str, by: Rule | None) -> Near | None:
        """The pattern, of another parser than that of `by`, that matches the longest start of the line.

        None unless that start holds a number and a word.
        """
        number = _NUMBER.search(text)
        if number is None or not _NUMERIC.search(text):
            return None
        others = [
            rule
            for rule in self._engine.rules
            if not rule.stream_matcher and (by is None or rule.parser is not by.parser)
        ]
        reach, nearest = max(
            ((_reach(rule, text), rule) for rule in others), key=itemgetter(0), default=(0, None)
        )
        is_near = reach >= number.end() and _WORD.search(text, 0, reach)
        return Near(nearest, text[reach:]) if nearest and is_near else None


def _reach(rule: Rule, text: str) -> int:
    """How many characters of the text the rule's pattern matches from its start."""
    try:
        return rule.matcher.reach(text, rule.timeout) if isinstance(rule.matcher, RegexMatcher) else 0
    except Timeout:  # a user's own pattern, on a line that it is not made for
        return 0


def explain(file: BinaryIO, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> Explainer:
    """Read a log to its end, with the user's `own` parsers first, and explain its lines."""
    explainer = Explainer(parsers, own)
    explainer.read(file)
    return explainer


def shown(pattern: Pattern) -> str:
    """What a pattern is called in messages."""
    if isinstance(pattern, ReaderPattern):
        return f"reader {pattern.reader}"
    return pattern.source or ("a table" if isinstance(pattern, TablePattern) else "a block")


def plans(file: BinaryIO, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> list[tuple[Rule, str]]:
    """The plans for lines of a log, in Python, each with its rule; one needs two lines of a shape."""
    engine = Engine(parsers, own)
    for _ in parse(file, engine):
        pass
    return engine.plans.sources if engine.plans else []
