"""Frames to finished lines, as a backend's log shows them: a progress bar's last state, once.

A small picture of the screen's last rows: a row can still change while the cursor may come back to
it, so it is given when it has scrolled far away or has been left alone for a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capture.console.frames import LINE_LIMIT, Frame, Lines
from capture.records import ConsoleLine

ROWS_KEPT = 50
SETTLED = 2.0  # seconds


@dataclass
class _Row:
    text: str = ""
    time: float | None = None
    cleared: bool = False  # something stood here and was wiped away: no line of the log


class ConsoleLines:
    """The finished lines of one stream."""

    def __init__(self, stream: str | None) -> None:
        self.stream = stream or "stdout"
        self._rows = [_Row()]
        self._at = 0
        self._at_start = True  # of the row: what comes next replaces what stands there

    def feed(self, frames: Iterable[Frame | Lines]) -> list[ConsoleLine]:
        """The lines that are finished now."""
        lines: list[ConsoleLine] = []
        for frame in frames:
            if isinstance(frame, Frame):
                lines += self._show(frame)
            elif self._at == len(self._rows) - 1 and max(map(len, frame.data)) < LINE_LIMIT:
                lines += self._scroll(frame)
            else:
                for single in frame.frames():
                    lines += self._show(single)
        return lines

    def _show(self, frame: Frame) -> list[ConsoleLine]:
        if frame.data:
            self._write(frame)
        self._at_start = frame.end != "cursor"
        if frame.end == "newline":
            self._rows[self._at].time = frame.time
            self._at += 1
            if self._at == len(self._rows):
                self._rows.append(_Row())
                return self._pop_all_but(ROWS_KEPT)
        elif frame.end == "up":
            self._at = max(0, self._at - 1)
        return []

    def _scroll(self, run: Lines) -> list[ConsoleLine]:
        """Many lines at the bottom: those that are out of reach at once never become rows."""
        lines = self._show(next(run.frames()))  # something may stand on this row
        texts = [text.removesuffix("\r") for text in run.texts[1:]]
        self._rows.pop()
        if len(texts) >= ROWS_KEPT:
            lines += self._pop_all_but(0)
            lines += [ConsoleLine(run.time, self.stream, text.rstrip()) for text in texts[:-ROWS_KEPT]]
        self._rows += [_Row(text, run.time) for text in texts[-ROWS_KEPT:]]
        self._rows.append(_Row())
        self._at = len(self._rows) - 1
        return lines + self._pop_all_but(ROWS_KEPT)

    def settled(self, now: float) -> list[ConsoleLine]:
        """The lines above the cursor that nothing has touched for a while."""
        lines: list[ConsoleLine] = []
        while self._at > 0 and (self._rows[0].time or 0.0) < now - SETTLED:
            lines += self._pop()
        return lines

    def finish(self) -> list[ConsoleLine]:
        """All lines that are left at the end of the output."""
        lines: list[ConsoleLine] = []
        last = self._rows[-1]
        if not last.text.strip():
            self._rows.pop()
        while self._rows:
            lines += self._pop()
        self._rows, self._at = [_Row()], 0
        return lines

    def _write(self, frame: Frame) -> None:
        row, text = self._rows[self._at], frame.text
        if self._at_start:
            row.cleared = not text.strip() and bool(row.text or row.cleared)
            row.text = text
        elif len(row.text) + len(text) < ROWS_KEPT * 1000:
            row.text += text
        row.time = frame.time

    def _pop_all_but(self, count: int) -> list[ConsoleLine]:
        lines: list[ConsoleLine] = []
        while len(self._rows) > count:
            lines += self._pop()
        return lines

    def _pop(self) -> list[ConsoleLine]:
        row = self._rows.pop(0)
        self._at = max(0, self._at - 1)
        return [] if row.cleared else [ConsoleLine(row.time, self.stream, row.text.rstrip())]
