"""The rows of a run: its records under their final names, read while they are being written."""

from __future__ import annotations

import logging
from pathlib import Path

from capture import runs
from capture.delivery.naming import Namer
from capture.records import Row, from_json

log = logging.getLogger(__name__)


class RowReader:
    """Reads the rows of a run's `records.jsonl` while it grows."""

    def __init__(self, folder: Path, namer: Namer) -> None:
        self._path = folder / runs.RECORDS
        self._namer = namer
        self._count = 0  # lines read
        self._position = 0  # byte offset of the next line

    def read(self, most: int) -> list[Row]:
        """The next rows, at most `most`; none where no whole line has been added."""
        rows: list[Row] = []
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return rows
        with file:
            file.seek(self._position)
            while len(rows) < most:
                line = file.readline()
                if not line.endswith(b"\n"):
                    break
                try:
                    rows.append(self._namer.row(self._count, from_json(line)))
                except (ValueError, KeyError, TypeError, IndexError) as error:
                    log.warning("%s:%d: not a record: %s", self._path, self._count + 1, error)
                self._position += len(line)
                self._count += 1  # an ordinal is a line's number, whatever is on the line
        return rows

    def total(self) -> int:
        """How many whole lines the file has."""
        try:
            with self._path.open("rb") as file:
                return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        except OSError:
            return 0
