"""Compiles the pattern of a parser file to its matcher.

All matchers have `literals`, of which every line (or first line) that they recognise contains at least one,
and `rejects(text)`, whether it is known that they don't recognise a line.  Expressions have
`match(text, timeout)`, the values of a line by itself.  Matchers of several lines have `begin()`, what is
open at the beginning of a stream, and `read(text, final, opened, timeout)`, what a line is and what is open
after it.
"""

from __future__ import annotations

from typing import Any

from capture.language import readers
from capture.language.blocks import BlockMatcher
from capture.language.model import (
    BlockPattern,
    LinePattern,
    Pattern,
    ReaderPattern,
    RegexPattern,
    TablePattern,
)
from capture.language.patterns import RegexMatcher, from_line, from_regex
from capture.language.readers import LineReader, StreamReader
from capture.language.tables import TableMatcher

LineMatcher = RegexMatcher | LineReader
StreamMatcher = TableMatcher | BlockMatcher | StreamReader


def matcher(pattern: Pattern) -> LineMatcher | StreamMatcher:
    """The matcher of a pattern, whose expressions are compiled when they are first used.

    Raises UserError for an unknown kind of value or reader.
    """
    match pattern:
        case LinePattern():
            return from_line(pattern.line)
        case RegexPattern():
            return from_regex(pattern.regex, pattern.second, pattern.wrapped)
        case TablePattern():
            return TableMatcher(pattern.table)
        case BlockPattern():
            return BlockMatcher(pattern.block)
        case ReaderPattern():
            return readers.find(pattern.reader)
    raise TypeError(f"{type(pattern).__name__} has no matcher")


def check(key: str, value: Any) -> None:
    """Raises UserError if the value of a pattern's `key`, such as `regex`, does not compile."""
    match key:
        case "line":
            from_line(value).check()
        case "regex":
            from_regex(value).check()
        case "table":
            TableMatcher(value).check()
        case "block":
            BlockMatcher(value).check()
        case "reader":
            readers.find(value)
