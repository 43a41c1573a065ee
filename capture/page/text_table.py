"""Tables on a terminal: columns that fit its width, the less important ones left out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import east_asian_width


class Column(NamedTuple):
    """A column: its heading, its cells, and how much it matters (0 is left out last)."""

    head: str
    cells: list[str]
    rank: int = 0
    right: bool = False


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def terminal_width() -> int:
    """The columns of the terminal; where there is none, enough for everything."""
    return shutil.get_terminal_size((10_000, 24)).columns if sys.stdout.isatty() else _asked_width()


def _asked_width() -> int:
    return shutil.get_terminal_size((10_000, 24)).columns  # COLUMNS counts in a pipe too


def fitted(columns: Sequence[Column], width: int) -> tuple[list[str], list[str]]:
    """The lines of a table that is at most `width` wide, and the headings of columns that were left out."""
    kept = list(columns)
    while len(kept) > 1 and sum(_width(column) + 2 for column in kept) - 2 > width:
        least = max(range(len(kept)), key=lambda i: (kept[i].rank, i))
        kept.pop(least)
    left_out = [column.head for column in columns if column not in kept]
    widths = [_width(column) for column in kept]
    lines = []
    for cells in zip(*([column.head, *column.cells] for column in kept), strict=True):
        padded = [
            " " * (width - width_of(cell)) + cell if column.right else cell + " " * (width - width_of(cell))
            for cell, width, column in zip(cells, widths, kept, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines, left_out


def _width(column: Column) -> int:
    return max(map(width_of, [column.head, *column.cells]))
