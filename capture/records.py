"""The shared nouns: a record, the row that a backend gets of it, a console line, a load sample, an alert."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

EMPTY: Mapping[str, Any] = MappingProxyType({})
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Record(NamedTuple):
    """The metrics or the config that one frame carried, and where it stood.

    `time` is in Unix seconds, or None where nothing tells it; `step` counts from the start of the
    run; `at` is the offset of the frame's first byte in `console.log` and the length to its last.  What the
    program logged itself has `logged` instead: the file in the run's `logged/`, offset and length there.
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


@dataclass(frozen=True)
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


def to_json(record: Record) -> str:
    """One line of `records.jsonl`, without its newline."""
    item: dict[str, Any] = {
        "time": record.time,
        "parser": record.parser,
        "step": record.step,
        "epoch": record.epoch,
        "metrics": {name: plain_number(value) for name, value in record.metrics.items()},
        "context": dict(record.context),
        "at": list(record.at) if record.logged is None else None,
    }
    if record.logged is not None:
        item["logged"] = list(record.logged)
    if record.config:
        item["config"] = {
            name: plain_number(value) if isinstance(value, float) else value
            for name, value in record.config.items()
        }
    return json.dumps(item, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> Record:
    """The record on a line of `records.jsonl`.  Raises ValueError for a torn line."""
    item = json.loads(line)
    if not isinstance(item, dict) or "metrics" not in item:
        raise ValueError(f"not a record: {line[:80]!r}")
    return Record(
        time=item["time"],
        parser=item["parser"],
        step=item["step"],
        epoch=item["epoch"],
        metrics={name: NON_FINITE.get(value, value) for name, value in item["metrics"].items()},
        context=item["context"],
        at=(item["at"][0], item["at"][1]) if item["at"] else (0, 0),
        logged=tuple(item["logged"]) if item.get("logged") else None,
        config={
            name: NON_FINITE.get(value, value) if isinstance(value, str) else value
            for name, value in item.get("config", {}).items()
        },
    )
