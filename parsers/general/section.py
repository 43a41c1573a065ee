"""A heading that names a part of the data, and the lines right below it: `Validation:` above `loss: 0.5`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from capture.language.readers import Line
from capture.parsers import vocabulary
from capture.parsers.general.line import Statement
from capture.parsers.vocabulary import Clarity

BETWEEN = 3  # bytes: the ends of lines, and perhaps an empty one

_HEADING = re.compile(
    r"\W{0,8}(?P<part>[A-Za-z]{3,10})"
    r"(?: (?i:set|data|results?|metrics?|scores?|stats|statistics|summary|performance))?\s?:\W{0,8}$"
)


def part_of(text: str) -> str:
    """The part of the data that a heading names; an empty text if it is no such heading."""
    match = _HEADING.match(text) if text.rstrip(" -=*#").endswith(":") else None
    return match["part"] if match and vocabulary.is_split(match["part"]) else ""


@dataclass
class Section:
    """The lines below a heading, as far as one follows the other and none says where the run is.

    part: what the heading names
    end: where the last of them ends
    """

    part: str = ""
    end: int = 0

    def begin(self, part: str, line: Line) -> None:
        """A heading has come."""
        self.part, self.end = part, _end(line)

    def metrics(self, line: Line, statement: Statement) -> Mapping[str, float]:
        """The metrics of a line, named after the part if it is of the section."""
        if not self.part:
            return statement.metrics
        if statement.has_position or line.frame is None or not 0 <= line.frame.offset - self.end <= BETWEEN:
            self.part = ""
            return statement.metrics
        self.end = _end(line)
        return {
            name if _stands_alone(name) else f"{self.part}/{name}": value
            for name, value in statement.metrics.items()
        }


def _stands_alone(name: str) -> bool:
    return vocabulary.names_split(name) or vocabulary.clarity(name) == Clarity.BESIDE


def _end(line: Line) -> int:
    return line.frame.offset + line.frame.span if line.frame else 0
