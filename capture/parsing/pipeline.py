"""Chunks of a recording or a log to records: one frame reader for each stream, one parser for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from capture.console.frames import Frame, FrameReader, Lines
from capture.parsing.engine import Engine
from capture.records import Record

READ_SIZE = 1 << 18


class Pipeline:
    """Turns chunks into frames and frames into records, in the order of arrival."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._readers: dict[str | None, FrameReader] = {}

    def feed(
        self, data: bytes, offset: int, stream: str | None = None, time: float | None = None
    ) -> tuple[list[Record], list[Frame | Lines]]:
        """The records and the frames that this chunk has completed; `time` is in Unix seconds."""
        reader = self._readers.get(stream) or self._begin(stream)
        seen: list[Frame | Lines] = []
        # One at a time: what a frame means decides whether the next one is wanted.
        return self.engine.feed(_noting(reader.read(data, offset, time, self.engine), seen)), seen

    def _begin(self, stream: str | None) -> FrameReader:
        self.engine.begin(stream)
        return self._readers.setdefault(stream, FrameReader(stream))

    def resume(self, time: float | None = None) -> tuple[list[Record], list[Frame | Lines]]:
        """What was held back when the command ended; what follows is of another start of it."""
        held = self.finish(time)
        self._readers.clear()
        self.engine.resume()
        return held

    def finish(self, time: float | None = None) -> tuple[list[Record], list[Frame | Lines]]:
        """What was still held back when the output ended."""
        frames: list[Frame | Lines] = [f for reader in self._readers.values() for f in reader.finish(time)]
        return self.engine.feed(frames) + self.engine.finish(), frames


def _noting(frames: Iterator[Frame | Lines], seen: list[Frame | Lines]) -> Iterator[Frame | Lines]:
    for frame in frames:
        seen.append(frame)
        yield frame


def parse(file: BinaryIO, engine: Engine) -> Iterator[Record]:
    """The records of a log or a recording's `console.log`, as they are completed."""
    pipeline, offset = Pipeline(engine), 0
    while data := file.read(READ_SIZE):
        yield from pipeline.feed(data, offset)[0]
        offset += len(data)
    yield from pipeline.finish()[0]
