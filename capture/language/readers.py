"""Readers: Python for what no expression can say, beside the parser files of an installed package.

A reader is a module with `LITERALS`, texts of which every line that it reads contains at least one.  One
that reads single lines has `read(line, state, memory)`, as in `LineReader`, and may have `begin()`, which
returns the state that it keeps for one source of lines, `finish(state, memory)`, and for speed `plan(text)`
and `rejects(text)`.  One that reads several lines has `begin()`, which returns what is open at the beginning
of a stream, and `read_next(text, final, opened, timeout)`, as tables and blocks have it.  A parser names it
(`reader: general`); only modules of installed packages are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from capture import plugins
from capture.errors import UserError
from capture.language.numbers import Value
from capture.language.tables import LineResult

Memory = dict[str, Value]


class Line(NamedTuple):
    """A line that a reader is asked about.

    frame: where it was printed (its `stream` says on which of the program's): the reader hands it back
    alone: whether no other parser has recognised a line yet
    is_heading: whether another parser has recognised the line as a heading: it has no metrics
    expected: whether the reader has asked for this line, whatever its text is
    """

    text: str
    frame: Any
    alone: bool
    is_heading: bool = False
    expected: bool = False


class Found(NamedTuple):
    """The values that one line names, and the frame of that line."""

    values: Mapping[str, Value]
    frame: Any


class Answer(NamedTuple):
    """What a reader of single lines makes of a line.

    found: the line's values, after those of earlier lines that it makes certain; empty if the line is not
        recognised
    expects_next: whether the next line of the stream is to be read, whatever its text is
    """

    found: Sequence[Found] = ()
    expects_next: bool = False


class LinePlan(NamedTuple):
    """How a reader reads all lines of one shape, once it has read two of them.

    texts: where the texts are that it needs
    fixed: what has to be the same in all these lines: digits in names
    read: takes those texts, the reader's own state, what the parser remembers and whether the reader is
        `alone`, and returns the values of the line, and whether the next one is expected, whatever it
        holds; None, before it has changed anything, if `LineReader.read` has to be asked
    """

    texts: Sequence[slice]
    fixed: Sequence[slice]
    read: Callable[[Sequence[str], Any, Memory, bool], tuple[Mapping[str, Value], bool] | None]


@dataclass(frozen=True)
class LineReader:
    """A reader of single lines, and the literals that these contain.

    `read` takes the line, the reader's own state and what the parser remembers, and may change both.
    `finish` takes the same two when the output has ended, and returns what the lines say that it held back.
    `plan` takes the text of a line that has been read, and returns how others of its shape are; None if
    each has to be looked at.
    `rejects` takes such a text, too, and returns whether it is known that no line of its shape says anything,
    or changes what the reader says of others, where the reader has not expected it.
    """

    name: str
    literals: frozenset[str]
    begin: Callable[[], Any]
    read: Callable[[Line, Any, Memory], Answer]
    finish: Callable[[Any, Memory], Sequence[Found]]
    plan: Callable[[str], LinePlan | None]
    rejects: Callable[[str], bool]


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
        if hasattr(found, "LITERALS"):
            literals = frozenset(found.LITERALS)
            if hasattr(found, "read_next"):
                return StreamReader(name, literals, found.begin, found.read_next)
            if hasattr(found, "read"):
                return LineReader(
                    name,
                    literals,
                    getattr(found, "begin", _stateless),
                    found.read,
                    getattr(found, "finish", _nothing_held),
                    getattr(found, "plan", _unplanned),
                    getattr(found, "rejects", _never_known),
                )
    raise UserError(f"there is no reader {name!r} in the packages that bring parsers")


def _stateless() -> None:
    """The state of a reader that keeps none."""


def _nothing_held(state: Any, memory: Memory) -> Sequence[Found]:
    """Nothing is held back."""
    return ()


def _unplanned(text: str) -> None:
    """Each line has to be looked at."""


def _never_known(text: str) -> bool:
    """The answer may depend on what the reader remembers."""
    return False
