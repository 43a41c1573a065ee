"""Tables: CSV, TSV, JSON lines and JSON, as columns and rows.

A file is read a line at a time and never held as a whole.  A row that is broken is left out and counted, and
loses no other.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from capture.files.whole import open_regular
from capture.records import NON_FINITE, plain_number

MOST_ROWS = 100_000
MOST_COLUMNS = 1_000
MOST_JSON = 64 << 20  # bytes of a file that is one JSON value
LONGEST_LINE = 1 << 20  # characters
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_WORDS = {"nan": "NaN", "inf": "Infinity", "+inf": "Infinity", "-inf": "-Infinity"}
_DELIMITERS = ",;\t|"
Row = list[Any]


class NoTable(ValueError):
    """The file holds no table; why in a sentence."""


class TableReader:
    """Reads a table: `columns` are known at once, `rows` come one by one, `notes` are complete after them."""

    def __init__(self, path: str) -> None:
        """Open it.  Raises NoTable, OSError."""
        self.columns: list[str] = []
        self.count = 0
        self.more = False  # there are more rows than are kept
        self._left_out = 0
        self._first = ""  # why the first row was left out
        kind = os.path.splitext(path)[1].lower()
        self._file = io.TextIOWrapper(
            os.fdopen(open_regular(path), "rb"), encoding="utf-8-sig", errors="replace", newline=""
        )
        try:
            if kind in (".jsonl", ".ndjson"):
                self._rows = self._of_json_lines()
            elif kind == ".json":
                self._rows = self._of_json()
            else:
                self._rows = self._of_text("\t" if kind == ".tsv" else "")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> TableReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """The rows, as many as are kept, each as long as `columns`; NaN and infinities are strings."""
        for row in self._rows:
            if self.count >= MOST_ROWS:
                self.more = True
                return
            self.count += 1
            yield row

    @property
    def notes(self) -> list[str]:
        """What was left out."""
        found = [f"only the first {MOST_ROWS:,} rows are kept"] if self.more else []
        if self._left_out:
            rows = "1 row is" if self._left_out == 1 else f"{self._left_out:,} rows are"
            found.append(f"{rows} left out: {self._first}")
        return found

    def _leave_out(self, why: str) -> None:
        self._left_out += 1
        self._first = self._first or why

    def _of_text(self, delimiter: str) -> Iterator[Row]:
        lines = _Lines(self._file)
        first = next((line for line in lines if line.strip()), "")
        if not first:
            raise NoTable("it is empty")
        if not delimiter:
            delimiter = max(_DELIMITERS, key=first.count)
            if not first.count(delimiter):
                delimiter = ","
        begin = lines.number
        reader = csv.reader(_after(first, lines), delimiter=delimiter, skipinitialspace=True)
        header = next(reader)
        if len(header) > MOST_COLUMNS:
            raise NoTable(f"it has {len(header):,} columns, more than {MOST_COLUMNS:,}")
        self.columns = _unique(header)
        return self._of_cells(reader, begin)

    def _of_cells(self, reader: Any, begin: int) -> Iterator[Row]:
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._leave_out(f"line {begin + reader.line_num - 1}: {error}")
                continue
            if not cells:
                continue
            if len(cells) != len(self.columns):
                number = begin + reader.line_num - 1
                text = f"line {number} has {len(cells)} values, and there are {len(self.columns)} columns"
                self._leave_out(text)
                continue
            yield [value_of(cell) for cell in cells]

    def _of_json_lines(self) -> Iterator[Row]:
        lines = _Lines(self._file)
        items = self._items(lines)
        first = next(items, None)
        if first is None:
            raise NoTable(self._first or "it is empty")
        self.columns = list(first)[:MOST_COLUMNS]
        return self._of_items(_after(first, items))

    def _items(self, lines: _Lines) -> Iterator[dict[str, Any]]:
        for line in lines:
            if not line.strip():
                continue
            try:
                item = json.loads(line)
            except (ValueError, RecursionError):
                self._leave_out(f"line {lines.number} is not JSON")
                continue
            if isinstance(item, dict):
                yield item
            else:
                self._leave_out(f"line {lines.number} is not an object")

    def _of_items(self, items: Iterator[dict[str, Any]]) -> Iterator[Row]:
        for item in items:
            yield [plain(item.get(column)) for column in self.columns]

    def _of_json(self) -> Iterator[Row]:
        text = self._file.read(MOST_JSON + 1)
        if len(text) > MOST_JSON:
            raise NoTable(f"it is larger than {MOST_JSON >> 20} MB; write it as CSV or JSON lines")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NoTable(f"it is not JSON: {error}") from None
        if isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
            self.columns = list(dict.fromkeys(name for item in data for name in item))[:MOST_COLUMNS]
            return self._of_items(iter(data))
        rows = data.get("rows", data.get("data")) if isinstance(data, dict) else None
        if isinstance(rows, list) and isinstance(data.get("columns"), list):
            self.columns = _unique([str(column) for column in data["columns"]])
            return self._of_lists(rows)
        raise NoTable("it should be a list of objects, or an object with columns and rows")

    def _of_lists(self, rows: Sequence[Any]) -> Iterator[Row]:
        for number, row in enumerate(rows, 1):
            if isinstance(row, list) and len(row) == len(self.columns):
                yield [plain(value) for value in row]
            else:
                self._leave_out(f"row {number} has not a value for each column")


class _Lines:
    """The lines of a file with their number; what is longer than any row of a table ends the reading."""

    def __init__(self, file: IO[str]) -> None:
        self.number = 0
        self._file = file

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST_LINE:
            raise NoTable(f"line {self.number} is longer than {LONGEST_LINE >> 20} MB")
        if "\0" in line:
            raise NoTable(f"line {self.number} holds bytes that are no text")
        return line


def _after(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def write(path: str, target: IO[str]) -> TableReader:
    """Write a table as `{"columns": [...], "rows": [...]}`, a row at a time.  Raises NoTable, OSError."""
    with TableReader(path) as reader:
        target.write(f'{{"columns": {json.dumps(reader.columns, ensure_ascii=False)}, "rows": [')
        for row in reader.rows():
            target.write(f"{', ' if reader.count > 1 else ''}{json.dumps(row, ensure_ascii=False)}")
        target.write("]}")
        return reader


def read(path: Path) -> tuple[list[str], list[Row]]:
    """The columns and rows of a table in a run's folder.  Raises ValueError where it is damaged, OSError."""
    item = json.loads(path.read_text(encoding="utf-8"))
    columns, rows = item["columns"], item["rows"]
    return columns, [[NON_FINITE.get(v, v) if isinstance(v, str) else v for v in row] for row in rows]


def value_of(cell: str) -> Any:
    """A cell as a number where it is one; `007` and long digits stay text, and nothing is null."""
    text = cell.strip()
    if not text:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text) and not re.match(r"[-+]?0\d|[-+]?\d{19}", text):
        return plain_number(float(text))
    return cell


def plain(value: Any) -> Any:
    """A value as a table holds it: a number, a text, true, false or null; anything else as JSON text."""
    if isinstance(value, float):
        return plain_number(value)
    if value is None or isinstance(value, (int, str)):
        return value
    return json.dumps(value, ensure_ascii=False)


def _unique(names: Sequence[str]) -> list[str]:
    """Names of columns: none empty, and none twice."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        name = free = name.strip() or f"column {number}"
        again = 1
        while free in found:
            again += 1
            free = f"{name} ({again})"
        found[free] = None
    return list(found)
