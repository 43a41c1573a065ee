"""Chunks of a recording or a log to records: one frame reader for each stream, one engine for all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from capture import runs
from capture.console.frames import FrameReader
from capture.parsing.engine import Engine
from capture.parsing.ranks import Ranks
from capture.records import Record
from capture.runs.recording import RESUME, RecordingReader

READ_SIZE = 1 << 18  # bytes


class Pipeline:
    """Turns chunks into frames and frames into records, in the order of arrival.

    Each method returns the records that are complete now.
    """

    def __init__(self, engine: Engine, ranks: str = "all") -> None:
        """`ranks` says of which ranks there are records: "all", "0" or "mean"."""
        self.engine = engine
        self._how = ranks
        self._ranks = Ranks(ranks)
        self._readers: dict[str | None, FrameReader] = {}

    def feed(
        self, data: bytes, offset: int, stream: str | None = None, time: float | None = None
    ) -> list[Record]:
        """Read a chunk of a stream: where it begins in the recording, and when it arrived in Unix seconds."""
        reader = self._readers.get(stream) or self._begin(stream)
        return self._ranks.take(self.engine.feed(reader.read(data, offset, time)))

    def _begin(self, stream: str | None) -> FrameReader:
        self.engine.begin(stream)
        return self._readers.setdefault(stream, FrameReader(stream))

    def resume(self, time: float | None = None) -> list[Record]:
        """End the output of one start of the command: what follows is printed by the next one."""
        held = self.finish(time)
        self._readers.clear()
        self.engine.resume()
        self._ranks = Ranks(self._how)
        return held

    def finish(self, time: float | None = None) -> list[Record]:
        """End the output, at a time in Unix seconds, and complete what was held back."""
        frames = [frame for reader in self._readers.values() for frame in reader.finish(time)]
        kept = self._ranks.take(self.engine.feed(frames) + self.engine.finish())
        return kept + self._ranks.finish()


def parse(file: BinaryIO, engine: Engine) -> Iterator[Record]:
    """The records of a log, as they are completed."""
    pipeline, offset = Pipeline(engine), 0
    while data := file.read(READ_SIZE):
        yield from pipeline.feed(data, offset)
        offset += len(data)
    yield from pipeline.finish()


def parse_recording(folder: Path, engine: Engine) -> Iterator[Record]:
    """The records of a run's recording, as they are completed: each stream for itself, with its times."""
    try:
        start = runs.read(folder).start
    except (OSError, ValueError):
        start = math.nan
    pipeline, reader = Pipeline(engine), RecordingReader(folder)
    last: float | None = None
    while chunks := reader.read() or reader.rest():
        for chunk in chunks:
            time = None if math.isnan(start + chunk.seconds) else start + chunk.seconds
            if chunk.stream == RESUME:
                yield from pipeline.resume(time)
            else:
                yield from pipeline.feed(chunk.data, chunk.offset, chunk.stream, time)
            last = time or last
    yield from pipeline.finish(last)
