"""Waking up `poll` when a signal arrives."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType


class SelfPipe:
    """A pipe to which Python writes the number of each signal that it handles.

    Without it, a signal that arrives just before `poll` is called would not be noticed until something
    else happens.  See https://cr.yp.to/docs/selfpipe.html.
    """

    def __init__(self, pipe: tuple[int, int] | None = None) -> None:
        """`pipe` is one that is open already."""
        self.reader, self.writer = pipe or os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self.writer, False)
        self._before = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self.reader

    def read(self) -> list[int]:
        """The numbers of the signals that have arrived since the last call."""
        try:
            return list(os.read(self.reader, 512))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Close the pipe."""
        signal.set_wakeup_fd(self._before)
        os.close(self.reader)
        os.close(self.writer)


class CaughtSignals:
    """Collects these signals in `arrived` instead of dying of them, except those that are ignored."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self.arrived: list[int] = []
        self._pipe = SelfPipe()
        for number in numbers:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def __enter__(self) -> CaughtSignals:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._pipe.fileno()

    def clear(self) -> None:
        """Wait for the next signal; those that have arrived stay in `arrived`."""
        self._pipe.read()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.arrived.append(number)
