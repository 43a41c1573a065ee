"""What is open on a stream while its configuration is read, and what a line can be."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture.language.patterns import Match
from capture.language.tables import NOT_RECOGNISED, RECOGNISED, LineResult
from capture.parsers.printed_config.names import identifier
from capture.parsers.printed_config.reprs import Pairs


@dataclass
class OpenObject:
    """An object whose brackets are not closed yet."""

    text: str
    depth: int  # of its brackets
    key: str = ""  # in a list, whose value it is
    lines: int = 0  # after the first


@dataclass
class OpenConfig:
    """What is being read on a stream: an object, or a list."""

    first_lines_left: int = 0  # lines that are still among the stream's first
    has_heading: bool = False
    object: OpenObject | None = None
    is_list: bool = False  # enough rows were seen
    rows: Pairs = field(default_factory=list)  # held back until it is certain that they are a list
    parents: list[tuple[int, str]] = field(default_factory=list)  # indents and keys that have rows below
    items: list[str] = field(default_factory=list)  # of the last parent: `- a`
    first_row: tuple[int, int] | None = None  # the columns where it and its value begin

    @property
    def is_expected(self) -> bool:
        """Whether the next line may be a row."""
        return self.has_heading or self.first_lines_left > 0

    def rest(self) -> OpenConfig | None:
        """What is open once the list or the object has ended."""
        return OpenConfig(self.first_lines_left) if self.first_lines_left else None


Result = tuple[OpenConfig | None, LineResult]  # what is open after a line, and what the line is


def config(pairs: Pairs, whole: bool = False) -> LineResult:
    """A line that completes these settings; `whole` if they are in all lines of what was open."""
    return LineResult(True, Match({}, [(identifier(name), value) for name, value in pairs]), whole)


def held_back(state: OpenConfig) -> Result:
    """A line whose settings are not complete; without a heading other parsers may recognise it."""
    return state, RECOGNISED if state.has_heading or state.is_list else NOT_RECOGNISED
