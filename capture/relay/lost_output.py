"""Output that could not be written: a full disk, a limit on the size of files.

The relay is between the command and the file, so the command can't get the file's own error.  It gets the
one that there is for a pipe: SIGPIPE, or EPIPE if it ignores that.  The true reason is said, and tells in the
exit status.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterable

from capture.bare import say
from capture.relay.stream import Stream

FULL_NAMES = {"tty": "standard output", "stdout": "standard output", "stderr": "standard error"}
BY_CLOSING = (
    getattr(signal, "SIGPIPE", None),
    getattr(signal, "SIGHUP", None),
)  # of a pipe, of a pseudo-terminal
FAILED = 1  # the exit status of a program whose output could not be written


def report(
    streams: Iterable[Stream], exit_status: int, killed: int | None, ignored: Iterable[int] = ()
) -> tuple[int, int | None]:
    """Say which streams could not be written.  Returns the exit status and the signal with which to end.

    `exit_status` and `killed` are the command's, `ignored` the signals that are ignored outside.  A command
    that has not noticed (it had ended before), or has died of the broken pipe, has failed: past a limit of
    size by SIGXFSZ, as without capture, else with status 1.
    """
    for stream in streams:
        if stream.error is None:
            continue
        number = stream.error.errno or errno.EIO
        say(f"{FULL_NAMES[stream.name]}: {os.strerror(number)}")
        unnoticed = exit_status == 0 and stream.name != "stderr"
        if unnoticed or killed in BY_CLOSING:
            past_limit = number == errno.EFBIG and signal.SIGXFSZ not in ignored
            killed = int(signal.SIGXFSZ) if past_limit else None
            exit_status = 128 + killed if killed else FAILED
    return exit_status, killed
