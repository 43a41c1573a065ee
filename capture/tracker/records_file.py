"""`records.jsonl`, which a tracker goes on with after another one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: the command line says so
    pass

from capture.records import Record, from_json


def open_to_go_on(path: Path) -> IO[bytes]:
    """Open the file to add to it, with a torn last line cut off.

    Waits while another tracker is at work on this run: the one of a start before, say.
    """
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return file


def written(path: Path) -> Iterator[Record]:
    """The records that a tracker before has written; an empty one for a line that is damaged."""
    with path.open("rb") as file:
        for line in file:
            try:
                yield from_json(line)
            except (ValueError, KeyError, TypeError, IndexError):
                yield Record(None, "", None, None, {})
