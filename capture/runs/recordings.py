"""The recordings of all ranks of a run, read as one.

Whoever reads them has to see the same order each time, since records are told by their number.  It is that of
their times, as far as they are there when they are read.  The run's tracker notes it in `ranks/order`, a line
`RANK CHUNKS` for those of one rank that follow one another, `RANK 0` where it has ended; every other reader,
and the next tracker, follows it.
"""

from __future__ import annotations

import heapq
import math
import os
import time
from collections import deque
from itertools import groupby
from typing import BinaryIO

from capture.runs import ranks
from capture.runs.files import read_run
from capture.runs.folder import RUN_FILE, note_crash
from capture.runs.lock import is_alive
from capture.runs.model import PathLike, Run
from capture.runs.recording import END, RESUME, Chunk, RecordingReader

ORDER = "order"


class RanksReader:
    """Reads the recordings of a run's ranks while they grow, as `RecordingReader` reads one.

    `finished` says that the ends of all have been read, `ended` that of rank 0's.  Where no other rank has
    begun in time, rank 0 is alone: the ranks share no folder.
    """

    def __init__(self, folder: PathLike, run: Run, writes: bool = False) -> None:
        """`run` is rank 0's; with `writes` this reader is the one that decides on the order."""
        self._folder = folder
        self._size = run.settings.get("job", {}).get("size", 0)
        self._readers = {0: RecordingReader(folder)}
        self._runs = {0: run}  # of each rank, as it began
        self._read: dict[int, deque[Chunk]] = {0: deque()}
        self._order: BinaryIO | None = None
        self._known: deque[tuple[int, int]] | None = None  # of the order; None before it is read
        self._ended: set[int] = set()  # ranks of which it was said
        self._writes = writes

    @property
    def ended(self) -> bool:
        return self._readers[0].finished and not self._read[0]

    @property
    def finished(self) -> bool:
        whole = all(reader.finished for reader in self._readers.values()) and not any(self._read.values())
        if not whole or self._ended != self._readers.keys():
            return False
        return not self.missing or (not self.others and time.time() >= self._runs[0].start + ranks.LATE)

    @property
    def others(self) -> int:
        """How many ranks but 0 have recorded something here."""
        return len(self._readers) - 1

    @property
    def missing(self) -> list[int]:
        """The ranks that have recorded nothing here, as far as it is known how many there are."""
        return [rank for rank in range(self._size) if rank not in self._readers]

    def read(self, limit: int = 1 << 20) -> list[Chunk]:
        """The chunks that are new since the last call, up to the one that reaches `limit` bytes.

        As far as their order is not known yet, it is that of their times.
        """
        self._look()
        if self._known is None:
            self._known = deque(self._noted())
        while self._known:
            rank, count = self._known.popleft()
            if not count:
                return [self._end_of(rank)]
            if chunks := self._take(rank, count, limit):
                return chunks
        found: list[Chunk] = []
        size = 0
        heads = [head for rank in self._readers if (head := self._head(rank, limit))]
        heapq.heapify(heads)
        while heads and size < limit:
            rank = heads[0][1]
            chunk = self._of(rank, self._read[rank].popleft())
            found.append(chunk)
            size += len(chunk.data)
            if head := self._head(rank, limit):
                heapq.heapreplace(heads, head)
            else:
                heapq.heappop(heads)
        ended = {rank for rank, reader in self._readers.items() if reader.finished and not self._read[rank]}
        found += map(self._end_of, sorted(ended - self._ended))
        self._note(found)
        return found

    def rest(self) -> list[Chunk]:
        """What the ranks have recorded last that their index does not know: they have died."""
        return [
            self._of(rank, chunk)
            for rank, reader in sorted(self._readers.items())
            if not reader.finished
            for chunk in reader.rest()
        ]

    def running(self) -> list[int]:
        """The ranks but 0 that go on; that the others of those without an end have died is noted."""
        going_on = []
        for rank, reader in self._readers.items():
            if rank and not reader.finished:
                place = ranks.folder_of(self._folder, rank)
                if is_alive(place, self._runs[rank]):
                    going_on.append(rank)
                else:
                    note_crash(place)
        return sorted(going_on)

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers.values():
            reader.close()
        if self._order is not None:
            self._order.close()

    def _look(self) -> None:
        """Find the ranks that have begun."""
        for rank in ranks.present(self._folder):
            if rank in self._readers:
                continue
            place = ranks.folder_of(self._folder, rank)
            try:
                self._runs[rank] = read_run(os.path.join(place, RUN_FILE))
            except (OSError, ValueError):
                continue  # it is just beginning
            self._readers[rank] = RecordingReader(place)
            self._read[rank] = deque()

    def _head(self, rank: int, limit: int) -> tuple[float, int] | None:
        """When the next chunk of a rank came, and the rank; None if there is none yet."""
        self._fill(rank, limit)
        if not self._read[rank]:
            return None
        seconds = self._of(rank, self._read[rank][0]).seconds
        return 0.0 if math.isnan(seconds) else seconds, rank

    def _fill(self, rank: int, limit: int) -> None:
        if not self._read[rank]:
            self._read[rank].extend(self._readers[rank].read(limit))

    def _take(self, rank: int, count: int, limit: int) -> list[Chunk]:
        chunks: list[Chunk] = []
        if rank in self._readers:
            while len(chunks) < count:
                self._fill(rank, limit)
                if not self._read[rank]:
                    break
                chunks.append(self._of(rank, self._read[rank].popleft()))
        return chunks

    def _of(self, rank: int, chunk: Chunk) -> Chunk:
        if chunk.stream == RESUME:
            self._ended.discard(rank)
        if not rank:
            return chunk
        later = self._runs[rank].start - self._runs[0].start
        return chunk._replace(seconds=chunk.seconds + later, rank=rank)

    def _noted(self) -> list[tuple[int, int]]:
        """The order so far; its writer goes on behind the last whole line."""
        path = os.path.join(self._folder, ranks.RANKS, ORDER)
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            text = b""
        text = text[: text.rfind(b"\n") + 1]
        if self._writes:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._order = open(path, "ab", buffering=0)  # noqa: SIM115  until `close`
            self._order.truncate(len(text))
        lines = [line.split() for line in text.splitlines()]
        return [(int(line[0]), int(line[1])) for line in lines if len(line) == 2]

    def _end_of(self, rank: int) -> Chunk:
        self._ended.add(rank)
        return Chunk(math.nan, END, b"", 0, rank)

    def _note(self, chunks: list[Chunk]) -> None:
        """Note the order of these chunks, before anything is made of them."""
        if self._order is not None and chunks:
            runs = groupby(chunks, key=lambda chunk: (chunk.rank, chunk.stream == END))
            lines = [b"%d %d\n" % (rank, 0 if ended else len([*run])) for (rank, ended), run in runs]
            self._order.write(b"".join(lines))


def reader_of(folder: PathLike, run: Run | None, writes: bool = False) -> RecordingReader | RanksReader:
    """What reads the whole recording of a run: of one that several ranks make, all of theirs.

    `run` is None where nothing says who it is; the run's tracker `writes`.
    """
    job = run.settings.get("job", {}) if run else {}
    if run is not None and job and not job.get("rank"):
        return RanksReader(folder, run, writes)
    return RecordingReader(folder)
