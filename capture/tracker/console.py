"""A run's console, as the tracker reads it.

The parsers take longer to load than many a command runs.  They are loaded when there is something to read, so
this module imports nothing of what reads.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from capture import runs
from capture.delivery.naming import Axes
from capture.records import Record
from capture.runs.recording import RESUME, Chunk


class Console:
    """Turns what a run prints into records.

    `axes` are those of its parsers by their names, once these are loaded: before the first record.
    """

    def __init__(self, folder: Path, run: runs.Run, like: Any = None) -> None:
        """`like` is an engine of the parsers to read with, None for those in the run's folder."""
        self.axes: dict[str, Axes] = {}
        self._folder, self._run, self._like = folder, run, like
        self._reader: Any = None  # a `run_engine.RunEngine`

    @property
    def ready(self) -> bool:
        """Whether what reads is loaded."""
        return self._reader is not None

    def prepare(self) -> None:
        """Load what reads, if it is not loaded: something may be printed soon."""
        if self.ready:
            return
        gc.disable()  # nothing of it is garbage
        try:
            from capture.tracker.run_engine import RunEngine  # slow

            self._reader = RunEngine(self._folder, self._run, self._like)
        finally:
            gc.enable()
        if self._like is None:
            gc.freeze()  # the parsers stay: what comes and goes is collected without looking at them
            gc.set_threshold(10_000)  # most of that needs no collection
        self.axes |= self._reader.axes

    def read(self, chunk: Chunk, time: float | None) -> list[Record]:
        """The records that a chunk completes; it came at this time, in Unix seconds.

        Where the command was started again these are those that were held back when it had ended.
        """
        if chunk.stream == RESUME:
            return self._reader.pipeline.resume(time, chunk.rank) if self._reader else []
        self.prepare()
        data, offset, stream = chunk.data, chunk.offset, chunk.stream
        records: list[Record] = self._reader.pipeline.feed(data, offset, stream, time, chunk.rank)
        return records

    def end(self, time: float | None, rank: int) -> list[Record]:
        """The records that are complete since one of several ranks has ended."""
        return self._reader.pipeline.end(time, rank) if self._reader else []

    def finish(self, time: float | None) -> list[Record]:
        """The records that were held back when the output ended."""
        return self._reader.pipeline.finish(time) if self._reader else []

    @property
    def lines(self) -> int:
        """How many lines were printed."""
        return sum(engine.lines for engine in self._engines)

    @property
    def understood(self) -> int:
        """How many of them some parser has recognised."""
        return sum(engine.understood for engine in self._engines)

    @property
    def events(self) -> list[str]:
        """What the user should know of the parsers."""
        return self._reader.engine.events if self._reader else []

    def notes(self, place: str) -> list[str]:
        """What the closing block says where no metrics were found; `place` is how the folder is shown."""
        if not self.lines:
            return [f"nothing was printed; the run is kept in {place}"]
        notes: list[str] = self._reader.unread.notes(self._folder, place, self.lines)
        return notes

    @property
    def _engines(self) -> list[Any]:
        """That of each rank's recording."""
        return self._reader.pipeline.engines if self._reader else []
