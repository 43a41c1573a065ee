"""Chunks of a recording or a log to records: one frame reader for each stream, one parser for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from capture.frames import Frame, FrameReader
from capture.parsing import Parser
from capture.records import Record

READ_SIZE = 1 << 18


class Pipeline:
    """Turns chunks into frames and frames into records, in the order of arrival."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self._readers: dict[str | None, FrameReader] = {}

    def feed(
        self, data: bytes, offset: int, stream: str | None = None, time: float | None = None
    ) -> tuple[list[Record], list[Frame]]:
        """The records and the frames that this chunk has completed; `time` is in Unix seconds."""
        reader = self._readers.setdefault(stream, FrameReader(stream))
        frames = reader.feed(data, offset, time)
        return self.parser.feed(frames), frames

    def resume(self, time: float | None = None) -> tuple[list[Record], list[Frame]]:
        """What was held back when the command ended; what follows is of another start of it."""
        held = self.finish(time)
        self._readers.clear()
        self.parser.resume()
        return held

    def finish(self, time: float | None = None) -> tuple[list[Record], list[Frame]]:
        """What was still held back when the output ended."""
        frames = [frame for reader in self._readers.values() for frame in reader.finish(time)]
        return self.parser.feed(frames) + self.parser.finish(), frames


def parse(file: BinaryIO, parser: Parser) -> Iterator[Record]:
    """The records of a log or a recording's `console.log`, as they are completed."""
    pipeline, offset = Pipeline(parser), 0
    while data := file.read(READ_SIZE):
        yield from pipeline.feed(data, offset)[0]
        offset += len(data)
    yield from pipeline.finish()[0]
