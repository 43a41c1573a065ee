"""The kinds of things that a backend gets, each read from the run's folder by position.

A channel shows what comes next until it is told that this was handed over.  So an error loses nothing: after
it, or in another process, the same items come again.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from capture import runs
from capture.delivery.adapter import Adapter
from capture.delivery.console_reader import ConsoleReader
from capture.delivery.rows import RowReader
from capture.records import ConsoleLine, File, Row, SystemSample
from capture.redaction import Lines, Redactor

BATCH = 500
MODIFIED = "modified"  # in a file's metadata: when it was last written, in Unix seconds
PROVENANCE = "_provenance"  # in a config: apart from the hyperparameters, and behind them

log = logging.getLogger(__name__)


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


class System:
    """Samples of the load, from `system.jsonl`."""

    what = "sample of the load"

    def __init__(self, folder: Path, position: int = 0) -> None:
        """Begin behind the first `position` samples: the backend has them."""
        self.position = position
        self._path = folder / runs.SYSTEM
        self._skip = position
        self._offset = 0
        self._items: list[SystemSample] = []

    def next(self, complete: bool) -> Sequence[SystemSample]:
        if not self._items:
            self._read()
        return self._items

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            if self._skip:
                self._skip -= 1
                continue
            try:
                values = json.loads(line)
                self._items.append(SystemSample(float(values.pop("time")), values))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("%s: not a sample: %s", self._path, error)

    def hand_over(self, adapter: Adapter, items: Sequence[SystemSample]) -> None:
        adapter.system(items)

    def done(self, count: int) -> None:
        del self._items[:count]
        self.position += count


class Files:
    """Files, tables, images and plots, from `files.jsonl`."""

    what = "file"

    def __init__(self, folder: Path, shown: Container[str], position: int = 0) -> None:
        """Begin behind the first `position`: the backend has them.  It shows the kinds that are `shown`."""
        self.position = 0
        self.not_shown: Counter[str] = Counter()
        self.lost: list[str] = []  # sentences on versions that were there no more
        self._folder, self._shown, self._skip = folder, shown, position
        self._offset = 0
        self._items: list[File | None] = []  # None for a line that is no entry

    def next(self, complete: bool) -> Sequence[File | None]:
        if not self._items:
            self._read()
        return self._items

    def _read(self) -> None:
        path = self._folder / runs.FILES
        try:
            with path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            if self._skip:
                self._skip -= 1
                self.position += 1
                continue
            try:
                self._items.append(_file(json.loads(line), self.position + len(self._items), self._folder))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("%s: not a file: %s", path, error)
                self._items.append(None)

    def hand_over(self, adapter: Adapter, items: Sequence[File | None]) -> None:
        for item in items:
            if item is None:
                continue
            if item.kind not in self._shown:
                self.not_shown[item.kind] += 1
            elif problem := _changed(item):
                self.lost.append(f"{item.name}: {problem}")
            else:
                adapter.file(item)

    def done(self, count: int) -> None:
        del self._items[:count]
        self.position += count


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


def _file(item: Mapping[str, Any], number: int, folder: Path) -> File:
    """The file that a line notes."""
    metadata = dict(item.get("metadata") or {})
    if item.get("modified") is not None:
        metadata[MODIFIED] = float(item["modified"])
    return File(
        number,
        str(item["kind"]),
        str(item["type"]),
        str(item["name"]),
        folder / item["path"],
        float(item["time"]),
        item.get("size"),
        item.get("digest"),
        [str(alias) for alias in item.get("aliases") or []],
        metadata,
    )


def _changed(item: File) -> str:
    """Why this version can't be had any more; empty if it can."""
    try:
        state = item.path.stat()
    except OSError:
        return "was removed before it was delivered"
    modified = item.metadata.get(MODIFIED)
    if item.kind != "file" or item.size is None or modified is None:
        return ""
    same = state.st_size == item.size and abs(state.st_mtime - modified) < 1e-6
    return "" if same else "a version was replaced before it was delivered"


def _without_packages(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance without the list of packages, which is long and of no use in a table."""
    parts = dict(facts)
    if isinstance(parts.get("python"), dict):
        parts["python"] = {key: value for key, value in parts["python"].items() if key != "packages"}
    return parts
