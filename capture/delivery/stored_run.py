"""`capture.open_run`: what a run's folder holds, for programs that look at runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from capture import runs
from capture.delivery import axes
from capture.delivery.console_reader import ConsoleReader
from capture.delivery.naming import Axes, Namer
from capture.errors import UserError
from capture.language import known, run_parsers
from capture.records import ConsoleLine, Record, Row, from_json
from capture.runs import Run


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
        return (row for _, row in self.records())

    def records(self) -> Iterator[tuple[Record, Row]]:
        """The records, each with its row; lines that a crash has torn are left out."""
        namer = Namer(_axes_of_parsers(self.folder / runs.PARSERS), self.run.settings.get("rename", {}))
        try:
            file = (self.folder / runs.RECORDS).open("rb")
        except OSError:
            return
        with file:
            for ordinal, line in enumerate(file):
                try:
                    record = from_json(line)
                    row = namer.row(ordinal, record)
                except (ValueError, KeyError, TypeError, IndexError, AttributeError):
                    continue
                yield record, row

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """The hyperparameters by where they come from; of several sources the later wins."""
        found = self._object(runs.CONFIG)
        return {source: values for source, values in found.items() if isinstance(values, dict)}

    @property
    def config(self) -> dict[str, Any]:
        """The hyperparameters, one value for each name."""
        found = {name: value for values in self.sources.values() for name, value in values.items()}
        return found or dict(self.run.config)

    @property
    def diff(self) -> str:
        """What was not committed."""
        try:
            return (self.folder / runs.DIFF).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

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
            return runs.read_object(self.folder / name)
        except (OSError, ValueError):
            return {}

    def _lines(self, name: str) -> list[dict[str, Any]]:
        """The JSON objects of a file, without a torn line at its end."""
        return runs.read_lines(self.folder / name)[0]


def _axes_of_parsers(folder: Path) -> dict[str, Axes]:
    """The x-axes of a run's parsers, by their names; the user's own come before built-in ones."""
    files = [*sorted((folder / run_parsers.BUILT_IN).glob("*.yaml")), *sorted(folder.glob("*.yaml"))]
    return dict(_axes_of(file.read_bytes()) for file in files)


@cache  # a thousand runs have the same parsers
def _axes_of(text: bytes) -> tuple[str, Axes]:
    parser = next(iter(known.recall([text]) or []), None)
    if parser is None:
        from capture.language import library  # slow
        from capture.language.checked_yaml import Source

        try:
            parser = library.load(Source(text.decode(errors="replace"), "parser"), samples=False, check=False)
        except UserError:
            return "", []
    return parser.name, axes.of(parser)
