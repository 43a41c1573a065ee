"""`capture follow FILE`: a file that another process writes, recorded from its beginning."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from capture.relay.self_pipe import CaughtSignals
from capture.relay.tracked import TrackedRecording
from capture.relay.waiting import wait as wait_for
from capture.runs import Result
from capture.runs.lock import process_exists

READ_SIZE = 1 << 20
POLL = 0.25  # seconds between two reads of a file


class Until(NamedTuple):
    """When following a file ends, if not by a signal such as Ctrl-C."""

    pid: int | None = None  # when this process has ended
    idle: float | None = None  # when nothing has been added for so many seconds
    missing: float | None = None  # when the file has not come after so many seconds


def follow(
    folder: str | None, path: str, wait: float, until: Until, on_data: Callable[[bytes], None]
) -> Result:
    """Record in `folder` the file at `path`, which another process writes, from its beginning.

    `wait` is how many seconds to wait for the tracker after that; `on_data` is called a few times a second
    with what has been read.
    """
    recording, tail = TrackedRecording(folder), Tail(path)
    recording.start_tracker()
    first = last = time.monotonic()
    with CaughtSignals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as signals:
        while not signals.arrived:
            # Asked before the file is read: what the process wrote last is then read too.
            ended = until.pid is not None and not process_exists(until.pid)
            data = tail.read()
            on_data(data)
            if data:
                recording.write("stdout", data)
                last = time.monotonic()
                continue
            now = time.monotonic()
            if ended or (until.idle is not None and now - last >= until.idle):
                break
            if until.missing is not None and not tail.found and now - first >= until.missing:
                break
            recording.check_tracker()
            wait_for([signals.fileno()], timeout=POLL)
    return recording.finish(wait)


class Tail:
    """Reads a file as it grows, also one that does not exist yet, is rotated, or is truncated."""

    def __init__(self, path: str, position: int = 0) -> None:
        """`position` is how many bytes of it are known already."""
        self.path = path
        self._file: int | None = None
        self._position = position
        self.found = False  # whether there was such a file at any time

    def read(self) -> bytes:
        """Return what has been added since the last call, at most `READ_SIZE` bytes."""
        if self._file is not None:
            try:
                data = os.pread(self._file, READ_SIZE, self._position)
            except OSError:  # a stale handle of a network file system
                data = b""
            self._position += len(data)
            if data:
                return data
        return self._reopen() if self._has_changed() else b""

    def _has_changed(self) -> bool:
        """Whether the path is another file now, or the same one was truncated, or has grown unseen (NFS)."""
        try:
            now = os.stat(self.path)
        except OSError:
            return False
        if self._file is None:
            return True
        try:
            ours = os.fstat(self._file)
        except OSError:
            return True
        if (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino) or now.st_size < self._position:
            self._position = 0
            return True
        return now.st_size > self._position

    def _reopen(self) -> bytes:
        if self._file is not None:
            os.close(self._file)
        try:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._file, READ_SIZE, self._position)
        except OSError:
            self._file = None
            return b""
        self.found = True
        self._position += len(data)
        return data
