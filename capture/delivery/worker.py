"""One backend's thread: hands over what the run's folder has, and survives what the backend does."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs
from capture.delivery.adapter import Adapter, Gone
from capture.delivery.appended import Alerts, System
from capture.delivery.channels import BATCH, Channel, Config, Console, Rows
from capture.delivery.console_reader import ConsoleReader
from capture.delivery.files import Files
from capture.delivery.naming import Namer
from capture.delivery.rows import RowReader
from capture.errors import UserError
from capture.redaction import Redactor
from capture.runs import Run

PAUSE = 0.25  # seconds between two small batches
IDLE = 1.0  # seconds between two looks at how much is stored, while there is nothing new
SAVE = 1.0  # seconds between two notes of how far it is
MOST_WARNINGS = 20  # for rejected items, in the log
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds after an error
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
    offline: bool = False  # it is on this machine, to be sent later
    notes: Sequence[str] = ()  # on files


class Worker:
    """One backend's thread.  A daemon: a backend that hangs does not keep the process alive."""

    def __init__(
        self,
        name: str,
        make_adapter: Callable[[], Adapter],
        run: Run,
        folder: Path,
        make_namer: Callable[[], Namer],
    ) -> None:
        self.name = name
        self.exit_status: int | None = None
        self.woken = threading.Event()
        self.complete = threading.Event()
        self.thread = threading.Thread(target=self._work, name=f"delivery-{name}", daemon=True)
        self._make_adapter, self._make_namer = make_adapter, make_namer
        self._run, self._folder = run, folder
        self._redactor = Redactor(os.environ, run.settings.get("redact", []))
        self._note = folder / runs.DELIVERED / runs.note_name(name)
        self._saved = 0.0
        self._noted: dict[str, Any] = {}
        self._error: str | None = None
        self._closed = False
        self._reopened = 0
        self._begin()

    def _begin(self) -> None:
        """From the beginning of the folder, with a backend that is yet to be opened."""
        self._adapter: Adapter | None = None
        self._config = Config(self._folder)
        self._rows = Rows(RowReader(self._folder, self._make_namer()), self._config)
        self._system = System(self._folder)
        self._alerts = Alerts(self._folder, self._redactor)
        self._console: Console | None = None
        self._files = Files(self._folder, ())
        self._files_stored = 0  # that the backend holds for good
        self._channels: list[Channel] = []
        self._stored = 0  # records that the backend holds for good
        self._rejected_rows = self._rejected = 0

    def result(self) -> DeliveryResult:
        """How far this backend has got."""
        total = self._rows.total()
        error = self._error
        if error is None and not self._closed and total:
            error = "not finished in time"
        if error is None and self._rejected_rows:
            error = f"rows rejected by the backend: {self._rejected_rows}, see {runs.TRACKER_LOG}"
        delivered = max(0, self._stored - self._rejected_rows)
        offline = self._closed and self._offline()
        return DeliveryResult(self.name, delivered, total, error, self.links(), offline, self._files.notes())

    def links(self) -> list[str]:
        """Where this backend shows the run; nothing before it is open there."""
        adapter = self._adapter
        if adapter is None:
            return []
        try:
            return list(adapter.links())
        except Exception as problem:
            log.warning("%s: no links: %s", self.name, problem)
            return []

    def _work(self) -> None:
        pause, errors = FIRST_PAUSE, 0
        while True:
            complete = self.complete.is_set()  # asked before the files are read: nothing is added after
            self.woken.clear()
            try:
                moved = self._deliver(complete)
                if complete and not moved:
                    self._close()
                    return
                pause, errors = FIRST_PAUSE, 0
                if not moved:
                    self.woken.wait(IDLE)
                elif moved < BATCH:  # small batches cost a backend as much as large ones: let rows gather
                    self.complete.wait(PAUSE)
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

    def _deliver(self, complete: bool) -> int:
        """Hand over what is new.  Returns how many items that were."""
        adapter = self._adapter or self._open(complete)
        if adapter is None:
            return 0
        moved, told = 0, self._alerts.position
        for channel in self._channels:
            items = list(channel.next(complete))
            # A file may be large, and is nothing to be handed over twice because the next one fails.
            parts = [[item] for item in items] if channel is self._files else [items]
            for part in parts:
                self._hand_over(channel, adapter, part)
            moved += len(items)
        self._stored = max(self._stored, min(self._rows.position, adapter.stored()))
        if adapter.overrides("stored"):
            self._files_stored = self._files.position
        self._error = None
        self._save("open", now=self._alerts.position != told)  # nobody is to be told twice
        return moved

    def _open(self, complete: bool) -> Adapter | None:
        """Open the backend once there are metrics; the config before them belongs to the opening.

        A run without metrics may have files.
        """
        rows = self._rows.next(complete)
        if not rows and not (complete and self._files.next(complete)):
            return None
        first = rows[0].ordinal if rows else self._rows.position
        config = {**self._run.config, **self._config.before(first)}
        self._run = self._run._replace(config=config)
        adapter = self._make_adapter()
        self._rows.first = self._stored = adapter.open(self._run, self._folder)
        self._channels = [self._rows]
        note = self._read_note()
        held = adapter.files_held(note.get("files", 0))
        self._files, self._files_stored = Files(self._folder, adapter.shows, held), held
        noted = note if self._rows.first else {}
        if adapter.overrides("config"):
            self._channels.append(self._config)
        if adapter.overrides("system"):
            self._system = System(self._folder, noted.get("samples", 0))
            self._channels.append(self._system)
        if adapter.overrides("alerts"):
            self._alerts = Alerts(self._folder, self._redactor, noted.get("alerts", 0))
            self._channels.append(self._alerts)
        if adapter.overrides("console"):
            self._console = Console(ConsoleReader(self._folder, self._run.start), self._redactor)
            self._console.reader.skip(noted.get("lines", 0))
            self._channels.append(self._console)
        self._channels.append(self._files)
        self._adapter = adapter
        return adapter

    def _hand_over(self, channel: Channel, adapter: Adapter, items: Sequence[Any]) -> None:
        """Hand over items; of those that the backend rejects only the offending ones are lost."""
        if not items:
            return
        try:
            channel.hand_over(adapter, items)
        except PERMANENT:
            raise
        except REJECTED as error:
            if len(items) > 1:
                half = len(items) // 2
                self._hand_over(channel, adapter, items[:half])
                self._hand_over(channel, adapter, items[half:])
                return
            self._rejected += 1
            self._rejected_rows += channel is self._rows
            if self._rejected <= MOST_WARNINGS:
                log.warning("%s: %s rejected: %s: %.200r", self.name, channel.what, error, items[0])
        channel.done(len(items))

    def _close(self) -> None:
        if self._adapter is not None:
            if self._console and self._console.reader.lost:
                log.warning("%s: %d lines of the console were dropped", self.name, self._console.reader.lost)
            self._adapter.close(self.exit_status)
            self._stored, self._error = self._rows.position, None
            self._files_stored = self._files.position
            self._save("offline" if self._offline() else "closed", now=True)
        self._closed = True

    def _offline(self) -> bool:
        return self._adapter is not None and self._adapter.kept_offline()

    def _fail(self, error: Exception) -> None:
        log.warning("%s: %s", self.name, error, exc_info=not isinstance(error, PERMANENT))
        kind = "" if isinstance(error, PERMANENT) else f"{type(error).__name__}: "
        self._error = self._redactor.text(f"{kind}{error}".split("\n")[0])[:200]

    def _save(self, state: str, now: bool = False) -> None:
        """Note how far this backend is, every SAVE seconds or `now`."""
        if not now and time.monotonic() - self._saved < SAVE:
            return
        self._saved = time.monotonic()
        item = {
            "rows": self._stored,
            "lines": self._console.position if self._console else 0,
            "samples": self._system.position,
            "files": self._files_stored,
            "alerts": self._alerts.position,
            "state": state,
            "error": self._error,
        }
        if item == self._noted:
            return
        try:
            self._note.parent.mkdir(exist_ok=True)
            runs.replace_file(self._note, json.dumps(item) + "\n")
            self._noted = item
        except OSError as error:  # a full disk: what was recorded is still delivered
            log.warning("%s: %s", self._note, error)

    def _read_note(self) -> dict[str, int]:
        """The positions of an earlier delivery to this backend."""
        try:
            item = runs.read_object(self._note)
            return {key: int(item.get(key, 0)) for key in ("lines", "samples", "alerts", "files")}
        except (OSError, ValueError, TypeError):
            return {}
