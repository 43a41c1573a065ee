"""What others print, on its way into a recording: from standard input, or from a file that grows."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from capture import runs
from capture.flow import Flow
from capture.recording import Recorder
from capture.runs import Result
from capture.supervisor import Supervisor

READ_SIZE = 1 << 20
POLL = 0.25  # seconds between two looks at a file
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Intake:
    """A recording that is being made, and its tracker; nothing at all where there is no folder."""

    def __init__(self, folder: str | None, since: float = 0.0) -> None:
        self.folder = folder
        self._recorder = Recorder(folder, since) if folder is not None else None
        self._supervisor = Supervisor(folder) if folder is not None else None
        if self._supervisor:
            self._supervisor.start()

    def write(self, stream: str, data: bytes) -> None:
        """Record a chunk."""
        if self._recorder:
            self._recorder.write(stream, data)

    def look(self) -> None:
        """See to the tracker."""
        if self._supervisor:
            self._supervisor.look()

    def finish(self, wait: float, killed: int | None = None) -> Result:
        """End the recording and wait for the tracker, at most `wait` seconds."""
        error = self._recorder.error if self._recorder else None
        if self._recorder:
            self._recorder.close()
        runs.note_end(self.folder, None)
        done = self._supervisor.finish(wait) if self._supervisor else False
        return Result(128 + killed if killed else 0, killed, error.strerror if error else None, done)


def pass_on(folder: str | None, wait: float, since: float = 0.0) -> Result:
    """Record standard input and pass it on to standard output, as tee does.

    Ctrl-C reaches the program before us too: what it still prints at its end is read.
    """
    intake = Intake(folder, since)
    flow = Flow("stdout", 0, 1)
    with _signals() as (wake, arrived):
        while flow.open:
            waiting = [flow.sink] if flow.waiting and flow.sink is not None else []
            ready = select.select([wake, *([] if waiting else [flow.source])], waiting, [], 1.0)
            if wake in ready[0]:
                os.read(wake, 512)
                if arrived[:2] != [signal.SIGINT]:
                    break
            if waiting and ready[1]:
                flow.push()
            elif flow.source in ready[0]:
                flow.move(intake.write)
            intake.look()
    killed = int(arrived[0]) if arrived else signal.SIGPIPE if flow.broken else None
    return intake.finish(wait, killed)


def follow(folder: str | None, path: str, wait: float, until_pid: int | None, idle: float | None) -> Result:
    """Record a file that another process writes, from its beginning on.

    Until that process is gone, or nothing has come for `idle` seconds, or Ctrl-C.
    """
    intake, tail = Intake(folder), Tail(path)
    last = time.monotonic()
    with _signals() as (wake, arrived):
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


@contextmanager
def _signals() -> Iterator[tuple[int, list[signal.Signals]]]:
    """Collects the signals that ask for an end; gives what to wait on, and the list."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    arrived: list[signal.Signals] = []
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda signum, frame: arrived.append(signal.Signals(signum)))
    try:
        yield wake, arrived
    finally:
        signal.set_wakeup_fd(before)
        os.close(wake)
        os.close(waker)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True
