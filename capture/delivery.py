"""Delivery: from `records.jsonl` to the backends, one thread for each.

The file is the queue.  A worker reads the run's records itself, from its own cursor, so memory is
bounded whatever its backend does, and a tracker that is started again, or a later delivery, goes on
where the backend stands.  `delivered/ADAPTER.json` says where that is.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs
from capture.adapter import Adapter, Line
from capture.errors import BadInput
from capture.naming import Namer
from capture.records import Row, from_json
from capture.runs import Run

BATCH = 500
LOOK = 0.25  # seconds between two looks at the file
SAVE = 1.0  # seconds between two notes of the cursor
MOST_LINES = 10_000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
PERMANENT = (ImportError, BadInput)

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What one backend has got: `delivered` of `total` rows, and what the user should know."""

    name: str
    delivered: int
    total: int
    error: str | None
    links: list[str]


class Delivery:
    """Delivers one run to its backends while its records are being written."""

    def __init__(self, run: Run, folder: Path, adapters: Mapping[str, Callable[[], Adapter]]) -> None:
        (folder / runs.DELIVERED).mkdir(exist_ok=True)
        self._workers = [Worker(name, make, run, folder) for name, make in adapters.items()]

    def start(self) -> None:
        """Start the threads; nothing is opened before the first record with metrics."""
        for worker in self._workers:
            worker.thread.start()

    def wake(self) -> None:
        """Say that records were added."""
        for worker in self._workers:
            worker.woken.set()

    def console(self, lines: Sequence[Line]) -> None:
        """Hand over finished lines of the console."""
        for worker in self._workers:
            worker.take_lines(lines)

    def finish(self, exit_status: int | None, timeout: float | None) -> list[Outcome]:
        """Say that the records are complete, and wait for the backends, `timeout` seconds in all."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for worker in self._workers:
            worker.exit_status = exit_status
            worker.complete.set()
            worker.woken.set()
        for worker in self._workers:
            worker.thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return [worker.outcome() for worker in self._workers]


class Worker:
    """One backend's thread.  A daemon: a backend that hangs does not keep the process alive."""

    def __init__(self, name: str, make: Callable[[], Adapter], run: Run, folder: Path) -> None:
        self.name = name
        self.exit_status: int | None = None
        self.woken = threading.Event()
        self.complete = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"delivery-{name}", daemon=True)
        self._make, self._run_info, self._folder = make, run, folder
        self._cursor = folder / runs.DELIVERED / f"{name}.json"
        self._adapter: Adapter | None = None
        self._rows = RowReader(folder)
        self._batch: list[Row] = []  # being handed over: tried again after an error
        self._lines: deque[Line] = deque()
        self._lines_lost = 0
        self._config: dict[str, Any] = dict(run.config)
        self._handed = 0  # rows given to the adapter
        self._stored = 0  # rows that it holds for good
        self._rejected = 0
        self._saved = 0.0
        self._error: str | None = None
        self._closed = False

    def take_lines(self, lines: Sequence[Line]) -> None:
        """Queue lines of the console; of too many that nobody fetches the oldest are dropped."""
        self._lines.extend(lines)
        while len(self._lines) > MOST_LINES:
            self._lines.popleft()
            self._lines_lost += 1

    def outcome(self) -> Outcome:
        """How far this backend has got."""
        total = self._rows.count + self._rows.unread()
        error = self._error
        if error is None and not self._closed and total and self._rows.seen_metrics:
            error = "not finished in time"
        if error is None and self._rejected:
            error = f"{self._rejected} rows were rejected, see {runs.TRACKER_LOG}"
        links: Sequence[str] = getattr(self._adapter, "links", list)() if self._adapter else []
        return Outcome(self.name, self._stored - self._rejected, total, error, list(links))

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            complete = self.complete.is_set()  # asked before the file is read: nothing is added after
            try:
                moved = self._deliver()
                if not moved and complete:
                    self._close()
                    return
                pause = FIRST_PAUSE
                if not moved:
                    self.woken.wait(LOOK)
                    self.woken.clear()
            except PERMANENT as error:
                self._fail(f"{error}")
                return
            except Exception as error:
                log.warning("%s: %s", self.name, error, exc_info=True)
                self._error = f"{type(error).__name__}: {error}".split("\n")[0][:200]
                if self.complete.wait(pause):
                    time.sleep(FIRST_PAUSE)
                pause = min(LONGEST_PAUSE, pause * 2)

    def _deliver(self) -> bool:
        """Hand over what is new.  Gives whether there was anything."""
        if self._adapter is None and not self._open():
            return False
        assert self._adapter is not None  # noqa: S101  opened above
        self._batch = self._batch or self._rows.read(BATCH)
        fresh = [row for row in self._batch if row.ordinal >= self._handed and row.metrics]
        if fresh:
            self._log(self._adapter, fresh)
        for row in self._batch:
            self._handed = max(self._handed, row.ordinal + 1)
            if row.config and hasattr(self._adapter, "config"):
                self._adapter.config(row.config)
        moved, self._batch = bool(self._batch), []
        if self._lines:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if hasattr(self._adapter, "console"):
                self._adapter.console(lines)
        self._error = None
        self._save("open")
        return moved

    def _open(self) -> bool:
        """Open the backend once there is something to show."""
        config = self._rows.config_before_metrics()
        if not self._rows.seen_metrics:
            return False
        adapter = self._make()
        run = self._run_info._replace(config={**self._config, **config})
        self._handed = self._stored = adapter.open(run, self._folder)
        self._adapter = adapter
        return True

    def _log(self, adapter: Adapter, rows: Sequence[Row]) -> None:
        """Hand over rows; where the backend rejects some, only those are lost."""
        try:
            adapter.log(rows)
        except (TypeError, ValueError) as error:
            if len(rows) == 1:
                self._rejected += 1
                log.warning("%s: row %s rejected: %s", self.name, rows[0].ordinal, error)
                return
            half = len(rows) // 2
            self._log(adapter, rows[:half])
            self._log(adapter, rows[half:])

    def _close(self) -> None:
        if self._adapter is not None:
            if self._lines_lost:
                log.warning("%s: %d lines of the console were dropped", self.name, self._lines_lost)
            self._adapter.close(self.exit_status)
            self._stored = self._handed
            self._save("closed", now=True)
        self._closed = True

    def _fail(self, message: str) -> None:
        self._error = message
        self._save("failed", now=True)

    def _save(self, state: str, now: bool = False) -> None:
        if now or time.monotonic() - self._saved >= SAVE:
            self._saved = time.monotonic()
            item = {"rows": self._stored, "state": state, "error": self._error}
            runs.replace_file(self._cursor, json.dumps(item) + "\n")


class RowReader:
    """Reads the rows of a run's `records.jsonl` while it grows."""

    def __init__(self, folder: Path) -> None:
        self.count = 0  # rows read
        self.seen_metrics = False
        self._folder = folder
        self._path = folder / runs.RECORDS
        self._namer: Namer | None = None
        self._position = 0
        self._ahead: deque[Row] = deque()

    def read(self, most: int) -> list[Row]:
        """The next rows, at most so many."""
        if len(self._ahead) < most:
            self._read_file(most)
        return [self._ahead.popleft() for _ in range(min(most, len(self._ahead)))]

    def config_before_metrics(self) -> dict[str, Any]:
        """The config that came before the first metrics; looks until there are some."""
        if not self.seen_metrics:
            self._read_file(BATCH)
        config: dict[str, Any] = {}
        for row in self._ahead:
            if row.metrics:
                self.seen_metrics = True
                break
            config.update(row.config)
        return config

    def unread(self) -> int:
        """How many whole lines stand in the file after the last one read."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        except OSError:
            return 0

    def _read_file(self, most: int) -> None:
        if self._namer is None:
            self._namer = Namer(self._folder)
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._position)
            for _ in range(most):
                line = file.readline()
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                self._ahead.append(self._namer.row(self.count, from_json(line.decode("utf-8"))))
                self.count += 1
