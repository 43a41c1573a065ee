"""JSON lines: one object for each row, for `jq`, pandas and DuckDB."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from capture.records import Row, plain_number
from capture.runs import Run


class JsonlAdapter:
    """Writes `metrics.jsonl` in the run's folder, or the file that `jsonl: {path: ...}` names.

    The file is derived from the records, so it is written anew from the first row after a crash.
    """

    def __init__(self) -> None:
        self._file: IO[str] | None = None
        self._place = ""

    def open(self, run: Run, folder: Path) -> int:
        """Begin the file."""
        path = folder / "metrics.jsonl"
        chosen = run.settings.get("jsonl", {}).get("path")
        if chosen:
            path = Path(run.cwd) / chosen
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        cwd = Path(run.cwd)
        self._place = str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows."""
        assert self._file is not None  # noqa: S101  opened before
        for row in rows:
            item = {"time": row.time, "step": row.step, "epoch": row.epoch}
            item |= {name: plain_number(value) for name, value in row.metrics.items()}
            self._file.write(json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()

    def close(self, exit_status: int | None) -> None:
        """End the file."""
        if self._file is not None:
            self._file.close()

    def links(self) -> list[str]:
        """Where it is."""
        return [self._place]
