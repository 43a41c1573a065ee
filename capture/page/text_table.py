"""Tables on a terminal: columns that fit its width, the less important ones left out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

from capture.printing import plain
from capture.tracker.closing import short


class Column(NamedTuple):
    """A column: its heading, its cells, and how much it matters (0 is left out last)."""

    head: str
    cells: list[str]
    rank: int = 0
    right: bool = False


def shown(value: Any) -> str:
    """A value of a run in a cell: a number for people, nothing where there is none."""
    if value is None:
        return ""
    return short(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def terminal_width() -> int:
    """The columns of the terminal, or what COLUMNS says; where there is neither, enough for everything."""
    return shutil.get_terminal_size((10_000, 24)).columns


def fitted(columns: Sequence[Column], width: int) -> tuple[list[str], list[str]]:
    """The lines of a table that is at most `width` wide, and the headings of columns that were left out."""
    whole = [_as_printed(column) for column in columns]
    kept = list(whole)
    while len(kept) > 1 and sum(_width(column) + 2 for column in kept) - 2 > width:
        least = max(range(len(kept)), key=lambda i: (kept[i].rank, i))
        kept.pop(least)
    left_out = [column.head for column in whole if column not in kept]
    widths = [_width(column) for column in kept]
    lines = []
    for cells in zip(*([column.head, *column.cells] for column in kept), strict=True):
        padded = [
            " " * (width - width_of(cell)) + cell if column.right else cell + " " * (width - width_of(cell))
            for cell, width, column in zip(cells, widths, kept, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines, left_out


def _as_printed(column: Column) -> Column:
    """The column as it will be printed: what is escaped only later would be wider than its column."""
    head, *cells = (
        plain(text).replace("\n", "\\n").replace("\t", "\\t") for text in (column.head, *column.cells)
    )
    return column._replace(head=head, cells=cells)


def _width(column: Column) -> int:
    return max(map(width_of, [column.head, *column.cells]))
