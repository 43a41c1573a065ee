"""Tables: a header that names the columns, rows below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from capture.authoring.drafts import Draft
from capture.authoring.shapes import COUNTERS, RESULT, last_word
from capture.language.model import Table
from capture.language.numbers import NUMBER, is_number
from capture.language.tables import RULER, TableMatcher

MAX_TABLES = 4
_SPLITS = ("pipes", "commas", "gaps", "spaces")
_BAR = re.compile(r":\s+\d+%\|.*")
_COLUMN = re.compile(r"[A-Za-z_][\w./@:()-]*")
MIN_RESULTS = 2  # columns with a result's name that make a table without a counter
_EPOCHS = ("epoch", "epochs", "ep")


class Found(NamedTuple):
    """A table that was found: its pattern, and the lines of the log that it reads, header included."""

    draft: Draft
    rows: set[int]


def tables(lines: Sequence[str]) -> list[Found]:
    """The tables of a log, each once however often its header is printed.

    In each a column counts, or several have names of results.
    """
    found: list[Found] = []
    taken: set[int] = set()
    for n, line in enumerate(lines):
        if n in taken or len(found) >= MAX_TABLES or len(line) > 1000:
            continue
        table = None
        if _may_be_header(line):
            table = next((table for split in _SPLITS if (table := _table(lines, n, split))), None)
        table = table or _of_results(lines, n)
        if table:
            found.append(table)
            taken |= table.rows
    return found


def _of_results(lines: Sequence[str], at: int) -> Found | None:
    """A table without a counter: a row for each class or data set, or one without a name."""
    line = lines[at]
    names = _BAR.sub("", line).split()
    results = [n for n, name in enumerate(names) if RESULT.search(name)]
    if len(names) < 3 or len(results) < MIN_RESULTS or not all(map(_COLUMN.fullmatch, names)):
        return None
    for has_label, columns in ((True, names[1:]), (True, names), (False, names)):
        cells = r"\s+".join(rf"%{{NUMBER:{name}}}" for name in columns)
        label = r"(?P<row>[^\s\d|][^\d|]{0,40}?|\d+)\s{2,}" if has_label else ""
        row = re.compile(rf"\s*{label}" + r"\s+".join([f"(?:{NUMBER})"] * len(columns)) + r"\s*")
        rows = _below(lines, at, row)
        if rows and re.search(r"\d\.\d", lines[rows[0]]):
            break
    else:
        return None
    pattern: dict[str, Any] = {
        "table": {"header": _header(_BAR.sub("", line)), "row": rf"^\s*{label}{cells}\s*$"}
    }
    if has_label:
        pattern["context"] = ["row"]
    text = "\n".join(lines[at : rows[0] + 1])
    return Found(Draft("table", pattern, text, at, len(rows)), {at, *rows})


def _below(lines: Sequence[str], at: int, row: re.Pattern[str]) -> list[int]:
    """The lines right below a header that are rows."""
    rows = []
    for n in range(at + 1, len(lines)):
        if row.fullmatch(lines[n]):
            rows.append(n)
        elif rows or not RULER.fullmatch(lines[n]):
            break
    return rows


def _may_be_header(line: str) -> bool:
    """Whether a line holds several names and no numbers, one of them of a counter."""
    words = re.findall(r"[A-Za-z_#][\w./%@-]*", line)
    numbers = [word for word in re.split(r"[\s,|]+", line) if is_number(word) and word.lower() != "nan"]
    return len(words) >= 3 and not numbers and any(word.lower() in (*COUNTERS, *_EPOCHS) for word in words)


def _table(lines: Sequence[str], at: int, split: str) -> Found | None:
    line = lines[at]
    sign = {"pipes": "|", "commas": ","}.get(split)
    if sign and line.count(sign) < 2:
        return None
    spec: dict[str, Any] = {"header": _header(line), "split": split}
    names = _names(line, split)
    columns = {name: column for name in names if (column := _column(name))}
    if not columns:
        return None
    roles = list(columns.values())
    for name in [name for n, name in enumerate(columns) if roles.index(columns[name]) != n]:
        del columns[name]
    cells = re.split(r"[\s,|]+", lines[at + 1].strip()) if at + 1 < len(lines) else []
    if re.fullmatch(r"\d+/\d+", cells[0] if cells else ""):
        columns = {
            name: f"{{{column.strip('{}').partition(':')[0]}:of}}" if name == names[0] else column
            for name, column in columns.items()
        }
    spec["columns"] = columns
    if any(_BAR.search(line) for line in lines[at + 1 : at + 3]):
        spec["row"] = r"^(?P<cells>.*?)(?::\s+\d+%\|.*)?$"
    rows = _rows(lines, at, spec)
    if rows is None:
        texts = {
            name: "{_:text}"
            for name in names
            if name not in columns and _is_text(lines, at, split, names, name)
        }
        spec["columns"] = {**columns, **texts}
        rows = _rows(lines, at, spec)
    if rows is None:
        return None
    reading = ", ".join(
        f"{field.strip('{}').partition(':')[0]} is the column {name!r}" for name, field in columns.items()
    )
    text = "\n".join(lines[at : rows[0] + 1])
    has_step = any("{step" in field for field in columns.values())
    draft = Draft("table", {"table": spec}, text, at, len(rows), reading, has_step)
    return Found(draft, {at, *rows})


def _names(line: str, split: str) -> list[str]:
    text = re.sub(r"^\s*#\s*", "", line).strip()
    if split == "pipes":
        return [cell.strip() for cell in re.sub(r"[|│┃]", "|", text).strip("|").split("|")]
    if split == "commas":
        return [cell.strip() for cell in text.removesuffix(",").split(",")]
    return re.split(r"\s{2,}|\t", text) if split == "gaps" else text.split()


def _column(name: str) -> str:
    word = last_word(re.sub(r"\s*\(.*", "", name).strip())
    if word in _EPOCHS:
        return "{epoch}"
    return "{step:int}" if word in COUNTERS and word not in ("time", "t", "i") else ""


def _rows(lines: Sequence[str], at: int, spec: dict[str, Any]) -> list[int] | None:
    """The lines that are rows of the table; None unless there are some, and step or epoch is in them."""
    matcher = TableMatcher(Table(**spec))
    opened, _ = matcher.read(lines[at], True, None, None)
    rows = []
    for n in range(at + 1, len(lines)):
        if opened is None:
            break
        opened, result = matcher.read(lines[n], True, opened, None)
        if result.match:
            if result.match.values.keys() & {"step", "epoch"} and len(result.match.values) > 1:
                rows.append(n)
        elif n == at + 1 and not RULER.fullmatch(lines[n]) and not lines[n].startswith("#"):
            return None
    return rows or None


def _is_text(lines: Sequence[str], at: int, split: str, names: Sequence[str], name: str) -> bool:
    """Whether the first row below the header has something else than a number in this column."""
    for line in lines[at + 1 : at + 4]:
        cells = _names(_BAR.sub("", line), "spaces" if split == "gaps" else split)
        if not RULER.fullmatch(line) and len(cells) == len(names):
            return not is_number(cells[names.index(name)].removesuffix("%").strip())
    return False


def _header(line: str) -> str:
    parts = re.split(r"\s+", re.sub(r"^\s*#\s*", "", line).strip())
    return r"^\W*" + r"\s+".join(re.escape(part) for part in parts).removeprefix(r"\|\s+")
