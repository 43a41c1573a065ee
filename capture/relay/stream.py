"""One stream on its way from the command to where it goes outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

READ_SIZE = 64 * 1024


class Stream:
    """What the command writes to `source`, passed on to `sink` (None: nowhere) and recorded as `name`."""

    def __init__(self, name: str, source: int, sink: int | None, greedy: bool = False) -> None:
        """`greedy` says that the source does not block: what stands there is taken in one go."""
        self.name, self.source = name, source
        self.sink = None if sink is None else _own_writer(sink)
        self.waiting = b""  # read, and not yet taken outside
        self.open = True
        self.broken = False  # the reader outside has gone
        self._greedy = greedy

    def move(self, record: Callable[[str, bytes], None]) -> None:
        """Pass on what the command has written.

        A terminal gives and takes a few KiB at a time: each part is handed on at once, so that both
        terminals stay busy, and what stood there is recorded in one go.
        """
        parts: list[bytes] = []
        left = READ_SIZE
        ended = False
        while left > 0 and not self.waiting and self.open:
            try:
                data = os.read(self.source, left)
            except BlockingIOError:
                break
            except OSError:  # Linux says EIO when the last user of a pseudo-terminal has closed it
                data = b""
            if not data:
                ended = True
                break
            parts.append(data)
            left = left - len(data) if self._greedy else 0
            self.waiting = data
            self.push()
        if parts:
            record(self.name, b"".join(parts))
        if ended:
            self.close()

    def push(self) -> None:
        """Hand over what is waiting, as much as is taken."""
        while self.waiting and self.sink is not None:
            try:
                self.waiting = self.waiting[os.write(self.sink, self.waiting) :]
            except BlockingIOError:
                return
            except BrokenPipeError:  # the reader outside is gone, and so is the command's
                self.broken = True
                self.close()
                return
            except OSError:  # the terminal outside is gone: what comes is still recorded
                self.sink = None
        self.waiting = b""

    def close(self) -> None:
        """Let go of the command's end."""
        if self.open:
            self.open = False
            self.waiting = b""
            os.close(self.source)


def _own_writer(fd: int) -> int:
    """A descriptor for the same pipe or terminal that never blocks.

    Its file description is a new one, so the flag is not seen by those who share `fd` with us.  Where
    that can't be had, `fd` itself: then a blocked reader of one stream holds up the other.
    """
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(fd):
        try:
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            pass
    return fd
