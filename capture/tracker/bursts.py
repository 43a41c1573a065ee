"""Notices a program that keeps its output back: long silence, then whole blocks at once.

Programs in C, Fortran and R do so where their output is no terminal: their library writes full blocks.
"""

from __future__ import annotations

import math

from capture.runs.recording import RESUME, Chunk

BLOCK = 1024  # bytes, of which the buffers of all C libraries are multiples
SILENCE = 20.0  # seconds before a block
FEWEST = 3  # records that came with the first bytes, at the end


class Bursts:
    """Looks at the chunks of one run, in their order."""

    def __init__(self) -> None:
        self._last = 0.0  # seconds since the start, at the last chunk
        self._chunk: Chunk | None = None  # the last one: it may be the rest of a buffer
        self._pause = 0.0  # before it
        self._blocks = self._torn = 0
        self._lines = False  # something else than whole blocks has come
        self._silence = 0.0  # the longest before a block

    def add(self, chunk: Chunk) -> None:
        """The next chunk."""
        if chunk.stream == RESUME or chunk.stream == "tty" or math.isnan(chunk.seconds):
            self._lines = True  # a terminal gets each line, and of a log the times are not known
            return
        if self._chunk is not None:
            self._take(self._chunk, self._pause)
        self._chunk, self._pause = chunk, chunk.seconds - self._last
        self._last = chunk.seconds

    def notes(self, records: int) -> list[str]:
        """A line for the closing block, if output was kept back; `records` is how many the run has."""
        if self._lines or self._chunk is None:
            return []
        if self._blocks and self._torn and self._silence >= SILENCE:
            what = f"nothing for {self._silence:.0f} s, then a block"
        elif not self._blocks and self._pause >= SILENCE and records >= FEWEST:
            what = f"nothing for {self._pause:.0f} s, then all at once"
        else:
            return []
        return [f"the program keeps its output back ({what}); live with: --tty always, or stdbuf -oL COMMAND"]

    def _take(self, chunk: Chunk, pause: float) -> None:
        if len(chunk.data) % BLOCK:
            self._lines = True
            return
        self._blocks += 1
        self._torn += not chunk.data.endswith(b"\n")
        self._silence = max(self._silence, pause)
