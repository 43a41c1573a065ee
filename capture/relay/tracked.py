"""What others print, on its way into a recording: from standard input, or from a file that grows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from capture import runs
from capture.runs import Result
from capture.runs.recording import Recorder
from capture.tracker.supervisor import Supervisor

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class TrackedRecording:
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


@contextmanager
def caught_signals() -> Iterator[tuple[int, list[signal.Signals]]]:
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
