"""A run's console as text to read: one line for each that was ended, colours kept, and where each begins."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from capture import runs

MOST_LINES = 150_000  # of a page; of more, the first third and the last two thirds are shown
MOST_CHARACTERS = 2_000  # of a line
_BLOCK = 1 << 20  # bytes read at once

# Everything but colours (SGR): cursor moves, erasures, titles, hyperlinks, character sets.
_ESCAPE = re.compile(
    r"\x1b\[(?![0-9;:]*m)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b(?!\[)[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


class Gap(NamedTuple):
    """Lines that were left out: how many, before which of those that are kept, and where the first began."""

    before: int
    missing: int
    start: int


class ConsoleText(NamedTuple):
    """The lines of a console; `starts` are the offsets in `console.log` at which they begin."""

    lines: list[str]
    starts: list[int]
    gap: Gap | None = None

    def line_at(self, offset: int) -> int | None:
        """The line that holds the byte at this offset of `console.log`; None if it was left out."""
        line = bisect_right(self.starts, offset) - 1
        if line < 0 or (self.gap and line == self.gap.before - 1 and offset >= self.gap.start):
            return None
        return line


def read(folder: Path) -> ConsoleText:
    """The console of the run in this folder; empty where nothing was recorded."""
    first: list[tuple[int, str]] = []
    last: deque[tuple[int, bytes]] = deque(maxlen=MOST_LINES - MOST_LINES // 3)
    count, second_start = 0, 0
    for start, data in _lines(folder / runs.CONSOLE_LOG):
        count += 1
        if len(first) < MOST_LINES // 3:
            first.append((start, shown(data)))
            continue
        if not last:
            second_start = start
        last.append((start, data))
    kept = [*first, *((start, shown(data)) for start, data in last)]
    missing = count - len(kept)
    gap = Gap(len(first), missing, second_start) if missing else None
    return ConsoleText([text for _, text in kept], [start for start, _ in kept], gap)


def shown(data: bytes) -> str:
    """What a terminal shows in the end of a line's bytes: of a bar its last state.  Colours are kept."""
    states = data.decode("utf-8", "replace").split("\r")
    texts = [_CONTROL.sub("", _ESCAPE.sub("", state)) for state in states[-50:]]
    visible = [text for text in texts if _COLOUR.sub("", text).strip()]
    return visible[-1][:MOST_CHARACTERS].rstrip() if visible else ""


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file and the offsets at which they begin, in bounded memory; a long one by its end."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        start = 0  # of the line that goes on in `rest`
        rest, position = b"", 0
        while block := file.read(_BLOCK):
            data = rest + block
            position += len(block)
            begin = position - len(data)  # of `data`
            *whole, tail = data.split(b"\n")
            for line in whole:
                yield start, line
                begin += len(line) + 1
                start = begin
            rest = tail[-_BLOCK:]
        if rest:
            yield start, rest
