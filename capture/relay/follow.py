"""`capture follow FILE`: a file that another process writes, recorded from its beginning on."""

from __future__ import annotations

import os
import select
import time

from capture.relay.tracked import TrackedRecording, caught_signals
from capture.runs import Result

READ_SIZE = 1 << 20
POLL = 0.25  # seconds between two looks at a file


def follow(folder: str | None, path: str, wait: float, until_pid: int | None, idle: float | None) -> Result:
    """Record a file that another process writes, from its beginning on.

    Until that process is gone, or nothing has come for `idle` seconds, or Ctrl-C.
    """
    intake, tail = TrackedRecording(folder), Tail(path)
    last = time.monotonic()
    with caught_signals() as (wake, arrived):
        while not arrived:
            gone = until_pid is not None and not _exists(until_pid)  # asked before the file is read
            data = tail.read()
            if data:
                intake.write("stdout", data)
                last = time.monotonic()
                continue
            if gone or (idle is not None and time.monotonic() - last >= idle):
                break
            intake.look()
            select.select([wake], [], [], POLL)
    return intake.finish(wait)


class Tail:
    """Reads a file as it grows: one that is not there yet, is rotated, or is cut off and begun anew."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: int | None = None
        self._position = 0

    def read(self) -> bytes:
        """What has been added; nothing where there is nothing now."""
        if self._file is not None:
            try:
                data = os.pread(self._file, READ_SIZE, self._position)
            except OSError:  # a network file system has forgotten it
                data = b""
            self._position += len(data)
            if data:
                return data
        return self._read_anew() if self._has_changed() else b""

    def _has_changed(self) -> bool:
        """Whether another file stands there now, or the same one begun anew, or grown unseen (NFS)."""
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

    def _read_anew(self) -> bytes:
        if self._file is not None:
            os.close(self._file)
        try:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._file, READ_SIZE, self._position)
        except OSError:
            self._file = None
            return b""
        self._position += len(data)
        return data


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True
