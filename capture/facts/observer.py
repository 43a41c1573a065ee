"""Watches the load while the command runs: a sample every so many seconds, into `system.jsonl`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from capture import runs

FIRST_LOOK = 1.0  # seconds; what is over sooner is not watched, and what watches is not even imported


class Observer:
    """Samples a run's load; `interval` is in seconds, 0 switches it off.  `notes` are for the user."""

    def __init__(self, folder: Path, run: runs.Run, interval: float) -> None:
        self.notes: list[str] = []
        self._path = folder / runs.SYSTEM
        self._pid = run.pid if runs.is_alive(folder, run) and run.command else None
        self._interval = interval
        self._sampler: Any = None  # made when it is needed: its module is slow to import
        self._due = time.monotonic() + FIRST_LOOK

    def look(self) -> bool:
        """Take a sample, if it is time for one.  Returns whether there is a new one."""
        if not self._interval or time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + self._interval
        try:
            if self._sampler is None:
                from capture.facts.system import Sampler  # slow

                self._sampler = Sampler(self._pid)
                self._due = time.monotonic() + self._interval - FIRST_LOOK
                return False
            sample = self._sampler.sample()
            self.notes = self._sampler.gpus.notes
            with self._path.open("a", encoding="utf-8") as file:
                values = {name: round(value, 4) for name, value in sample.values.items()}
                file.write(json.dumps({"time": sample.time, **values}) + "\n")
        except Exception as error:  # whatever a system can't tell: the metrics matter more
            self.notes = [f"the load is not watched: {error}"]
            self._interval = 0
            return False
        return True
