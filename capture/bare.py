"""The command without capture: its environment, and what is left where nothing can be recorded."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # exit statuses of a shell
IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ", "SIGXFZ")
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")  # what Python makes of the locale "C", see PEP 538


def environment() -> dict[str, str]:
    """The environment with which capture was started: Python may have added LC_CTYPE to it."""
    environ = dict(os.environ)
    if environ.get("LC_CTYPE") in COERCED:
        try:
            with open("/proc/self/environ", "rb") as file:
                if b"\0LC_CTYPE=" not in b"\0" + file.read():
                    del environ["LC_CTYPE"]
        except OSError:
            pass  # macOS: it is not known
    return environ


def run_bare(command: Sequence[str], why: str) -> NoReturn:
    """Become the command, since nothing can be recorded, after a line that says `why`.

    Nothing may have been started yet.  If it can't be executed, ends with a shell's exit status.
    """
    say(f"not recorded: {why}")
    for name in IGNORED_BY_PYTHON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), environment())
    except OSError as error:
        os._exit(report_start_failure(command, error.errno or 0))


def report_start_failure(command: Sequence[str], number: int) -> int:
    """Print why the command could not be started, as a shell does.  Returns the shell's exit status.

    `number` is the error number of fork or exec.
    """
    is_name = os.sep not in command[0]
    missing = number in (errno.ENOENT, errno.ENOTDIR)
    if is_name and not missing:  # a folder of PATH that can't be searched, as after `su`, does not count
        missing = not any(os.path.exists(os.path.join(place, command[0])) for place in os.get_exec_path())
    reason = "command not found" if missing and is_name else os.strerror(number).lower()
    say(f"{command[0]}: {reason}")
    return NOT_FOUND if missing else NOT_EXECUTABLE


def say(text: str) -> None:
    """Print a line of capture's own, if there is still somewhere to print it."""
    write(f"capture: {text}\n")


def write(text: str) -> None:
    """Print on standard error, if that can be written.

    Not through Python's buffer: what stays in it would fail once more at the end, with a status of Python's.
    """
    try:
        sys.stderr.flush()
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(sys.stderr.fileno(), data) :]
    except (OSError, ValueError):
        pass


def reason(error: BaseException) -> str:
    """What an error says, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
