"""Frames to finished lines, as a backend's log shows them: a progress bar is one line, its last state.

Keeps the last rows of the screen.  A row can change as long as the cursor may come back to it, so it is
finished once it has scrolled far away or has not changed for a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capture.console.frames import LINE_LIMIT, Frame, Lines
from capture.records import ConsoleLine

ROWS_KEPT = 50
ROW_LIMIT = 50_000  # characters of a row that is printed in pieces
SETTLED = 2.0  # seconds without a change


@dataclass
class _Row:
    text: str = ""
    time: float | None = None
    cleared: bool = False  # its text was erased, so it is no line of the log


class ConsoleLines:
    """The finished lines of one stream."""

    def __init__(self, stream: str | None) -> None:
        self.stream = stream or "stdout"
        self._rows = [_Row()]
        self._cursor = 0  # the row of the cursor
        self._at_start = True  # the cursor is at the start of its row: the next text replaces the row's

    def feed(self, frames: Iterable[Frame | Lines]) -> list[ConsoleLine]:
        """The lines that are finished now."""
        lines: list[ConsoleLine] = []
        for item in frames:
            if isinstance(item, Frame):
                lines += self._show(item)
            elif self._cursor == len(self._rows) - 1 and max(map(len, item.data)) < LINE_LIMIT:
                lines += self._scroll(item)
            else:
                for frame in item.frames():
                    lines += self._show(frame)
        return lines

    def _show(self, frame: Frame) -> list[ConsoleLine]:
        if frame.data:
            self._write(frame)
        self._at_start = frame.end != "cursor"
        if frame.end == "newline":
            self._rows[self._cursor].time = frame.time
            self._cursor += 1
            if self._cursor == len(self._rows):
                self._rows.append(_Row())
                return self._pop_all_but(ROWS_KEPT)
        elif frame.end == "up":
            self._cursor = max(0, self._cursor - 1)
        return []

    def _scroll(self, batch: Lines) -> list[ConsoleLine]:
        """Show lines at the bottom.  Those that have scrolled away by the last one never become rows."""
        lines = self._show(next(batch.frames()))  # the row of the cursor may hold something
        texts = [text.removesuffix("\r") for text in batch.texts[1:]]
        self._rows.pop()
        if len(texts) >= ROWS_KEPT:
            lines += self._pop_all_but(0)
            lines += [ConsoleLine(batch.time, self.stream, text.rstrip()) for text in texts[:-ROWS_KEPT]]
        self._rows += [_Row(text, batch.time) for text in texts[-ROWS_KEPT:]]
        self._rows.append(_Row())
        self._cursor = len(self._rows) - 1
        return lines + self._pop_all_but(ROWS_KEPT)

    def settled(self, now: float) -> list[ConsoleLine]:
        """The lines above the cursor that have not changed for a while; `now` is in Unix seconds."""
        lines: list[ConsoleLine] = []
        while self._cursor > 0 and (self._rows[0].time or 0.0) < now - SETTLED:
            lines += self._pop()
        return lines

    def finish(self) -> list[ConsoleLine]:
        """The lines that are left at the end of the output."""
        lines: list[ConsoleLine] = []
        last = self._rows[-1]
        if not last.text.strip():
            self._rows.pop()
        while self._rows:
            lines += self._pop()
        self._rows, self._cursor = [_Row()], 0
        return lines

    def _write(self, frame: Frame) -> None:
        row, text = self._rows[self._cursor], frame.text
        if self._at_start:
            row.cleared = not text.strip() and bool(row.text or row.cleared)
            row.text = text
        elif len(row.text) + len(text) < ROW_LIMIT:
            row.text += text
        row.time = frame.time

    def _pop_all_but(self, count: int) -> list[ConsoleLine]:
        lines: list[ConsoleLine] = []
        while len(self._rows) > count:
            lines += self._pop()
        return lines

    def _pop(self) -> list[ConsoleLine]:
        row = self._rows.pop(0)
        self._cursor = max(0, self._cursor - 1)
        return [] if row.cleared else [ConsoleLine(row.time, self.stream, row.text.rstrip())]
