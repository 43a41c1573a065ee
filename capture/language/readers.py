"""Readers: Python for what no expression can say, beside the parser files of an installed package.

A reader is a module with `LITERALS`, texts of which one is in every line that it reads.
One that reads single lines has `read(text, state, memory, alone)`, as in `LineReader`, and may have
`begin()`, which returns the state that it keeps for one source of lines.
One that reads several lines has `begin()`, which returns what is open at the beginning of a stream, and
`read_next(text, final, opened, timeout)`, as tables and blocks have it.
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


@dataclass(frozen=True)
class LineReader:
    """A reader of single lines and the texts that it needs.

    `read` takes the text, the reader's own state, what the parser remembers, and whether no other parser
    has recognised a line yet; it may change both the state and the memory.  It returns the values that the
    line names, None if it does not recognise it.
    """

    name: str
    literals: frozenset[str]
    begin: Callable[[], Any]
    read: Callable[[str, Any, Memory, bool], Mapping[str, Value] | None]

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
        if hasattr(found, "LITERALS"):
            literals = frozenset(found.LITERALS)
            if hasattr(found, "read_next"):
                return StreamReader(name, literals, found.begin, found.read_next)
            if hasattr(found, "read"):
                return LineReader(name, literals, getattr(found, "begin", _stateless), found.read)
    raise ValueError(f"there is no reader {name!r} in the packages that bring parsers")


def _stateless() -> None:
    """The state of a reader that keeps none."""
