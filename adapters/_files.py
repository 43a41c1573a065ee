"""Files that hold whole batches only."""

from __future__ import annotations

import os
from pathlib import Path


class WholeWriter:
    """Writes a file anew.  What `write` gets is written as a whole, or not at all where the disk is full."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._size = 0

    def write(self, data: bytes | bytearray) -> None:
        """Add data.  Raises OSError, and may then be called with the same data again."""
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            os.ftruncate(self._file.fileno(), self._size)
            self._file.seek(self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """End the file."""
        self._file.close()
