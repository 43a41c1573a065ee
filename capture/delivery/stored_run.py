"""`capture.open_run`: what a run's folder holds, for programs that look at runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from capture import runs
from capture.delivery import naming
from capture.delivery.console_reader import ConsoleReader
from capture.delivery.naming import Namer
from capture.delivery.rows import RowReader
from capture.errors import UserError
from capture.language import library
from capture.records import ConsoleLine, Row
from capture.runs import Run

BATCH = 1000
CONFIG = "config.json"


def open_run(path: runs.PathLike) -> StoredRun:
    """The run in a folder.  Raises UserError where there is none."""
    folder = Path(path)
    try:
        return StoredRun(folder.absolute(), runs.read(folder))
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: not a run's folder: {reason}") from None


class StoredRun:
    """What a run's folder holds; `run` says who it is.  Everything is read when it is asked for."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder, self.run = folder, run

    def __repr__(self) -> str:
        return f"<StoredRun {self.run.project}/{self.run.name}: {self.run.state}, {self.folder}>"

    def rows(self) -> Iterator[Row]:
        """The rows as the backends get them: final names, and the column that each metric is drawn over."""
        found = library.of_run(self.folder / runs.PARSERS)
        axes = {parser.name: naming.axes(parser) for parser in (*found.built_in, *found.own)}
        reader = RowReader(self.folder, Namer(axes, self.run.settings.get("rename", {})))
        while rows := reader.read(BATCH):
            yield from rows

    @property
    def config(self) -> dict[str, Any]:
        """The hyperparameters, one value for each name."""
        sources = self._object(CONFIG)
        return {name: value for values in sources.values() for name, value in values.items()} or dict(
            self.run.config
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """Code, packages, environment and machine."""
        return self._object(runs.PROVENANCE)

    def console(self) -> list[ConsoleLine]:
        """The finished lines of the console; of a bar its last state."""
        return ConsoleReader(self.folder, self.run.start).read(self.run.state != "running")

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files, tables and plots that were kept, each with an absolute `path`."""
        return [{**item, "path": str(self.folder / item["path"])} for item in self._lines(runs.FILES)]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts, in their order."""
        return self._lines(runs.ALERTS)

    def system(self) -> list[dict[str, Any]]:
        """The samples of the load."""
        return self._lines(runs.SYSTEM)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame: `time`, `step`, `epoch`, and a column for each metric.

        Raises ImportError where pandas is not installed.
        """
        pandas: Any = import_module("pandas")  # capture itself needs none
        rows = [{"time": r.time, "step": r.step, "epoch": r.epoch, **r.metrics} for r in self.rows()]
        return pandas.DataFrame(rows, columns=None if rows else ["time", "step", "epoch"])

    def _object(self, name: str) -> dict[str, Any]:
        try:
            item = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return item if isinstance(item, dict) else {}

    def _lines(self, name: str) -> list[dict[str, Any]]:
        """The JSON objects of a file, without a torn line at its end."""
        try:
            lines = (self.folder / name).read_bytes().splitlines(keepends=True)
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
