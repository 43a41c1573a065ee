"""Readers: Python for what no expression can say, beside the parser files of an installed package.

A reader is a module with `LITERALS`, texts of which one stands in every line that it reads, and
`read(text, memory)`, which gives the values that a line names, or None if it does not recognise it.
One that reads several lines has `begin()`, which gives what is open at the beginning of a stream, and
`read(text, final, opened, timeout)`, as tables and blocks have it.
A parser names it (`reader: general`); only what is installed as a package of parsers is ever imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from capture.language.numbers import Value

if TYPE_CHECKING:
    from capture.language.tables import LineResult

GROUP = "capture.parsers"
Memory = dict[str, Value]
ALONE = "alone"  # in the memory: true while no other parser has recognised a line


@dataclass(frozen=True)
class LineReader:
    """A reader and the texts that it needs."""

    name: str
    literals: frozenset[str]
    read: Callable[[str, Memory], Mapping[str, Value] | None]

    def rejects(self, text: str) -> bool:
        """Never known before it was asked: what it gives may depend on its memory."""
        return False


@dataclass(frozen=True)
class StreamReader:
    """A reader of several lines."""

    name: str
    literals: frozenset[str]
    begin: Callable[[], Any]
    read: Callable[[str, bool, Any, float | None], tuple[Any, LineResult]]

    @property
    def start(self) -> StreamReader:
        """What tells which lines may be the first."""
        return self

    def rejects(self, text: str) -> bool:
        """Never known before it was asked."""
        return False


def find(name: str) -> LineReader | StreamReader:
    """The reader of this name.  Raises ValueError where no package of parsers has one."""
    for package in sorted({point.value for point in entry_points(group=GROUP)}):
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
    raise ValueError(f"there is no reader {name!r} in the packages that bring parsers")
