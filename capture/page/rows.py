"""The rows of a run that is looked at: each record with the row that the backends get of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from capture import runs
from capture.delivery import naming
from capture.delivery.naming import Axes, Namer
from capture.errors import UserError
from capture.language import checked_yaml, library
from capture.records import Record, Row, from_json


def read(folder: Path, run: runs.Run) -> Iterator[tuple[Record, Row]]:
    """The records of a run, each with its row; lines that a crash has torn are left out."""
    namer = Namer(_AxesOfRun(folder), run.settings.get("rename", {}))
    try:
        file = (folder / runs.RECORDS).open("rb")
    except OSError:
        return
    with file:
        for ordinal, line in enumerate(file):
            try:
                record = from_json(line.decode("utf-8"))
                row = namer.row(ordinal, record)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError):
                continue
            yield record, row


class _AxesOfRun(Mapping[str, Axes]):
    """The x-axes of the parsers that were in effect in a run, by the parser's name."""

    def __init__(self, folder: Path) -> None:
        place = folder / runs.PARSERS
        self._axes: dict[str, Axes] = {}
        for file in [*sorted(place.glob("*.yaml")), *sorted((place / library.BUILT_IN).glob("*.yaml"))]:
            name, axes = _axes_of(file.read_text(encoding="utf-8", errors="replace"))
            self._axes.setdefault(name, axes)

    def __getitem__(self, name: str) -> Axes:
        return self._axes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._axes)

    def __len__(self) -> int:
        return len(self._axes)


@cache  # a thousand runs have the same parsers
def _axes_of(text: str) -> tuple[str, Axes]:
    try:
        parser = library.load(checked_yaml.Source(text, "parser"), samples=False, check=False)
    except UserError:
        return "", []
    return parser.name, naming.axes(parser)
