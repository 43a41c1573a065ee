"""A mapping that is spread over several lines, as `json.dumps(indent=2)` and `pprint` print it.

{
  "epoch": 3,
  "train": {
    "loss": 0.5
  }
}

It is read as one line once it is whole.  It begins with the first line that says something: a brace alone is
no reason to look at a line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from capture.language.readers import Line
from capture.parsers.general import other_lines
from capture.parsers.general.recurrence import stream_of

LITERAL = '": {'  # in its first line, if no word of a metric or a position is
MOST_LINES = 100
MOST_CHARACTERS = 16_000

_KEY = r"\s*(?:u?'[^']{1,80}'|\"[^\"]{1,80}\")\s?:"
_BEGINNING = re.compile(rf"(?P<head>|[^{{}}'\"]{{0,80}}[:=(\s])(?P<brace>\{{)\s*(?:$|{_KEY})|{_KEY}\s")
_INSIDE = re.compile(r"\s*(?:u?['\"]|[]{}[),]|[-+.\d]|(?:nan|NaN|inf|true|false|null|None|True|False)\b)")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def begins(text: str) -> bool:
    """Whether this may be the first line of a mapping that goes on below it."""
    if not text.rstrip().endswith((",", "{", "[")):
        return False
    match = _BEGINNING.match(text)
    if not match or other_lines.is_other(match["head"] or ""):
        return False
    return not match["brace"] or _depth(text) > 0


def may_be_inside(text: str) -> bool:
    """Whether this may be a line of one: a name in quotes with its value."""
    return text.lstrip(" \tu")[:1] in ("'", '"')


@dataclass
class _Open:
    """A mapping that is being printed: its lines, how many brackets are open after them, and their length."""

    lines: list[Line] = field(default_factory=list)
    depth: int = 0
    size: int = 0

    def add(self, line: Line) -> bool:
        """Add a line.  Returns whether the next one is expected to be a part of it, too."""
        self.lines.append(line)
        self.depth += _depth(line.text)
        self.size += len(line.text)
        is_small = len(self.lines) <= MOST_LINES and self.size <= MOST_CHARACTERS
        return self.depth > 0 and is_small and _INSIDE.match(line.text) is not None


@dataclass
class Spread:
    """The mapping that is being printed on each stream."""

    _open: dict[str | None, _Open] = field(default_factory=dict)

    def begin(self, line: Line) -> None:
        """The first line of one has come."""
        opened = self._open[stream_of(line)] = _Open(depth=not _has_brace(line))
        opened.add(line)

    def is_open(self, line: Line) -> bool:
        """Whether one is being printed where this line is."""
        return stream_of(line) in self._open

    def add(self, line: Line) -> list[Line]:
        """Add a line.  Returns all of them once the mapping is whole, or goes on no further; else none."""
        opened = self._open[stream_of(line)]
        if opened.add(line):
            return []
        del self._open[stream_of(line)]
        return opened.lines

    def finish(self) -> list[Line]:
        """The lines of those that were still being printed when the output ended."""
        lines = [line for opened in self._open.values() for line in opened.lines]
        self._open.clear()
        return lines


def whole(lines: Sequence[Line]) -> Line | None:
    """The lines as one; None if they are no mapping."""
    text = " ".join(line.text.strip() for line in lines)
    if not _has_brace(lines[0]):
        text = "{" + text
    if _depth(text) or not _INSIDE.match(lines[-1].text):
        return None
    first, last = lines[0].frame, lines[-1].frame
    return Line(text, last and last.since(first.offset), lines[-1].alone)


def _has_brace(first: Line) -> bool:
    """Whether the brace before all names is in this line, not above it."""
    match = _BEGINNING.match(first.text)
    return bool(match and match["brace"])


def _depth(text: str) -> int:
    """How many more brackets are opened than closed."""
    plain = _QUOTED.sub("", text)
    return sum(plain.count(sign) for sign in "{[(") - sum(plain.count(sign) for sign in "}])")
