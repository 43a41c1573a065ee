"""The recording: every byte that the command printed, and when, in plain append-only files.

`console.log` holds the bytes of all streams in their order of arrival.  Each line of `console.idx` describes
one chunk of it: `SECONDS STREAM LENGTH`.  The line `SECONDS end 0` marks the end, unless `SECONDS resume 0`
follows: the command was started again.  In a recording that was made from a log the seconds are `nan`, since
its times are not known.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from capture.runs import CONSOLE_INDEX, CONSOLE_LOG, PathLike, replace_file

END, RESUME = "end", "resume"
MARKS = (END, RESUME)


class Recorder:
    """Writes the recording of one run.

    It never raises: the first error is kept in `error` and ends the recording, the command runs on.
    """

    def __init__(self, folder: PathLike | None, since: float = 0.0) -> None:
        """`since` is the age in seconds of a run that is resumed, 0 for a new one.

        For no folder it is inactive: it does nothing, and has no error.
        """
        self.error: OSError | None = None
        self._start = time.monotonic() - since
        self._files: list[int] = []  # log and index while it is active, else empty
        if folder is None:
            return
        try:
            for name, mode in ((CONSOLE_LOG, 0o600), (CONSOLE_INDEX, 0o666)):
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._files.append(os.open(os.path.join(folder, name), flags, mode))
            if since:
                self._mark(RESUME, 0)
        except OSError as error:
            self._give_up(error)

    def write(self, stream: str, data: bytes) -> None:
        """Record a chunk of the stream "stdout", "stderr" or "tty"."""
        if not self._files:
            return
        try:
            _write_all(self._files[0], data)
            self._mark(stream, len(data))
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Mark the end of the recording, and close its files.  This can fail as well: see `error`."""
        if not self._files:
            return
        try:
            self._mark(END, 0)
        except OSError as error:
            self._give_up(error)
        self._close_files()

    def _mark(self, stream: str, length: int) -> None:
        """Add a line to the index.  Raises OSError."""
        _write_all(
            self._files[1], b"%.6f %s %d\n" % (time.monotonic() - self._start, stream.encode(), length)
        )

    def _give_up(self, error: OSError) -> None:
        """End the recording because of this error."""
        self.error = error
        self._close_files()

    def _close_files(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = []


def _write_all(file: int, data: bytes) -> None:
    """Write all of `data`, which one call of write(2) need not do.  Raises OSError."""
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, data[written:])


def repair(folder: PathLike) -> None:
    """Make the two files of a recording agree again after a crash, so that it can be continued.

    Files that agree are left as they are: rank 0's tracker may be reading them.  Raises OSError.
    """
    size = os.path.getsize(os.path.join(folder, CONSOLE_LOG))
    path = os.path.join(folder, CONSOLE_INDEX)
    before: str | None = None
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            before = file.read()
    except FileNotFoundError:  # it has crashed before its first byte
        pass
    lines = [line.split() for line in (before or "").splitlines(keepends=True) if line.endswith("\n")]
    marks = [line for line in lines if len(line) == 3 and line[2].isdigit()]
    kept, total = [], 0
    for seconds, stream, length in marks:
        if total + int(length) > size:
            break
        total += int(length)
        kept.append((seconds, stream, int(length)))
    if total < size:
        seconds, stream = (kept[-1][0], kept[-1][1]) if kept else ("0", "stdout")
        kept.append((seconds, stream if stream not in MARKS else "stdout", size - total))
    after = "".join(f"{seconds} {stream} {length}\n" for seconds, stream, length in kept)
    if after != before:
        replace_file(path, after)


class Chunk(NamedTuple):
    """What was read at once.

    If `stream` is "resume" it is empty: the command was started again.  So it is if `stream` is "end": of the
    ranks that are read together one has ended.
    """

    seconds: float  # since the start of the run
    stream: str  # "stdout", "stderr", "tty", "resume" or "end"
    data: bytes
    offset: int  # of its first byte in `console.log`
    rank: int = 0  # of a run that several ranks make: whose `console.log`


class RecordingReader:
    """Reads a recording while it grows.  `finished` says that its end has been read.

    Of other ranks, which `recordings.RanksReader` reads, too, there are none.
    """

    others = 0
    missing: Sequence[int] = ()

    def __init__(self, folder: PathLike) -> None:
        self.finished = False
        self._folder = folder
        self._log: int | None = None
        self._index: int | None = None
        self._partial = b""  # the first part of an index line
        self._marks: list[tuple[float, str, int]] = []
        self._offset = 0
        self._last = (0.0, "stdout")
        self._ended = False

    @property
    def ended(self) -> bool:
        """The same as `finished`; where ranks are read together, that rank 0's is."""
        return self.finished

    def read(self, limit: int = 1 << 20) -> list[Chunk]:
        """Return the chunks that are new since the last call, up to the one that reaches `limit` bytes."""
        if not self._open():
            return []
        if not self._marks:
            self._read_marks()
        taken = size = 0
        for _, _, length in self._marks:
            taken += 1
            size += length
            if size >= limit:
                break
        marks = self._marks[:taken]
        del self._marks[:taken]
        data, at, offset = self._take(size), 0, self._offset - size
        chunks: list[Chunk] = []
        for seconds, stream, length in marks:
            if stream in MARKS:
                self._ended = stream == END
                if not self._ended:
                    chunks.append(Chunk(seconds, stream, b"", offset + at))
                continue
            if part := data[at : at + length]:
                chunks.append(Chunk(seconds, stream, part, offset + at))
            at += length
            self._last = (seconds, stream)
        if self._ended and not self._marks:
            self._read_marks()
        self.finished = self._ended and not self._marks  # a rank may be started again meanwhile
        return chunks

    def rest(self) -> list[Chunk]:
        """Return what `console.log` holds after the last chunk of the index.

        That happens if the relay dies between the two writes.
        """
        chunks = []
        while self._open() and self._log is not None:
            offset = self._offset
            if not (data := os.pread(self._log, 1 << 20, offset)):
                break
            self._offset += len(data)
            chunks.append(Chunk(*self._last, data, offset))
        return chunks

    def running(self) -> list[int]:
        """The other ranks that go on."""
        return []

    def close(self) -> None:
        """Close the files."""
        for file in (self._log, self._index):
            if file is not None:
                os.close(file)
        self._log = self._index = None

    def _open(self) -> bool:
        """Open the files, if that has not been done.  Returns whether they exist."""
        if self._index is None:
            try:
                self._log = os.open(os.path.join(self._folder, CONSOLE_LOG), os.O_RDONLY | os.O_CLOEXEC)
                self._index = os.open(os.path.join(self._folder, CONSOLE_INDEX), os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return False
        return True

    def _read_marks(self) -> None:
        """Read the lines of the index that are new."""
        assert self._index is not None  # noqa: S101  opened before
        data = self._partial + os.read(self._index, 1 << 16)
        *lines, self._partial = data.split(b"\n")
        for line in lines:
            try:
                seconds, stream, length = line.decode("ascii").split(" ")
                self._marks.append((float(seconds), stream, int(length)))
            except ValueError:  # half a line, from a full disk
                continue

    def _take(self, length: int) -> bytes:
        """Return the next `length` bytes of the log; fewer if it is shorter."""
        assert self._log is not None  # noqa: S101  opened before
        data = b""
        while len(data) < length and (
            more := os.pread(self._log, length - len(data), self._offset + len(data))
        ):
            data += more
        self._offset += length
        return data
