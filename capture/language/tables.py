"""Tables: a header names the columns once, the rows below hold nothing but values.

A row has no text that tells it from other lines, so a table is looked at from its header on until
lines that are no rows have ended it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capture.language.numbers import DURATION, Value, is_number, number
from capture.language.patterns import Match, Matcher, from_line, from_regex

if TYPE_CHECKING:
    from capture.language import model

PATIENCE = 8  # lines between two rows: a warning, a checkpoint's message
MOST_COLUMNS = 100
CUT = "…"

_GAP = re.compile(r"\s{2,}|\t")
_PIPE = re.compile(r"[|│┃║┊╎]")
NO_ROW = re.compile(r"[\W_]*")  # rulers and empty lines
_NO_VALUE = re.compile(rf"[-+]+|[Nn]one|[Nn]/?[Aa]|NULL|#na#|{DURATION}")
_PERCENT = re.compile(r"\s?%$")


@dataclass
class OpenTable:
    """A table on the screen: its columns, and how many lines in a row were no rows."""

    names: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)  # where in the header they stand
    complete: bool = True  # False while the second row of the header is awaited
    strangers: int = 0


@dataclass(frozen=True)
class LineResult:
    """What a line was: a part of it or not, and the values that are known now.

    `whole` says that these stand in all of it, from its first line on.
    """

    recognised: bool
    match: Match | None = None
    whole: bool = False


NOT_RECOGNISED = LineResult(False)
RECOGNISED = LineResult(True)


class TableMatcher:
    """A table as a parser describes it."""

    def __init__(self, spec: model.Table) -> None:
        self.spec = spec
        self.start = from_regex(spec.header)
        self.below = from_regex(spec.below) if spec.below else None
        self.row = from_regex(spec.row) if spec.row else None
        self.columns = {name: from_line(shown) for name, shown in spec.columns.items() if "{" in shown}

    def check(self) -> None:
        """Raises ValueError where something in it is wrong."""
        for matcher in (self.start, self.below, self.row, *self.columns.values()):
            if matcher:
                matcher.check()
        if self.row and not self.row.names:
            raise ValueError("row: has no group (?P<cells>...) around the values, nor names for them")

    def read(
        self, text: str, final: bool, opened: OpenTable | None, timeout: float | None
    ) -> tuple[OpenTable | None, LineResult]:
        """What the line is, and the table that is open afterwards.  Raises patterns.Timeout."""
        if self.start.match(text, timeout):
            names = _split(text, self.spec.split)
            if len(names) > MOST_COLUMNS:
                return None, NOT_RECOGNISED
            return OpenTable(names, _spans(text, names), self.below is None), RECOGNISED
        if opened is None:
            return None, NOT_RECOGNISED
        if not opened.complete and self.below and final:
            below = _split(text, self.spec.split)
            if not self.below.match(text, timeout) or len(below) != len(opened.names):
                return None, NOT_RECOGNISED
            opened.names = [f"{a} {b}" for a, b in zip(opened.names, below, strict=True)]
            opened.complete = True
            return opened, RECOGNISED
        found = self._values(text, opened, timeout)
        if found is not None:
            opened.strangers = 0
            return opened, LineResult(True, Match(found))
        if final and not NO_ROW.fullmatch(text):
            opened.strangers += 1
        return (opened if opened.strangers < PATIENCE else None), NOT_RECOGNISED

    def _values(self, text: str, opened: OpenTable, timeout: float | None) -> dict[str, Value] | None:
        values: dict[str, Value] = {}
        names = opened.names
        if self.row:
            match = self.row.match(text, timeout)
            if match is None:
                return None
            values = dict(match.values)
            if "cells" not in values:
                return values
            text = str(values.pop("cells"))
        shown, mark, _ = text.partition(CUT)
        cells = _split(shown, "pipes" if self.spec.split == "pipes" else "spaces")
        if mark and cells and not shown[-1:].isspace():
            cells.pop()  # the edge went through this one
        if len(cells) < len(names) and not mark and self.spec.split == "gaps":
            cells = _placed(text, opened.spans)
        if not cells or (len(cells) != len(names) and not mark) or len(cells) > len(names):
            return None
        numbers = 0
        for name, cell in zip(names, cells, strict=False):
            read = self._cell(name, cell, timeout)
            if read is None:
                return None
            numbers += any(not isinstance(value, str) for value in read.values())
            for key, value in read.items():
                values.setdefault(key, value)
        return values if numbers else None

    def _cell(self, name: str, cell: str, timeout: float | None) -> Mapping[str, Value] | None:
        """The values of one cell; None if this can't be a cell of the column."""
        described: Matcher | None = self.columns.get(name)
        if described:
            match = described.match(cell, timeout)
            return match.values if match else {} if _NO_VALUE.fullmatch(cell) else None
        cell = _PERCENT.sub("", cell)
        shown = self.spec.columns.get(name) or (name.lower() if self.spec.lower else name)
        count, slash, total = cell.partition("/")
        if is_number(count) and (not slash or is_number(total)):
            values = {shown: number(count), **({f"{shown}s": number(total)} if slash else {})}
            return {} if CUT in name else values
        return {} if _NO_VALUE.fullmatch(cell) or (not cell and self.spec.split != "spaces") else None


def _spans(text: str, names: list[str]) -> list[tuple[int, int]]:
    """Where in the text the names stand."""
    spans, at = [], 0
    for name in names:
        start = text.index(name, at)
        at = start + len(name)
        spans.append((start, at))
    return spans


def _placed(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """The cells of a row in which some are empty: each is the column's that it stands under."""
    cells = [""] * len(spans)
    for found in re.finditer(r"\S+", text):
        under = [i for i, (start, end) in enumerate(spans) if found.start() < end and found.end() > start]
        if len(under) != 1 or cells[under[0]]:
            return []
        cells[under[0]] = found[0]
    return cells if cells[0] else []


def _split(text: str, how: str) -> list[str]:
    """The cells of a line."""
    text = text.strip()
    if how == "pipes":
        inner = _PIPE.sub("|", text).removeprefix("|").removesuffix("|")
        return [cell.strip() for cell in inner.split("|")]
    splitter: Callable[[str], list[str]] = _GAP.split if how == "gaps" else str.split
    return splitter(text) if text else []
