"""`files.jsonl` in the run's folder: what there is to deliver, in the order in which it was whole.

The Python door writes to the same file from the program's process, so a line is appended in one write.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from capture import runs
from capture.redaction import Redactor


class Queue:
    """The list of one run."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._path = folder / runs.FILES
        self._redactor = redactor

    def entries(self) -> list[dict[str, Any]]:
        """The entries that are there; a torn line is none."""
        try:
            lines = self._path.read_bytes().splitlines(keepends=True)
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                item = json.loads(line)
            except ValueError:
                continue
            if line.endswith(b"\n") and isinstance(item, dict):
                found.append(item)
        return found

    def add(self, item: dict[str, Any]) -> None:
        """Append an entry.  A line that a tracker before has torn becomes one of its own.  Raises OSError."""
        item = {**item, "name": self._redactor.text(item["name"])}
        data = json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            size = os.fstat(fd).st_size
            if size:
                os.lseek(fd, size - 1, os.SEEK_SET)
                if os.read(fd, 1) != b"\n":
                    data = b"\n" + data
            os.write(fd, data)
        finally:
            os.close(fd)
