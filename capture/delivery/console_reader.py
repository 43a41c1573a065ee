"""The finished lines of a run's console, read from its recording."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from capture.console.frames import FrameReader
from capture.console.screen import ConsoleLines
from capture.records import ConsoleLine
from capture.runs.recording import RESUME, Chunk, RecordingReader

MOST_LINES = 10_000  # that wait for a backend


class _Stream:
    """One stream: its frames, and the last rows of its screen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames = FrameReader(name)
        self.screen = ConsoleLines(name)

    def restart(self, now: float | None) -> list[ConsoleLine]:
        """The lines that end because the command has ended; what follows is of another start of it."""
        frames, self.frames = self.frames, FrameReader(self.name)
        return self.screen.feed(frames.finish(now))


class ConsoleReader:
    """Reads the finished lines of a run's console while it is being recorded.

    The same recording gives the same lines, however often it is read.  `taken` counts the lines that were
    returned, skipped or lost; `lost` those that were dropped because too many waited for a slow backend.
    """

    def __init__(self, folder: Path, start: float) -> None:
        """Read the recording in `folder`, of a run that began at `start` (Unix seconds)."""
        self.taken = 0
        self.lost = 0
        self._recording = RecordingReader(folder)
        self._start = start
        self._streams: dict[str, _Stream] = {}
        self._skip = 0
        self._finished = False

    def skip(self, count: int) -> None:
        """Leave out the first `count` lines of the run: the backend has them."""
        self._skip = count

    def read(self, complete: bool) -> list[ConsoleLine]:
        """The lines that are finished now, at most the last MOST_LINES of them.

        Args:
            complete: whether the recording has ended, so that its last lines are finished, too.
        """
        if self._finished:
            return []
        lines: deque[ConsoleLine] = deque(maxlen=MOST_LINES)
        while chunks := self._recording.read():
            for chunk in chunks:
                self._add(lines, self._of(chunk))
        if complete:
            self._finished = True
            for chunk in self._recording.rest():
                self._add(lines, self._of(chunk))
            for stream in self._streams.values():
                self._add(lines, stream.restart(None) + stream.screen.finish())
        else:
            self._settle(lines, time.time())
        return list(lines)

    def _of(self, chunk: Chunk) -> list[ConsoleLine]:
        """The lines that a chunk has finished."""
        now = None if math.isnan(chunk.seconds) else self._start + chunk.seconds
        lines: list[ConsoleLine] = []
        if chunk.stream == RESUME:
            for stream in self._streams.values():
                lines += stream.restart(now)
            return lines
        # Rows that were left alone until now are finished, whether or not somebody looked meanwhile.
        for stream in self._streams.values():
            lines += stream.screen.settled(now or self._start)
        stream = self._streams.get(chunk.stream) or self._streams.setdefault(
            chunk.stream, _Stream(chunk.stream)
        )
        return lines + stream.screen.feed(stream.frames.read(chunk.data, chunk.offset, now))

    def _settle(self, lines: deque[ConsoleLine], now: float) -> None:
        for stream in self._streams.values():
            self._add(lines, stream.screen.settled(now))

    def _add(self, lines: deque[ConsoleLine], more: Sequence[ConsoleLine]) -> None:
        wanted = more[max(0, min(len(more), self._skip - self.taken)) :]
        self.taken += len(more)
        self.lost += max(0, len(lines) + len(wanted) - MOST_LINES)
        lines.extend(wanted)
