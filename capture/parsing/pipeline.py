"""Chunks of a recording or a log to records: one frame reader for each stream, one engine for all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from capture import runs
from capture.console.frames import FrameReader
from capture.parsing.engine import Engine
from capture.parsing.ranks import Ranks
from capture.records import Record
from capture.runs import recordings
from capture.runs.recording import END, RESUME

READ_SIZE = 1 << 18  # bytes


class Pipeline:
    """Turns chunks into frames and frames into records, in the order of arrival.

    Each method returns the records that are complete now.
    """

    def __init__(
        self,
        engine: Engine,
        ranks: str = "all",
        job: Mapping[str, int] | None = None,
        another: Callable[[], Engine] | None = None,
    ) -> None:
        """`ranks` says of which ranks there are records: "all", "0" or "mean".

        Where each rank of a job records for itself `job` has the `rank` whose recording `engine` reads, and
        the `size`, how many there are; `another` makes the engine of another one.
        """
        self.engine = engine
        self._how, self._job = ranks, job or {}
        self._begin_ranks()
        self._another = another or engine.anew
        self._recordings: dict[int, _Recording] = {
            0: _Recording(engine, self._job.get("rank"))
        }  # the first: `engine`'s

    @property
    def engines(self) -> list[Engine]:
        """That of each rank's recording."""
        return [recording.engine for recording in self._recordings.values()]

    def feed(
        self,
        data: bytes,
        offset: int,
        stream: str | None = None,
        time: float | None = None,
        rank: int = 0,
    ) -> list[Record]:
        """Read a chunk of a stream: where it begins in the recording, and when it arrived in Unix seconds.

        `rank` says whose recording, where several ranks record one run.
        """
        return self._ranks.take(self._of(rank).feed(data, offset, stream, time))

    def resume(self, time: float | None = None, rank: int = 0) -> list[Record]:
        """End the output of one start of the command: what follows is printed by the next one."""
        held = self._ranks.take(self._of(rank).resume(time))
        if len(self._recordings) == 1:
            held += self._ranks.finish()
            self._begin_ranks()
        return held

    def end(self, time: float | None, rank: int) -> list[Record]:
        """End the output of one of several ranks: it is not waited for any more."""
        return self._ranks.take(self._of(rank).finish(time)) + self._ranks.end(rank)

    def finish(self, time: float | None = None) -> list[Record]:
        """End the output, at a time in Unix seconds, and complete what was held back."""
        kept = [
            record
            for recording in self._recordings.values()
            for record in self._ranks.take(recording.finish(time))
        ]
        return kept + self._ranks.finish()

    def _begin_ranks(self) -> None:
        self._ranks = Ranks(self._how, self._job.get("size", 0))

    def _of(self, rank: int) -> _Recording:
        recording = self._recordings.get(rank)
        if recording is None:
            recording = self._recordings[rank] = _Recording(self._another(), rank)
        return recording


class _Recording:
    """What one rank records: a frame reader for each stream, and its engine."""

    def __init__(self, engine: Engine, rank: int | None) -> None:
        """`rank` is None where one process records all that is printed."""
        self.engine, self._rank = engine, rank
        self._readers: dict[str | None, FrameReader] = {}

    def feed(self, data: bytes, offset: int, stream: str | None, time: float | None) -> list[Record]:
        reader = self._readers.get(stream) or self._begin(stream)
        return self._own(self.engine.feed(reader.read(data, offset, time)))

    def resume(self, time: float | None) -> list[Record]:
        held = self.finish(time)
        self._readers.clear()
        self.engine.resume()
        return held

    def finish(self, time: float | None) -> list[Record]:
        frames = [frame for reader in self._readers.values() for frame in reader.finish(time)]
        return self._own(self.engine.feed(frames) + self.engine.finish())

    def _own(self, records: list[Record]) -> list[Record]:
        return records if self._rank is None else [_by_rank(record, self._rank) for record in records]

    def _begin(self, stream: str | None) -> FrameReader:
        self.engine.begin(stream)
        return self._readers.setdefault(stream, FrameReader(stream))


def _by_rank(record: Record, rank: int) -> Record:
    """The record of a rank that records for itself; below it a launcher may have ranks of its own."""
    own: dict[str, Any] = {"rank": rank}
    if "rank" in record.context or "worker" in record.context:
        worker = record.context.get("worker")
        own = {"worker": f"node{rank}" if worker is None else f"node{rank}/{worker}"}
    return record._replace(context={**record.context, **own}, recorded_by=rank)


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
        run = runs.read(folder)
        start = run.start
    except (OSError, ValueError):
        run, start = None, math.nan
    pipeline = Pipeline(engine, job=run.settings.get("job") if run else None)
    reader = recordings.reader_of(folder, run)
    last: float | None = None
    while chunks := reader.read() or reader.rest():
        for chunk in chunks:
            time = None if math.isnan(start + chunk.seconds) else start + chunk.seconds
            if chunk.stream == RESUME:
                yield from pipeline.resume(time, chunk.rank)
            elif chunk.stream == END:
                yield from pipeline.end(last, chunk.rank)
            else:
                yield from pipeline.feed(chunk.data, chunk.offset, chunk.stream, time, chunk.rank)
            last = time or last
    yield from pipeline.finish(last)
