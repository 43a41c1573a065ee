"""Who makes a run: exactly one process at a time, which holds a lock on its `console.log`.

The kernel drops the lock when that process ends, however it ends, and in whatever container it was: a process
id says nothing where each container has a process 1.  Where a file system knows no locks, the process itself
is looked for, by its id, its start and the machine's boot.
"""

from __future__ import annotations

import errno
import os
import time

from capture.runs.model import PathLike, Run

try:
    import fcntl
except ImportError:  # Windows: the relay reports it
    pass

LOCKED_FILE = "console.log"
ELSEWHERE = (
    "lock"  # in the settings of a run that is made with many others by one process: the file, from its folder
)
PATIENCE = 0.5  # seconds: whoever only looks holds the lock for an instant
BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

_held: dict[str, int] = {}  # the locks of this process, by the run's folder


def take(folder: PathLike, name: str = LOCKED_FILE) -> bool:
    """Take the run in this folder for this process, until it ends; `name` is the file that is locked.

    Returns False if another process has it, True also where there are no locks.  Raises OSError if the file
    that is locked can't be opened.
    """
    key = os.path.realpath(folder)
    if key in _held:
        return True
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.open(os.path.join(folder, name), flags, 0o600)
    if file < 3:  # a standard stream is closed, and stays so for the command
        low, file = file, fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 3)
        os.close(low)
    deadline = time.monotonic() + PATIENCE
    while (found := _try(file, fcntl.LOCK_EX)) is False and time.monotonic() < deadline:
        time.sleep(0.01)
    if found is False:
        os.close(file)
        return False
    _held[key] = file
    return True


def release(folder: PathLike) -> None:
    """Let go of a run that this process has taken."""
    if (file := _held.pop(os.path.realpath(folder), None)) is not None:
        os.close(file)


def is_alive(folder: PathLike, run: Run) -> bool:
    """Whether the process that makes the run in this folder still exists.

    Where there are no locks, False for a run on another machine.
    """
    if run.state != "running":
        return False
    if os.path.realpath(folder) in _held:
        return True
    try:
        name = run.settings.get(ELSEWHERE) or LOCKED_FILE
        file = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return _exists(run)
    try:
        free = _try(file, fcntl.LOCK_SH)
    finally:
        os.close(file)
    return _exists(run) if free is None else not free


def process_exists(pid: int) -> bool:
    """Whether there is a process of this id, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is another user's
    return True


def identity() -> str:
    """What tells this process from every other with its id: the machine's boot and the process's start."""
    return _identity("self")


def _try(file: int, how: int) -> bool | None:
    """Whether the file could be locked; None where there are no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in BUSY else None
    return True


def _exists(run: Run) -> bool:
    if run.pid is None or run.pid == os.getpid() or run.host != os.uname().nodename:
        return False
    return process_exists(run.pid) and (not run.process or _identity(str(run.pid)) in ("", run.process))


def _identity(pid: str) -> str:
    """`BOOT/TICKS` of a process; empty where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        with open(f"/proc/{pid}/stat", "rb") as file:
            start = file.read().rpartition(b")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot}/{start.decode()}"
