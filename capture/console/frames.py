"""Bytes to frames: what stood on a console line before the next `\\n`, `\\r` or cursor move.

Works on bytes: every separator is ASCII, so no character is ever torn, and only the few frames that
a parser looks at closely are decoded.  Sequences are those of ECMA-48 and xterm's control sequences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import compress, count
from typing import NamedTuple, Protocol

LINE_LIMIT = 64 * 1024
FINAL = ("newline", "end")
MOST_ROWS = 200  # no screen is higher

# A trailing "erase to the end of the line" changes nothing on the screen and belongs to the newline.
_ERASES = rb"(?:\x1b\[0?K){0,4}"
# Every branch starts with a plain byte: only then does `re` jump from candidate to candidate.
_SEPARATOR = re.compile(
    rb"\n|\r\r{0,3}\n|\r|\x08+|\x1b\[[01]?G"
    rb"|\x1b\[0?K" + _ERASES + rb"\r{0,4}\n"
    rb"|\x1b(?:\[[0-9;:?]{0,32}[A-HJ-MPSTXZ@`adefsu]|[78DEM])"
)
# What may be the first part of a separator that the next chunk completes.
_UNDECIDED = re.compile(rb"(?:" + _ERASES + rb"\r{1,4}|(?:\x1b\[0?K){1,4})?(?:\x1b(?:\[[0-9;:?]{0,32})?)?\Z")
_ENDS = {b"\n": "newline", b"\r": "return", b"\b": "return", b"G": "return"}
_COLUMN_ONE = (b"\x1b[G", b"\x1b[0G", b"\x1b[1G")
_UP = re.compile(rb"\x1b(?:\[(\d*)[AF]|M)")
# Lines without any of these are the same split at newlines alone: most of what programs print.
_ORDINARY = bytes(set(range(32, 256)) - {127} | {9, 10})
_SPECIAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\r(?!\n)|\x1b(?!\[[0-9;:]{0,32}m)")
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
# Colours, modes, titles, hyperlinks, character sets: nothing of it is text.
_ESCAPE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"
    rb"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    rb"|\x1b[ -/]*[0-~]?"
)
_CONTROL = bytes(set(range(32)) - {9}) + b"\x7f"


class Frame(NamedTuple):
    """One state of one console line.

    `data` is its text without colours; `end` is how it ended: `newline`; `return`, back on the same
    line; `up`, a move to the line above (a move by several is as many frames); `cursor`, any other
    move or erasure; `end` of the output.  `offset` and `span` say where its bytes stand in
    `console.log`; `time` is when its last byte arrived.  Frames without text stand for moves alone.
    """

    data: bytes
    end: str
    offset: int
    span: int
    time: float | None
    stream: str | None

    @property
    def text(self) -> str:
        """The frame's text, whatever is no UTF-8 in it replaced."""
        return self.data.decode("utf-8", "replace")

    @property
    def final(self) -> bool:
        """Whether the line stays as it is: only a newline or the end of the output makes it so."""
        return self.end in FINAL


class Lines(NamedTuple):
    """Finished lines that nobody wants to look at one by one.

    `data` are their bytes as they came, without newlines, and `texts` the same decoded and without colours;
    `shown` is how many of them show text; `offset` is where the first one begins.
    """

    data: list[bytes]
    texts: list[str]
    shown: int
    offset: int
    time: float | None
    stream: str | None

    def frames(self) -> Iterator[Frame]:
        """The lines as frames."""
        offset = self.offset
        for line in self.data:
            yield _finished(line, offset, self.time, self.stream)
            offset += len(line) + 1


class Reader(Protocol):
    """Who reads the frames, and says which lines are worth a frame of their own."""

    wants: Callable[[str], bool]  # whether a line with this text may mean something

    def wants_all(self, stream: str | None) -> bool:
        """Whether every line of this stream is wanted now.  Asked again after each frame."""


def visible(data: bytes) -> bytes:
    """The bytes that show on the screen: colours, titles and control characters dropped."""
    if b"\x1b" in data:
        data = _ESCAPE.sub(b"", data)
    return data.translate(None, _CONTROL)


class FrameReader:
    """Splits one stream into frames; the same bytes give the same frames however they are chunked."""

    def __init__(self, stream: str | None = None) -> None:
        self.stream = stream
        self._carry = b""  # the unfinished frame, at most its first LINE_LIMIT bytes
        self._undecided = b""  # what may be the first part of a separator
        self._ended = "newline"  # how the frame before ended
        self._start = 0  # offset of the unfinished frame's first byte
        self._places = [-1]  # where the carry's last byte and those of `_undecided` stand

    def feed(self, data: bytes, offset: int, time: float | None = None) -> list[Frame]:
        """The frames that end in `data`, whose first byte stands at `offset`."""
        return [frame for frame in self.read(data, offset, time) if isinstance(frame, Frame)]

    def read(
        self, data: bytes, offset: int, time: float | None = None, reader: Reader | None = None
    ) -> Iterator[Frame | Lines]:
        """The frames that end in `data`; lines that the reader does not want are only counted."""
        if not data:
            return
        if not self._undecided and b"\n" not in data and not data.translate(None, _ORDINARY):
            self._go_on(data, offset)
            return
        buffer = self._carry + self._undecided + data
        old = len(buffer) - len(data)

        def place(index: int) -> int:
            """Where a byte stands in the file; the chunks of one stream need not stand side by side."""
            return offset + index - old if index >= old else self._places[index - old]

        held = _UNDECIDED.search(buffer, max(0, len(buffer) - 96))
        stop = held.start() if held else len(buffer)
        start = self._start if self._carry else place(0)
        position, scanned = 0, len(self._carry)
        plain = _is_plain(buffer)
        while True:
            if reader and self._ended == "newline" and position >= old:
                special = None if plain else _SPECIAL.search(buffer, position, stop)
                edge = buffer.rfind(b"\n", position, special.start() if special else stop)
                if edge >= 0:
                    yield from self._whole_lines(buffer[position:edge], start, time, reader)
                    position = scanned = edge + 1
                    start = place(position)
            for match in _SEPARATOR.finditer(buffer, scanned, stop):
                (begin, after), separator = match.span(), match[0]
                end = _ENDS.get(separator[-1:], "cursor")
                if end == "return" and separator.endswith(b"G") and separator not in _COLUMN_ONE:
                    end = "cursor"
                up = _UP.fullmatch(separator) if end == "cursor" else None
                if up:
                    end = "up"
                if begin > position:
                    span = place(begin - 1) + 1 - start
                    yield self._frame(buffer[position:begin], end, start, span, time)
                elif end in ("newline", "up") or (end == "return" and self._ended == "cursor"):
                    yield Frame(b"", end, start, 0, time, self.stream)
                if up and up[1]:
                    above = Frame(b"", end, start, 0, time, self.stream)
                    yield from [above] * (min(int(up[1]), MOST_ROWS) - 1)
                self._ended = end
                position = scanned = after
                start = place(position)
                if reader and end == "newline":
                    break
            else:
                break
        self._places = [place(index) if index >= 0 else -1 for index in range(stop - 1, len(buffer))]
        self._carry = buffer[position : min(stop, position + LINE_LIMIT)]
        self._undecided = buffer[stop:]
        self._start = start

    def _go_on(self, data: bytes, offset: int) -> None:
        """The unfinished line goes on: with a gigabyte, if need be, of which the beginning is kept."""
        if not self._carry:
            self._start = offset
        self._carry = (self._carry + data)[:LINE_LIMIT] if len(self._carry) < LINE_LIMIT else self._carry
        self._places = [offset + len(data) - 1]

    def _whole_lines(
        self, data: bytes, offset: int, time: float | None, reader: Reader
    ) -> Iterator[Frame | Lines]:
        """The finished lines of `data`, which holds no separators but newlines."""
        lines = data.split(b"\n")
        coloured = b"\x1b" in data
        shown = _COLOUR.sub(b"", data) if coloured else data
        texts = shown.decode("utf-8", "replace").split("\n")
        first = 0  # line that has not been given
        all_wanted = reader.wants_all(self.stream)
        wanted = compress(count(), map(reader.wants, texts))
        while first < len(lines):
            index = first if all_wanted else next(wanted, len(lines))
            if index < first:
                continue
            if index > first:
                run, said = lines[first:index], texts[first:index]
                empty = said.count("") + said.count("\r")
                yield Lines(run, said, len(run) - empty, offset, time, self.stream)
                offset += sum(map(len, run)) + len(run)
            if index < len(lines):
                yield _finished(lines[index], offset, time, self.stream, coloured)
                offset += len(lines[index]) + 1
                all_wanted = reader.wants_all(self.stream)
            first = index + 1

    def finish(self, time: float | None = None) -> list[Frame]:
        """The last frame, if the output ended without a newline."""
        rest, self._carry, self._undecided = self._carry + self._undecided, b"", b""
        frame = self._frame(rest, "end", self._start, self._places[-1] + 1 - self._start, time)
        return [frame] if frame.data else []

    def _frame(self, data: bytes, end: str, offset: int, span: int, time: float | None) -> Frame:
        return Frame(visible(data[:LINE_LIMIT]), end, offset, span, time, self.stream)


def _is_plain(data: bytes) -> bool:
    """Whether nothing but newlines ends a frame in it."""
    unusual = data.translate(None, _ORDINARY)
    return unusual.count(b"\r") == len(unusual) == data.count(b"\r\n")


def _finished(
    line: bytes, offset: int, time: float | None, stream: str | None, coloured: bool = True
) -> Frame:
    if line.endswith(b"\r"):
        line = line[:-1]
    shown = line[:LINE_LIMIT]
    return Frame(visible(shown) if coloured else shown, "newline", offset, len(line), time, stream)
