"""Whether a file is whole: renamed into place, or closed and unchanged for a while."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

SETTLED = 1.0  # seconds without a change
RENAMED = 20_000_000  # nanoseconds by which a rename comes after the last write: a file system's clock ticks
MOST_PARTS = 10_000  # files in a folder that is kept as one
MOST_PROCESSES = 200  # whose open files are looked at
PIECE = 1 << 20  # bytes read at a time


class State(NamedTuple):
    """What tells one version of a file, or of a folder with all in it, from another."""

    inode: int
    size: int  # bytes
    modified: int  # nanoseconds
    changed: int  # nanoseconds, of the entry itself: a rename or a link, too
    parts: int = 0  # files in a folder

    @property
    def renamed(self) -> bool:
        """Whether it has been put in its place after it was written."""
        return not self.parts and self.changed - self.modified > RENAMED


class NotRegular(OSError):
    """A FIFO, a socket, a device: never opened."""


def state_of(path: str) -> State | None:
    """The state of a file or a folder; None where it is gone, no regular file, or an empty folder."""
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            return State(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if not stat.S_ISDIR(found.st_mode):
            return None
        states = [os.lstat(file) for file in parts_of(path)]
    except OSError:
        return None
    if not states:
        return None
    return State(
        found.st_ino,
        sum(one.st_size for one in states),
        max(one.st_mtime_ns for one in states),
        max(one.st_ctime_ns for one in states),
        len(states),
    )


def parts_of(folder: str) -> list[str]:
    """The regular files in a folder and below, in a fixed order; links are not followed."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                found.append(path)
            if len(found) >= MOST_PARTS:
                return found
    return found


def open_regular(path: str) -> int:
    """A descriptor to read a regular file.  Raises NotRegular where there is a FIFO or a device instead."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegular(f"{path}: not a regular file")
    return fd


def digest(path: str, stop: Callable[[], bool]) -> str | None:
    """The SHA-256 of a file, or of a folder's files with their names; None where `stop` says so.

    Reads a piece at a time.  Raises OSError.
    """
    whole = hashlib.sha256()
    if os.path.isdir(path):
        for part in parts_of(path):
            found = digest(part, stop)
            if found is None:
                return None
            whole.update(f"{os.path.relpath(part, path)}\0{found}\n".encode("utf-8", "surrogateescape"))
        return f"sha256:{whole.hexdigest()}"
    with open(open_regular(path), "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            whole.update(piece)
            if stop():
                return None
    return f"sha256:{whole.hexdigest()}"


def being_written(pid: int | None) -> set[str]:
    """The files that a process and those below it have open for writing, by their real paths."""
    if pid is None:
        return set()
    import psutil  # slow, and only needed where there is something to keep

    try:
        top = psutil.Process(pid)  # the relay or, by the Python door, the program itself
        processes = [top, *top.children(recursive=True)[:MOST_PROCESSES]]
    except psutil.Error:
        return set()
    found = set()
    for process in processes:
        try:
            opened = process.open_files()
        except (psutil.Error, OSError):
            continue
        # Where a system does not tell how a file was opened, it may be for writing.
        found |= {file.path for file in opened if getattr(file, "mode", "w") not in ("r", "rt")}
    return found
