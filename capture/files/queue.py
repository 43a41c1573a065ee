"""`files.jsonl` in the run's folder: what there is to deliver, in the order in which it was whole.

The Python door writes to the same file from the program's process, so a line is appended in one write.
"""

from __future__ import annotations

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
        return runs.read_lines(self._path)[0]

    def add(self, item: dict[str, Any]) -> None:
        """Append an entry.  Raises OSError."""
        runs.append_line(self._path, {**item, "name": self._redactor.text(item["name"])})
