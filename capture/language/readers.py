"""Readers: Python for what no expression can say, beside the parser files of an installed package.

A reader is a module with `LITERALS`, texts of which every line that it reads contains at least one, and
`read(text, memory)`, which returns the values that a line names, or None if it does not recognise the line.
One that reads several lines has `begin()`, which returns what is open at the beginning of a stream, and
`read(text, final, opened, timeout)`, as tables and blocks have it.
A parser names it (`reader: general`); only modules of installed packages of parsers are ever imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from capture import plugins
from capture.errors import UserError
from capture.language.numbers import Value
from capture.language.patterns import Match
from capture.language.tables import LineResult

Memory = dict[str, Value]
ALONE = "alone"  # in the memory: true while no other parser has recognised a line


@dataclass(frozen=True)
class LineReader:
    """A reader of lines by themselves, and the literals that these contain."""

    name: str
    literals: frozenset[str]
    read: Callable[[str, Memory], Mapping[str, Value] | None]

    def rejects(self, text: str) -> bool:
        """Not known before the reader is asked: the answer may depend on its memory."""
        return False

    def match(self, text: str, timeout: float | None = None, memory: Memory | None = None) -> Match | None:
        """The values of a line; None if the reader does not recognise it.  `memory` may be changed."""
        values = self.read(text, {} if memory is None else memory)
        return None if values is None else Match(dict(values))


@dataclass(frozen=True)
class StreamReader:
    """A reader of several lines, and the literals that the first of them contains."""

    name: str
    literals: frozenset[str]
    begin: Callable[[], Any]
    read: Callable[[str, bool, Any, float | None], tuple[Any, LineResult]]

    def rejects(self, text: str) -> bool:
        """Not known before the reader is asked."""
        return False

    def match(self, text: str, timeout: float | None = None, memory: Memory | None = None) -> Match | None:
        """The values of a line by itself, with nothing open before it."""
        _, result = self.read(text, True, None, timeout)
        return result.match


def find(name: str) -> LineReader | StreamReader:
    """The reader of this name.  Raises UserError if no package of parsers has one."""
    for package in sorted({point.value for point in plugins.installed(plugins.PARSERS)}):
        module = f"{package}.{name}"
        try:
            found = import_module(module)
        except ModuleNotFoundError as error:
            if error.name not in (module, package):
                raise
            continue
        if hasattr(found, "read") and hasattr(found, "LITERALS"):
            literals = frozenset(found.LITERALS)
            if hasattr(found, "begin"):
                return StreamReader(name, literals, found.begin, found.read)
            return LineReader(name, literals, found.read)
    raise UserError(f"there is no reader {name!r} in the packages that bring parsers")
