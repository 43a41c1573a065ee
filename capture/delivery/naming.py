"""Records to rows: the names that the backends show, and the column that each metric is drawn over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.language import library, model
from capture.language.expressions import Expression, Unknown
from capture.records import Record, Row

_OWN_PREFIX = frozenset(["stream", "rank", "fit"])


class Namer:
    """Gives records their final names.  A pure function of the records so far, in their order.

    What tells apart equal names becomes a prefix: `rank1/loss`, `fit2/epoch/loss`, `fold1/loss`,
    `valid/loss`.  Rank 0, the first fit and the bar in which a name was first seen have none.
    """

    def __init__(self, folder: Path) -> None:
        parsers = library.of_run(folder)
        self._axes = {parser.name: axes(parser) for parser in (*parsers.own, *parsers.built_in)}
        rename = runs.read(folder).settings.get("rename", {})
        self._printed = {new: old for old, new in rename.items()}
        self._home: dict[tuple[str, str], Any] = {}

    def row(self, ordinal: int, record: Record) -> Row:
        """The record as a backend gets it."""
        metrics: dict[str, float] = {}
        drawn_over: dict[str, str] = {}
        for name, value in record.metrics.items():
            shown = self._prefix(name, record.context) + name
            metrics[shown] = value
            for column, position in self._axis(name, record):
                metrics.setdefault(column, position)
                if column != shown:
                    drawn_over[shown] = column
                break
        return Row(ordinal, record.time, record.step, record.epoch, metrics, drawn_over, record.config)

    def _prefix(self, name: str, context: Mapping[str, Any]) -> str:
        parts = []
        if context.get("rank"):
            parts.append(f"rank{context['rank']}")
        if context.get("fit", 1) != 1:
            parts.append(f"fit{context['fit']}")
        for key in sorted({"bar", *context} - _OWN_PREFIX):
            value = context.get(key)
            if self._home.setdefault((key, name), value) != value and value is not None:
                shown = f"{key}{value}" if isinstance(value, (int, float)) else str(value)
                parts.append(shown.replace(" ", "_"))
        return "".join(f"{part}/" for part in parts)

    def _axis(self, name: str, record: Record) -> list[tuple[str, float]]:
        """The x-axis columns that fit, the best first."""
        printed = self._printed.get(name, name)
        known = {"step": record.step, "epoch": record.epoch, **record.metrics}
        names = {key: value for key, value in known.items() if value is not None}
        found = []
        for prefix, column, position in self._axes.get(record.parser, []):
            if printed.startswith(prefix):
                if column in record.metrics:
                    return [(column, record.metrics[column])]
                try:
                    found.append((column, position(names)))
                except Unknown:
                    continue
        for column, value in (("step", record.step), ("epoch", record.epoch)):
            if value is not None:
                found.append((column, value))
        return found


def axes(parser: model.Parser) -> list[tuple[str, str, Expression]]:
    """A parser's x-axes as (prefix of the metric's name, column, position), the longest prefix first."""
    outcomes = [outcome for pattern in parser.patterns for outcome in (pattern, *pattern.cases)]
    found = {("", column): position for column, position in parser.axis.items()}
    found |= {(o.prefix, column): position for o in outcomes for column, position in o.axis.items()}
    table = [(prefix, column, Expression(position)) for (prefix, column), position in found.items()]
    return sorted(table, key=lambda item: -len(item[0]))
