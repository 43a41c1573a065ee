"""The columns over which the metrics of a parser are drawn.  Apart from `naming`, which needs no parsers."""

from __future__ import annotations

from collections.abc import Iterable

from capture.delivery.naming import Axes
from capture.language.expressions import compiled
from capture.language.model import Parser


def of_all(parsers: Iterable[Parser]) -> dict[str, Axes]:
    """The axes of parsers, by their names."""
    return {parser.name: of(parser) for parser in {id(parser): parser for parser in parsers}.values()}


def of(parser: Parser) -> Axes:
    """A parser's x-axes as (prefix of the metric's name, column, position), the longest prefix first."""
    outcomes = [outcome for pattern in parser.patterns for outcome in (pattern, *pattern.cases)]
    found = {("", column): position for column, position in parser.axis.items()}
    found |= {(o.prefix, column): position for o in outcomes for column, position in o.axis.items()}
    table = [(prefix, column, compiled(position)) for (prefix, column), position in found.items()]
    return sorted(table, key=lambda item: -len(item[0]))
