"""Files of JSON lines in a run's folder, to which the tracker and the program itself may add."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from capture.runs.model import PathLike


def read_lines(path: PathLike, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The objects from an offset on, and the offset behind them; lines that are torn are left out.

    A file that can't be read has none.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
    except OSError:
        return [], start
    found, end = [], data.rfind(b"\n") + 1
    for line in data[:end].splitlines():
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(item, dict):
            found.append(item)
    return found, start + end


def append_line(path: PathLike, item: Mapping[str, Any]) -> None:
    """Add an object in one write.  A line that was torn before becomes one of its own.  Raises OSError."""
    data = json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        size = os.fstat(fd).st_size
        if size:
            os.lseek(fd, size - 1, os.SEEK_SET)
            if os.read(fd, 1) != b"\n":
                data = b"\n" + data
        os.write(fd, data)
    finally:
        os.close(fd)
