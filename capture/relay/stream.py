"""One stream on its way from the command to where it goes outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from capture.relay.terminal import is_terminal

READ_SIZE = 64 * 1024

Record = Callable[[str, bytes], None]  # of a stream's name and a chunk


class Stream:
    """What the command writes to `source`, passed on to `sink` and recorded as `name`.

    Back-pressure is kept: nothing more is read while bytes are `waiting` for the sink.  A terminal outside
    that has gone is forgiven: what follows is still recorded.  Where nobody reads a pipe any more, or a file
    can't be written, the source is closed, and the command gets an error for what it writes.
    """

    def __init__(
        self,
        name: str,
        source: int,
        sink: int,
        record: Record,
        greedy: bool = False,
        keep_reading: bool = False,
    ) -> None:
        """`greedy` says that `source` does not block, so it is read until it is empty.

        `keep_reading` says that a sink which is a file and can't be written does not end the recording.
        """
        self.name, self.source = name, source
        self.sink: int | None = _own_writer(sink)  # None once the terminal outside has gone
        self.waiting = b""  # read, but not yet written to the sink
        self.open = True
        self.broken = False  # the reader of the sink has gone
        self.error: OSError | None = None  # why the file that is the sink can't be written
        self._record = record
        self._greedy = greedy
        self._keep_reading = keep_reading
        self._on_terminal = is_terminal(sink)

    def move(self) -> None:
        """Read what the command has written, pass it on and record it.

        A terminal takes and returns a few KiB at a time: each part is passed on at once, to keep both
        terminals busy, and all parts are recorded as one chunk.
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
            self._record(self.name, b"".join(parts))
        if ended:
            self.close()

    def push(self) -> None:
        """Write what is waiting, as much as the sink takes now."""
        while self.waiting and self.sink is not None:
            try:
                self.waiting = self.waiting[os.write(self.sink, self.waiting) :]
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(error)
        self.waiting = b""

    def _fail(self, error: OSError) -> None:
        """The sink can't be written any more."""
        self.sink = None
        if self._on_terminal:
            return
        if isinstance(error, ConnectionError):  # a broken pipe among them
            self.broken = True
        else:
            self.error = error
        if self.broken or not self._keep_reading:
            self.close()

    def close(self) -> None:
        """Close the source; what is still waiting is dropped."""
        if self.open:
            self.open = False
            self.waiting = b""
            os.close(self.source)


def occupy_closed_streams() -> list[int]:
    """Open the null device in place of each standard stream that is closed.  Returns their descriptors.

    Otherwise the next file that is opened, such as the recording, would become the command's stdout.  The
    command does not inherit them: what was closed outside is closed for it too.
    """
    closed = [fd for fd in range(3) if not _is_open(fd)]
    for _ in closed:  # the lowest free descriptor is taken
        os.open(os.devnull, os.O_RDWR)
    return closed


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _own_writer(fd: int) -> int:
    """A descriptor for the same pipe or terminal, on which writing never blocks.

    It has an open file description of its own, since O_NONBLOCK on `fd` would affect every process that
    shares it.  Without /proc it is `fd` itself: then a slow reader of one stream holds up the other.
    """
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode) or is_terminal(fd):
        try:
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            pass
    return fd
