"""The shared nouns: a record, the row that a backend gets of it, a console line, a load sample, an alert."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from capture import fast_json

EMPTY: Mapping[str, Any] = MappingProxyType({})
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Record(NamedTuple):
    """The metrics or the config that one frame carried, and where it stood.

    `time` is in Unix seconds, or None where nothing tells it; `step` counts from the start of the
    run; `at` is the offset of the frame's first byte in `console.log` and the length to its last; where
    several ranks record one run, `recorded_by` says whose `console.log`.  What the program logged itself has
    `logged` instead: the file in the run's `logged/`, offset and length there.
    """

    time: float | None
    parser: str
    step: int | None
    epoch: float | None
    metrics: Mapping[str, float]
    context: Mapping[str, Any] = EMPTY
    at: tuple[int, int] = (0, 0)
    config: Mapping[str, Any] = EMPTY
    logged: tuple[str, int, int] | None = None
    recorded_by: int = 0


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class Row:
    """A record as a backend gets it: final names, and the column that each metric is drawn over.

    `ordinal` is the record's line in `records.jsonl`, from 0.  It only grows, and the same row
    always has the same one, so a row that is sent twice can be told from a new one.
    """

    ordinal: int
    time: float | None
    step: int | None
    epoch: float | None
    metrics: Mapping[str, float]
    axes: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)


class ConsoleLine(NamedTuple):
    """A finished line of the console: `time` in Unix seconds, or None where nothing tells it."""

    time: float | None
    stream: str
    text: str


class SystemSample(NamedTuple):
    """The load at one moment, in Unix seconds."""

    time: float
    values: Mapping[str, float]


class File(NamedTuple):
    """A file, table, image or plot of a run, as a line of `files.jsonl` notes it."""

    number: int  # the line's number, from 1
    kind: str  # "file", "table", "image" or "plot"
    type: str  # of a file what it is (model, file, ...), of a plot what it shows
    name: str
    path: Path  # absolute; a folder stands for everything in it
    time: float  # Unix seconds
    size: int | None  # bytes; None of a folder
    digest: str | None
    aliases: Sequence[str] = ()
    metadata: Mapping[str, Any] = EMPTY


class Alert(NamedTuple):
    """Something that somebody should know of a run.

    `number` is its line in `alerts.jsonl`, from 1; `time` is in Unix seconds; `level` is "info", "warn"
    or "error"; `step` is the run's at that time, None where it is not known.
    """

    number: int
    time: float
    title: str
    text: str
    level: str
    step: int | None


def said(title: str, text: str) -> str:
    """An alert in one line; the text of a rule's begins with the rule."""
    whole = text if text.startswith(title) else f"{title}: {text}" if text else title
    return " ".join(whole.split())


def plain_number(value: float) -> float | str:
    """The number as JSON can hold it: NaN and the infinities become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def plain_numbers(values: Mapping[str, float]) -> dict[str, float | str]:
    """The numbers as JSON can hold them."""
    for value in values.values():
        if value - value != 0:  # NaN and the infinities alone
            return {name: plain_number(value) for name, value in values.items()}
    return {**values}


def to_json(record: Record) -> str:
    """The record for people and their programs, in the form of `records.jsonl`."""
    return json.dumps(_item(record), ensure_ascii=False, allow_nan=False)


def to_line(record: Record) -> bytes:
    """One line of `records.jsonl`."""
    return fast_json.dumps(_item(record)) + b"\n"


def _item(record: Record) -> dict[str, Any]:
    time, parser, step, epoch, metrics, context, at, config, logged, recorded_by = record
    item: dict[str, Any] = {
        "time": time,
        "parser": parser,
        "step": step,
        "epoch": epoch,
        "metrics": plain_numbers(metrics),
        "context": {**context},
        "at": [*at] if logged is None else None,
    }
    if logged is not None:
        item["logged"] = [*logged]
    if recorded_by:
        item["recorded_by"] = recorded_by
    if config:
        item["config"] = {
            name: plain_number(value) if isinstance(value, float) else value for name, value in config.items()
        }
    return item


def from_json(line: bytes) -> Record:
    """The record on a line of `records.jsonl`.  Raises ValueError for a torn line."""
    item = fast_json.loads(line)
    if not isinstance(item, dict) or "metrics" not in item:
        raise ValueError(f"not a record: {line[:80]!r}")
    metrics, config, at, logged = item["metrics"], item.get("config"), item["at"], item.get("logged")
    for values in (metrics, config or {}):
        for name, value in values.items():
            if value.__class__ is str and value in NON_FINITE:
                values[name] = NON_FINITE[value]
    return Record(
        item["time"],
        item["parser"],
        item["step"],
        item["epoch"],
        metrics,
        item["context"],
        (at[0], at[1]) if at else (0, 0),
        config or EMPTY,
        tuple(logged) if logged else None,
        item.get("recorded_by", 0),
    )
