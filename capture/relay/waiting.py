"""Wait until descriptors are ready."""

from __future__ import annotations

import math
import select
import sys
from collections.abc import Iterable

LONGEST = 1e6  # seconds; what is longer, or infinite, is waited for without a limit


def wait(
    readers: Iterable[int], writers: Iterable[int] = (), timeout: float | None = None
) -> tuple[list[int], list[int]]:
    """Wait at most `timeout` seconds (None: without a limit) until one of these descriptors is ready.

    Returns those that can be read and those that can be written; an end or an error counts as both.
    """
    readers, writers = list(readers), list(writers)
    if timeout is not None:
        timeout = max(0.0, timeout) if timeout < LONGEST else None
    if sys.platform == "darwin" and max([*readers, *writers], default=0) < 1024:
        # Its poll knows no devices, such as /dev/tty; select knows no descriptor above 1023.
        readable, writable, _ = select.select(readers, writers, [], timeout)
        return readable, writable
    poll = select.poll()
    for fd in {*readers, *writers}:
        poll.register(fd, select.POLLIN * (fd in readers) | select.POLLOUT * (fd in writers))
    found = poll.poll(None if timeout is None else math.ceil(timeout * 1000))
    return (
        [fd for fd, event in found if fd in readers and event & ~select.POLLOUT],
        [fd for fd, event in found if fd in writers and event & ~select.POLLIN],
    )
