"""Tables: a header names the columns once, the rows below hold nothing but values.

A row has no text that tells it from other lines, so a table is open from its header on, until lines that
are not rows have ended it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from capture.errors import UserError
from capture.language.model import Table
from capture.language.numbers import DURATION, Value, is_number, number
from capture.language.patterns import Match, RegexMatcher, from_line, from_regex
from capture.language.required_text import Required

MAX_OTHER_LINES = 8  # between two rows: a warning, a checkpoint's message
MAX_COLUMNS = 100
CUT = "…"

_GAP = re.compile(r"\s{2,}|\t")
_PIPE = re.compile(r"[|│┃║┊╎]")
RULER = re.compile(r"[\W_]*")  # also an empty line
_NO_VALUE = re.compile(rf"[-+]+|[Nn]one|[Nn]/?[Aa]|NULL|#na#|{DURATION}")
_HASH = re.compile(r"\s*#\s*(?=\S)")  # before the header of a file of numbers
_PERCENT = re.compile(r"\s?%$")
MOST_IN_LIST = 64  # numbers in one cell


@dataclass(frozen=True)
class LineResult:
    """What a line is to a matcher of several lines: a part of them or not, and the values known with it.

    `whole` says that the values are those of all lines since the first, and not only of this one.
    """

    recognised: bool
    match: Match | None = None
    whole: bool = False


NOT_RECOGNISED = LineResult(False)
RECOGNISED = LineResult(True)


@dataclass
class OpenTable:
    """A table on the screen: its columns, and how many lines in a row were not rows."""

    names: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)  # offsets of the names in the header
    complete: bool = True  # False while the second row of the header is awaited
    other_lines: int = 0


class TableMatcher:
    """A compiled `table:`.  Raises UserError for an unknown kind of value."""

    def __init__(self, spec: Table) -> None:
        self.spec = spec
        self.header = from_regex(spec.header)
        self.below = from_regex(spec.below) if spec.below else None
        self.row = from_regex(spec.row) if spec.row else None
        self._keeps_hash = any(name.startswith("#") for name in spec.columns)
        self.columns = {name: from_line(field) for name, field in spec.columns.items() if "{" in field}

    def check(self) -> None:
        """Raises UserError if an expression does not compile or lacks a group."""
        for matcher in (self.header, self.below, self.row, *self.columns.values()):
            if matcher:
                matcher.check()
        if self.row and not self.row.names:
            raise UserError("row: has no group (?P<cells>...) around the values, nor names for them")

    @property
    def literals(self) -> Required:
        """The literals of which every header contains at least one."""
        return self.header.literals

    def rejects(self, text: str) -> bool:
        """Whether it is known that no line of this text's shape is a header."""
        return self.header.rejects(text)

    def match(self, text: str, timeout: float | None = None) -> Match | None:
        """The values in a header; None for other lines.  Raises patterns.Timeout."""
        return self.header.match(text, timeout)

    def begin(self) -> OpenTable | None:
        """What is open at the beginning of a stream: no table."""
        return None

    def read(
        self, text: str, final: bool, opened: OpenTable | None, timeout: float | None
    ) -> tuple[OpenTable | None, LineResult]:
        """What a line is if `opened` is the open table, and the table that is open after it.

        `final` says that the line ended with a newline.  `timeout` is in seconds.  Raises patterns.Timeout.
        """
        if self.header.match(text, timeout):
            names = _split(self._without_hash(text), self.spec.split)
            if len(names) > MAX_COLUMNS:
                return None, NOT_RECOGNISED
            return OpenTable(names, _spans(text, names), self.below is None), RECOGNISED
        if opened is None:
            return None, NOT_RECOGNISED
        if not opened.complete and self.below and final:
            below = _split(text, self.spec.split)
            if not self.below.match(text, timeout) or len(below) != len(opened.names):
                return None, NOT_RECOGNISED
            opened.names = [f"{above} {name}" for above, name in zip(opened.names, below, strict=True)]
            opened.complete = True
            return opened, RECOGNISED
        values = self._values(text, opened, timeout)
        if values is not None:
            opened.other_lines = 0
            return opened, LineResult(True, Match(values))
        if final and not RULER.fullmatch(text):
            opened.other_lines += 1
        return (opened if opened.other_lines < MAX_OTHER_LINES else None), NOT_RECOGNISED

    def _values(self, text: str, opened: OpenTable, timeout: float | None) -> dict[str, Value] | None:
        """The values of a row; None if the line is not one."""
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
        shown, cut, _ = text.partition(CUT)
        cells = _split(shown, "spaces" if self.spec.split == "gaps" else self.spec.split)
        if cut and cells and not shown[-1:].isspace():
            cells.pop()  # the edge of the terminal went through this one
        if self.spec.split == "commas" and shown.rstrip().endswith(",") and len(cells) == len(names) - 1:
            cells.append("")  # the last one is empty: 7,0.5,
        if len(cells) != len(names) and not cut and self.spec.split == "gaps":
            by_gaps = _split(text, "gaps") if self.spec.texts else []
            cells = by_gaps if len(by_gaps) == len(names) else _cells_below(text, opened.spans)
        if not cells or (len(cells) != len(names) and not cut) or len(cells) > len(names):
            return None
        numbers = 0
        for name, cell in zip(names, cells, strict=False):
            read = self._cell(name, cell, timeout)
            if read is None:
                return None
            numbers += any(not isinstance(value, str) for value in read.values())
            for key, value in read.items():
                values.setdefault(key, value)
        if self.spec.texts and (numbers < 2 or values.keys().isdisjoint(("epoch", "step"))):
            return None
        return values if numbers else None

    def _without_hash(self, text: str) -> str:
        hash_sign = None if self._keeps_hash else _HASH.match(text)
        return text[hash_sign.end() :] if hash_sign else text

    def _cell(self, name: str, cell: str, timeout: float | None) -> Mapping[str, Value] | None:
        """The values of one cell, none of an empty one; None if this can't be a cell of the column."""
        column: RegexMatcher | None = self.columns.get(name)
        if column:
            match = column.match(cell, timeout)
            return match.values if match else {} if _NO_VALUE.fullmatch(cell) else None
        cell = _PERCENT.sub("", cell)
        metric = self.spec.columns.get(name) or (name.lower() if self.spec.lower else name)
        if cell.startswith("[") and cell.endswith("]"):
            parts = [part.strip() for part in cell[1:-1].split(",")]
            if len(parts) <= MOST_IN_LIST and all(map(is_number, parts)):
                names = [metric] if len(parts) == 1 else [f"{metric}/{i}" for i in range(len(parts))]
                return dict(zip(names, map(number, parts), strict=True))
        count, slash, total = cell.partition("/")
        if is_number(count) and (not slash or is_number(total)):
            values = {metric: number(count), **({f"{metric}s": number(total)} if slash else {})}
            return {} if CUT in name else values
        is_empty = _NO_VALUE.fullmatch(cell) or (not cell and self.spec.split != "spaces")
        return {} if is_empty or self.spec.texts else None


def _spans(text: str, names: list[str]) -> list[tuple[int, int]]:
    """The offsets of the names, which are in the text in this order."""
    spans, at = [], 0
    for name in names:
        start = text.index(name, at)
        at = start + len(name)
        spans.append((start, at))
    return spans


def _cells_below(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """The cells of a row in which some are empty: each belongs to the column that it is below.

    Returns an empty list if that is not clear, or if the first cell is empty.
    """
    cells = [""] * len(spans)
    for word in re.finditer(r"\S+", text):
        columns = [i for i, (start, end) in enumerate(spans) if word.start() < end and word.end() > start]
        if len(columns) != 1 or cells[columns[0]]:
            return []
        cells[columns[0]] = word[0]
    return cells if cells[0] else []


def _split(text: str, how: str) -> list[str]:
    """The cells of a line."""
    text = text.strip()
    if how == "pipes":
        inner = _PIPE.sub("|", text).removeprefix("|").removesuffix("|")
        return [cell.strip() for cell in inner.split("|")]
    if how == "commas":
        return [cell.strip() for cell in text.removesuffix(",").split(",")] if text else []
    splitter: Callable[[str], list[str]] = _GAP.split if how == "gaps" else str.split
    return splitter(text) if text else []
