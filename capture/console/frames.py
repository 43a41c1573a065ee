"""Bytes to frames: the text of a console line before the next `\\n`, `\\r` or cursor move.

Works on bytes: every separator is ASCII, so no character is ever torn.  Sequences are those of ECMA-48
and xterm's control sequences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

LINE_LIMIT = 64 * 1024
FINAL = ("newline", "end")
MAX_ROWS = 200  # no screen is higher

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
_COLUMN_ONE = (b"\x1b[G", b"\x1b[0G", b"\x1b[1G")
_UP = re.compile(rb"\x1b(?:\[(\d*)[AF]|M)")
# Lines without any of these are the same split at newlines alone: most of what programs print.
_ORDINARY = bytes(set(range(32, 256)) - {127} | {9, 10})
_SPECIAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\r(?!\n)|\x1b(?!\[[0-9;:]{0,32}m)")
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
# Colours, modes, titles, hyperlinks, character sets: none of it is text.
_ESCAPE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"
    rb"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    rb"|\x1b[ -/]*[0-~]?"
)
_CONTROL = bytes(set(range(32)) - {9}) + b"\x7f"


class Frame(NamedTuple):
    """One state of one console line.  A frame without text is a move of the cursor alone.

    `data` is its text without colours; `end` is how it ended: `newline`; `return`, back to the start of the
    same line; `up`, a move to the line above (a move by several lines is as many frames); `cursor`, any
    other move or erasure; `end` of the output.  A bar ends with `text` where the program went on printing
    behind it (see `parsing.glued`).  `offset` is that of its first byte in `console.log`,
    and `span` the number of bytes from there to its last; `time` is when that arrived, in Unix seconds.
    `cleared` says that the line was overwritten with blanks before, and only whole lines were printed since.
    """

    data: bytes
    end: str
    offset: int
    span: int
    time: float | None
    stream: str | None
    cleared: bool = False

    @property
    def text(self) -> str:
        """The frame's text, with U+FFFD for what is not UTF-8."""
        return self.data.decode("utf-8", "replace")

    @property
    def final(self) -> bool:
        """Whether the line is finished, by a newline or by the end of the output."""
        return self.end in FINAL

    def since(self, offset: int) -> Frame:
        """All that was printed from a byte in `console.log` to the end of this frame, as one."""
        return self._replace(offset=offset, span=self.offset + self.span - offset)


_new = tuple.__new__


class Lines(NamedTuple):
    """Whole finished lines of one chunk, whose bytes hold no control characters but newlines and colours.

    `data` are their bytes as they came, without newlines, and `texts` the same decoded and without colours
    (a carriage return before the newline is left in both); `offset` is where in `console.log` the first one
    begins; `cleared` is that of their frames.  `is_bare` says that there are no colours and carriage returns.
    """

    data: list[bytes]
    texts: list[str]
    offset: int
    time: float | None
    stream: str | None
    cleared: bool
    is_bare: bool

    @property
    def shown(self) -> int:
        """How many of the lines show text."""
        return len(self.texts) - self.texts.count("") - self.texts.count("\r")

    def frames(self) -> Iterator[Frame]:
        """The lines as frames."""
        offset = self.offset
        for index, line in enumerate(self.data):
            yield self.frame(index, offset)
            offset += len(line) + 1

    def frame(self, index: int, offset: int) -> Frame:
        """One of the lines as a frame; `offset` is where in `console.log` it begins."""
        text = self.data[index].removesuffix(b"\r")
        shown = visible(text[:LINE_LIMIT]) if b"\x1b" in text else text[:LINE_LIMIT]
        # Half the time of `Frame(...)`.
        return _new(Frame, (shown, "newline", offset, len(text), self.time, self.stream, self.cleared))


def visible(data: bytes) -> bytes:
    """The bytes that show on the screen: without colours, titles and control characters."""
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
        self._cleared = False  # see Frame.cleared
        self._start = 0  # offset of the unfinished frame's first byte
        self._offsets = [-1]  # of the last byte of the unfinished frame, and of those of `_undecided`

    def feed(self, data: bytes, offset: int, time: float | None = None) -> list[Frame]:
        """The same as `read`, with each line as a frame of its own."""
        items = self.read(data, offset, time)
        return [f for item in items for f in (item.frames() if isinstance(item, Lines) else [item])]

    def read(self, data: bytes, offset: int, time: float | None = None) -> list[Frame | Lines]:
        """The frames and the batches of lines that end in a chunk.

        `offset` is that of its first byte in `console.log`; it need not follow the chunk before, which
        is of the same stream.  `time` is when it arrived, in Unix seconds.
        """
        if not data:
            return []
        if not self._undecided and b"\n" not in data and not data.translate(None, _ORDINARY):
            self._extend(data, offset)
            return []
        begins_line = self._ended == "newline" and not (self._carry or self._undecided)
        if begins_line and data.endswith(b"\n") and _is_plain(data):  # a program prints whole lines
            return [self._lines(data[:-1], offset, time)]
        return list(self._split(data, offset, time))

    def _split(self, chunk: bytes, offset: int, time: float | None) -> Iterator[Frame | Lines]:
        buffer = _Buffer(self._carry + self._undecided, self._offsets, chunk, offset)
        data, searched = buffer.data, len(self._carry)
        undecided = _UNDECIDED.search(data, max(0, len(data) - 96))
        stop = undecided.start() if undecided else len(data)
        position, start = 0, self._start if self._carry else buffer.offset(0)
        plain = _is_plain(data)
        search, offset_of = _SEPARATOR.search, buffer.offset
        while True:
            if self._ended == "newline" and position >= buffer.chunk:
                special = None if plain else _SPECIAL.search(data, position, stop)
                edge = data.rfind(b"\n", position, special.start() if special else stop)
                if edge >= 0:
                    yield self._lines(data[position:edge], start, time)
                    position = edge + 1
                    start = buffer.offset(position)
            separator = search(data, position if position > searched else searched, stop)
            if separator is None:
                break
            begin, after = separator.span()
            end, rows = _end(data[begin:after])
            moves = rows - 1 if rows else 0
            if begin > position:
                span = offset_of(begin - 1) + 1 - start
                yield self._frame(data[position:begin], end, start, span, time)
            elif end in ("newline", "up") or (end == "return" and self._ended == "cursor"):
                moves += 1
            for _ in range(moves):
                yield Frame(b"", end, start, 0, time, self.stream)
            self._ended, position = end, after
            start = offset_of(after)
        self._carry = data[position : min(stop, position + LINE_LIMIT)]
        self._undecided = data[stop:]
        self._start = start
        self._offsets = [buffer.offset(index) for index in range(stop - 1, len(data))]

    def _extend(self, data: bytes, offset: int) -> None:
        """The unfinished line goes on: with a gigabyte, if need be, of which the beginning is kept."""
        if not self._carry:
            self._start = offset
        if len(self._carry) < LINE_LIMIT:
            self._carry = (self._carry + data)[:LINE_LIMIT]
        self._offsets = [offset + len(data) - 1]

    def finish(self, time: float | None = None) -> list[Frame]:
        """The last frame, if the output ended without a newline."""
        rest, self._carry, self._undecided = self._carry + self._undecided, b"", b""
        frame = self._frame(rest, "end", self._start, self._offsets[-1] + 1 - self._start, time)
        return [frame] if frame.data else []

    def _frame(self, data: bytes, end: str, offset: int, span: int, time: float | None) -> Frame:
        shown, cleared = visible(data[:LINE_LIMIT]), self._cleared
        if shown and end not in FINAL:
            self._cleared = end != "up" and shown.isspace()  # not in the row below, where a bar has ended
        return _new(Frame, (shown, end, offset, span, time, self.stream, cleared))

    def _lines(self, data: bytes, offset: int, time: float | None) -> Lines:
        has_colours = b"\x1b" in data
        shown = _COLOUR.sub(b"", data) if has_colours else data
        texts = shown.decode("utf-8", "replace").split("\n")
        is_bare = not has_colours and b"\r" not in data
        return Lines(data.split(b"\n"), texts, offset, time, self.stream, self._cleared, is_bare)


class _Buffer:
    """What the chunks before left over, and the next chunk, which may be elsewhere in the file.

    `left_offsets` are the offsets of its last bytes: all that anyone asks for.
    """

    def __init__(self, left: bytes, left_offsets: Sequence[int], chunk: bytes, offset: int) -> None:
        self.data = left + chunk
        self.chunk = len(left)  # index of the chunk's first byte
        self._left_offsets = left_offsets
        self._shift = offset - len(left)

    def offset(self, index: int) -> int:
        """The offset in the file of the byte at this index."""
        return index + self._shift if index >= self.chunk else self._left_offsets[index - self.chunk]


@lru_cache(maxsize=256)
def _end(separator: bytes) -> tuple[str, int]:
    """How a separator ends a frame, and by how many rows it moves the cursor up."""
    if separator.endswith(b"\n"):
        return "newline", 0
    if separator.endswith((b"\r", b"\b")) or separator in _COLUMN_ONE:
        return "return", 0
    up = _UP.fullmatch(separator)
    return ("up", min(int(up[1] or 1), MAX_ROWS)) if up else ("cursor", 0)


def _is_plain(data: bytes) -> bool:
    """Whether nothing but newlines ends a frame in it."""
    unusual = data.translate(None, _ORDINARY)
    return unusual.count(b"\r") == len(unusual) == data.count(b"\r\n")
