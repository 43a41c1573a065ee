"""Delivery: from `records.jsonl` to the backends, one thread for each.

The file is the queue.  A worker reads the run's records itself, from the first on, and drops the rows
that its backend holds already, so memory is bounded whatever the backend does, and a tracker that is
started again, or a later delivery, goes on where the backend stands.  `delivered/ADAPTER.json` says
how far that is.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capture import runs
from capture.delivery.adapter import Adapter, Gone
from capture.delivery.console_queue import ConsoleQueue
from capture.delivery.rows import RowReader
from capture.errors import UserError
from capture.records import Row
from capture.redaction import Redactor
from capture.runs import Run

if TYPE_CHECKING:
    from capture.facts.system import SystemSample

BATCH = 500
LOOK = 0.25  # seconds between two small batches
IDLE = 1.0  # seconds between two looks at how much is stored, while there is nothing new
SAVE = 1.0  # seconds between two notes of how far it is
MOST_SAMPLES = 1_000  # of the load, that wait for a backend
MOST_WARNINGS = 20  # for rejected rows, in the log
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
REOPEN = 3  # errors in a row after which a backend is opened anew ...
MOST_REOPENED = 3  # ... so many times in a run
PERMANENT = (ImportError, UserError)
REJECTED = (TypeError, ValueError)

log = logging.getLogger(__name__)


class DeliveryResult(NamedTuple):
    """What one backend has got: `delivered` of `total` records, and what the user should know."""

    name: str
    delivered: int
    total: int
    error: str | None
    links: list[str]


class Worker:
    """One backend's thread.  A daemon: a backend that hangs does not keep the process alive."""

    def __init__(self, name: str, make: Callable[[], Adapter], run: Run, folder: Path) -> None:
        self.name = name
        self.exit_status: int | None = None
        self.woken = threading.Event()
        self.complete = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"delivery-{name}", daemon=True)
        self.lines = ConsoleQueue()
        self.facts: deque[Mapping[str, Any]] = deque()
        self.samples: deque[SystemSample] = deque(maxlen=MOST_SAMPLES)
        self._make, self._run_info, self._folder = make, run, folder
        self._redactor = Redactor(os.environ, run.settings.get("redact", []))
        self._note = folder / runs.DELIVERED / f"{name}.json"
        self._saved = 0.0
        self._noted: dict[str, Any] = {}
        self._error: str | None = None
        self._closed = False
        self._reopened = 0
        self._begin()

    def _begin(self) -> None:
        """From the first record, with a backend that is yet to be opened."""
        self._adapter: Adapter | None = None
        self._rows = RowReader(self._folder)
        self._batch: list[Row] = []  # being handed over: tried again after an error
        self._config: dict[str, Any] = dict(self._run_info.config)
        self._handed = 0  # records that need not be handed over any more
        self._stored = 0  # records that the backend holds for good
        self._rejected = 0

    def outcome(self) -> DeliveryResult:
        """How far this backend has got."""
        total = self._rows.total()
        error = self._error
        if error is None and not self._closed and total:
            error = "not finished in time"
        if error is None and self._rejected:
            error = f"rows rejected by the backend: {self._rejected}, see {runs.TRACKER_LOG}"
        links: list[str] = []
        if self._adapter is not None and hasattr(self._adapter, "links"):
            try:
                links = list(self._adapter.links())
            except Exception as problem:
                log.warning("%s: no links: %s", self.name, problem)
        return DeliveryResult(self.name, max(0, self._stored - self._rejected), total, error, links)

    def _run(self) -> None:
        pause, errors = FIRST_PAUSE, 0
        while True:
            complete = self.complete.is_set()  # asked before the file is read: nothing is added after
            self.woken.clear()
            try:
                moved = self._deliver()
                if complete and not moved:
                    self._close()
                    return
                pause, errors = FIRST_PAUSE, 0
                if not moved:
                    self.woken.wait(IDLE)
                elif moved < BATCH:  # small batches cost a backend as much as large ones: let rows gather
                    self.complete.wait(LOOK)
            except PERMANENT as error:
                self._fail(error)
                self._save("failed", now=True)
                return
            except Exception as error:
                self._fail(error)
                self._save("open", now=True)
                errors += 1
                gone = isinstance(error, Gone)
                anew = self._adapter is not None and (gone or errors % REOPEN == 0)
                if anew and self._reopened < MOST_REOPENED:
                    self._reopened += 1
                    log.warning("%s: opened anew after %d errors", self.name, errors)
                    self._begin()
                    if gone:
                        continue
                if self.complete.wait(pause):
                    time.sleep(min(pause, FIRST_PAUSE))
                pause = min(LONGEST_PAUSE, pause * 2)

    def _deliver(self) -> int:
        """Hand over what is new.  Gives how many rows and lines that were."""
        if self._adapter is None and not self._open():
            return 0
        assert self._adapter is not None  # noqa: S101  opened above
        self._batch = self._batch or self._rows.read(BATCH)
        fresh = [row for row in self._batch if row.ordinal >= self._handed and row.metrics]
        if fresh:
            self._log(self._adapter, fresh)
        if hasattr(self._adapter, "config"):
            for row in self._batch:
                if row.config:
                    self._tell(f"config of record {row.ordinal}", self._adapter.config, row.config)
        moved = len(self._batch)
        if self._batch:
            self._handed = max(self._handed, self._batch[-1].ordinal + 1)
        self._batch = []
        lines = self.lines.take()
        if lines and hasattr(self._adapter, "console"):
            masked = [line._replace(text=self._redactor.text(line.text)) for line in lines]
            try:
                self._tell(f"{len(lines)} console lines", self._adapter.console, masked)
            except Exception:
                self.lines.put_back(lines)
                raise
        while self.facts and hasattr(self._adapter, "config"):
            self._tell("config", self._adapter.config, self.facts.popleft())
        samples = [self.samples.popleft() for _ in range(len(self.samples))]
        if samples and hasattr(self._adapter, "system"):
            self._tell(f"{len(samples)} samples of the load", self._adapter.system, samples)
        if hasattr(self._adapter, "stored"):
            self._stored = min(self._handed, self._adapter.stored())
        self._error = None
        self._save("open")
        return moved + len(lines)

    def _open(self) -> bool:
        """Open the backend once there are metrics; the config before them belongs to the opening."""
        while not self._batch:
            rows = self._rows.read(BATCH)
            if not rows:
                return False
            first = next((i for i, row in enumerate(rows) if row.metrics), len(rows))
            for row in rows[:first]:
                self._config.update(row.config)
            self._batch = rows[first:]
        while self.facts:
            self._config.update(self.facts.popleft())
        adapter = self._make()
        stored = adapter.open(self._run_info._replace(config=dict(self._config)), self._folder)
        if not hasattr(adapter, "console"):
            self.lines.refuse()
        elif stored:  # resumed: the tracker gives every line again, the backend has the first ones
            self.lines.skip(self._noted_lines())
        self._handed = self._stored = stored
        self._adapter = adapter
        return True

    def _log(self, adapter: Adapter, rows: Sequence[Row]) -> None:
        """Hand over rows; where the backend rejects some, only those are lost."""
        try:
            adapter.log(rows)
        except PERMANENT:
            raise
        except REJECTED as error:
            if len(rows) > 1:
                half = len(rows) // 2
                self._log(adapter, rows[:half])
                self._log(adapter, rows[half:])
                return
            self._rejected += 1
            if self._rejected <= MOST_WARNINGS:
                log.warning("%s: row %d rejected: %s", self.name, rows[0].ordinal, error)
        self._handed = rows[-1].ordinal + 1  # after an error further on these are not sent again

    def _tell(self, what: str, method: Callable[[Any], None], value: Any) -> None:
        """Hand over what the backend may reject: that would be lost, and nothing else."""
        try:
            method(value)
        except PERMANENT:
            raise
        except REJECTED as error:
            log.warning("%s: %s rejected: %s", self.name, what, error)

    def _close(self) -> None:
        if self._adapter is not None:
            if self.lines.lost:
                log.warning("%s: %d lines of the console were dropped", self.name, self.lines.lost)
            self._adapter.close(self.exit_status)
            self._stored, self._error = self._handed, None
            self._save("closed", now=True)
        self._closed = True

    def _fail(self, error: Exception) -> None:
        log.warning("%s: %s", self.name, error, exc_info=not isinstance(error, PERMANENT))
        kind = "" if isinstance(error, PERMANENT) else f"{type(error).__name__}: "
        self._error = f"{kind}{error}".split("\n")[0][:200]

    def _save(self, state: str, now: bool = False) -> None:
        if not now and time.monotonic() - self._saved < SAVE:
            return
        self._saved = time.monotonic()
        item = {"rows": self._stored, "lines": self.lines.taken, "state": state, "error": self._error}
        if item == self._noted:
            return
        try:
            self._note.parent.mkdir(exist_ok=True)
            runs.replace_file(self._note, json.dumps(item) + "\n")
            self._noted = item
        except OSError as error:  # a full disk: what was recorded is still delivered
            log.warning("%s: %s", self._note, error)

    def _noted_lines(self) -> int:
        try:
            return int(json.loads(self._note.read_text(encoding="utf-8"))["lines"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0
