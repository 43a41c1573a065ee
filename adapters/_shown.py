"""Tables and plots of a run's folder, for backends that show them as text, numbers or pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capture.delivery.files import MODIFIED
from capture.files import svg, tables
from capture.records import File

Rows = list[list[Any]]


def table(file: File) -> tuple[list[str], Rows]:
    """Columns and rows of a table.  Raises ValueError where it is damaged."""
    try:
        return tables.read(file.path)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file.path.name}: no table: {error}") from None


def plot(file: File) -> dict[str, Any]:
    """The numbers of a plot.  Raises ValueError where it is damaged."""
    return _object(file.path)


def plot_rows(file: File) -> tuple[list[str], Rows]:
    """A plot as a table: of a confusion matrix a row for each true label."""
    content = plot(file)
    try:
        if file.type == "confusion_matrix":
            labels, counts = content["labels"], content["counts"]
            return ["true", *labels], [[label, *row] for label, row in zip(labels, counts, strict=True)]
        return list(content["columns"]), list(content["rows"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file.path.name}: no plot: {error}") from None


def picture(file: File) -> str:
    """A plot as SVG.  Raises ValueError where it is damaged."""
    try:
        return svg.picture(file.type, file.name, plot(file))
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{file.path.name}: no plot: {error}") from None


def metadata(file: File) -> dict[str, Any]:
    """What is known of a version besides its bytes."""
    known = {name: value for name, value in file.metadata.items() if name != MODIFIED}
    return known | ({"digest": file.digest} if file.digest else {})


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]], most: int) -> str:
    """The first rows of a table."""
    lines = [_line(columns), "|---" * len(columns) + "|", *map(_line, rows[:most])]
    if len(rows) > most:
        lines += ["", f"and {len(rows) - most:,} more rows"]
    return "\n".join(lines)


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        value = f"{value:.6g}"
    text = "" if value is None else str(value)
    for sign in "\\|`*_<[":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def _object(path: Path) -> dict[str, Any]:
    item = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(item, dict):
        raise ValueError(f"{path.name}: damaged")
    return item
