"""The kinds of things that a backend gets, each read from the run's folder by position.

A channel shows what comes next until it is told that this was handed over.  So an error loses nothing: after
it, or in another process, the same items come again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from capture import runs
from capture.delivery.adapter import Adapter
from capture.delivery.console_reader import ConsoleReader
from capture.delivery.rows import RowReader
from capture.records import ConsoleLine, Row
from capture.redaction import Lines, Redactor

BATCH = 500
PROVENANCE = "_provenance"  # in a config: apart from the hyperparameters, and behind them


class Channel(Protocol):
    """One kind of thing on its way from the run's folder to one backend."""

    what: str  # the items' name in messages

    def next(self, complete: bool) -> Sequence[Any]:
        """The items that come next, the same ones until `done`; `complete` says that the run has ended."""

    def hand_over(self, adapter: Adapter, items: Sequence[Any]) -> None:
        """Give items to the backend.  Raises what the adapter raises."""

    def done(self, count: int) -> None:
        """The first `count` items need not be handed over any more."""


class Rows:
    """Rows of `records.jsonl`.  Their config is passed to the channel `config`."""

    what = "row"

    def __init__(self, reader: RowReader, config: Config) -> None:
        self.first = 0  # ordinal of the first row that the backend does not hold
        self._reader = reader
        self._config = config
        self._read = 0  # records read
        self._rows: list[Row] = []  # with metrics, not handed over yet

    @property
    def position(self) -> int:
        """How many records need not be handed over any more."""
        return self._rows[0].ordinal if self._rows else self._read

    def total(self) -> int:
        """How many records there are."""
        return self._reader.total()

    def next(self, complete: bool) -> Sequence[Row]:
        while not self._rows:
            rows = self._reader.read(BATCH)
            if not rows:
                break
            self._read = rows[-1].ordinal + 1
            self._rows = [row for row in rows if row.metrics]
            for row in rows:
                if row.config:
                    self._config.add(row.config, row.ordinal)
        held = [row for row in self._rows if row.ordinal < self.first]
        return held or self._rows

    def hand_over(self, adapter: Adapter, items: Sequence[Row]) -> None:
        (adapter.held if items[0].ordinal < self.first else adapter.log)(items)

    def done(self, count: int) -> None:
        del self._rows[:count]


class Config:
    """Config that is known only after the opening: what the program printed, and where the run comes from."""

    what = "config"

    def __init__(self, folder: Path) -> None:
        self._provenance = folder / runs.PROVENANCE
        self._waits_for_provenance = True
        self._items: deque[tuple[int, Mapping[str, Any]]] = deque()  # ordinals and values

    def add(self, values: Mapping[str, Any], ordinal: int) -> None:
        """The config of a record."""
        self._items.append((ordinal, values))

    def before(self, ordinal: int) -> dict[str, Any]:
        """Takes out the config of all records before this one: it belongs to the opening."""
        values: dict[str, Any] = {}
        while self._items and self._items[0][0] < ordinal:
            values.update(self._items.popleft()[1])
        return values

    def next(self, complete: bool) -> Sequence[Mapping[str, Any]]:
        if self._waits_for_provenance and (facts := _read_object(self._provenance)) is not None:
            self._waits_for_provenance = False
            if facts:
                self._items.append((0, {PROVENANCE: _without_packages(facts)}))
        return [values for _, values in self._items]

    def hand_over(self, adapter: Adapter, items: Sequence[Mapping[str, Any]]) -> None:
        adapter.config({name: value for values in items for name, value in values.items()})

    def done(self, count: int) -> None:
        for _ in range(count):
            self._items.popleft()


class Console:
    """Finished lines of the console, secrets masked, from the recording."""

    what = "console line"

    def __init__(self, reader: ConsoleReader, redactor: Redactor) -> None:
        self.reader = reader
        self._masked: dict[str, Lines] = defaultdict(lambda: Lines(redactor))  # by stream
        self._lines: list[ConsoleLine] = []

    @property
    def position(self) -> int:
        """How many lines need not be handed over any more."""
        return self.reader.taken - len(self._lines)

    def next(self, complete: bool) -> Sequence[ConsoleLine]:
        if not self._lines:
            read = self.reader.read(complete)
            self._lines = [line._replace(text=self._masked[line.stream].line(line.text)) for line in read]
        return self._lines

    def hand_over(self, adapter: Adapter, items: Sequence[ConsoleLine]) -> None:
        adapter.console(items)

    def done(self, count: int) -> None:
        del self._lines[:count]


def _read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none yet."""
    try:
        return runs.read_object(path)
    except (OSError, ValueError):
        return None


def _without_packages(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance without the list of packages, which is long and of no use in a table."""
    parts = dict(facts)
    if isinstance(parts.get("python"), dict):
        parts["python"] = {key: value for key, value in parts["python"].items() if key != "packages"}
    return parts
