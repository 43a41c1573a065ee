"""JSON lines: one object for each row, for `jq`, pandas and DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capture import fast_json
from capture.adapters._files import WholeWriter
from capture.delivery.adapter import Adapter
from capture.errors import UserError
from capture.records import File, Row, plain_numbers
from capture.runs import Run


class JsonlAdapter(Adapter):
    """Writes `metrics.jsonl` in the run's folder, or the file that `jsonl: {path: ...}` names.

    The file is derived from the records, so it is written anew from the first row after a crash.
    """

    options = ("path",)
    shows = ("file", "table", "image", "plot")

    def __init__(self) -> None:
        self._file: WholeWriter | None = None
        self._place = ""

    def open(self, run: Run, folder: Path) -> int:
        """Begin the file."""
        cwd = Path(run.cwd)
        chosen = (run.settings.get("jsonl") or {}).get("path")
        if chosen == "-":
            raise UserError("jsonl: `path: -` can't be: the tracker has no standard output; name a file")
        path = cwd / Path(chosen).expanduser() if chosen else folder / "metrics.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = WholeWriter(path)
        self._place = str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows."""
        assert self._file is not None  # noqa: S101  opened before
        self._file.write(b"".join(fast_json.dumps(_item(row)) + b"\n" for row in rows))

    def file(self, file: File) -> None:
        """Nothing to do: `files.jsonl` is the list of them."""

    def close(self, exit_status: int | None) -> None:
        """End the file."""
        if self._file is not None:
            self._file.close()

    def links(self) -> list[str]:
        """Where it is."""
        return [self._place]

    @staticmethod
    def remove(run: Run, folder: Path) -> bool:
        """The file in the run's folder goes with it; one that the user named is the user's."""
        return not (run.settings.get("jsonl") or {}).get("path")


def _item(row: Row) -> dict[str, Any]:
    """Metrics win: where one is called `step`, it is the column that the charts are drawn over."""
    return {"time": row.time, "step": row.step, "epoch": row.epoch, **plain_numbers(row.metrics)}
