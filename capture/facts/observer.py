"""Watches the load while the command runs: early, every so many seconds and at the end; in `system.jsonl`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from capture import runs
from capture.records import SystemSample

FIRST_LOOK = 0.5  # seconds; what is over sooner is not watched, and what watches is not even imported
FIRST_SAMPLE = 0.5  # seconds after it: rates and shares need two looks
SHORTEST = 0.2  # seconds that the last sample speaks for


class Observer:
    """Samples a run's load; `interval` is in seconds, 0 switches it off.  `notes` are for the user.

    A run that has ended is not watched: it is replayed, or delivered later.
    """

    def __init__(self, folder: Path, run: runs.Run, interval: float) -> None:
        alive = runs.is_alive(folder, run)
        self.notes: list[str] = []
        self.sample: SystemSample | None = None  # the last one
        self._path = folder / runs.SYSTEM
        self._pid = run.pid if alive and run.command else None
        self._interval = interval if alive else 0
        self._sampler: Any = None  # made when it is needed: its module is slow to import
        self._due = time.monotonic() + FIRST_LOOK
        self._sampled = 0.0

    def look(self) -> bool:
        """Take a sample, if it is time for one.  Returns whether there is a new one."""
        if not self._interval or time.monotonic() < self._due:
            return False
        return self._try()

    def finish(self) -> None:
        """Take the last sample, of what there was since the one before; called again it does nothing."""
        if self._interval and self._sampler is not None and time.monotonic() > self._sampled + SHORTEST:
            self._try()
        self._interval = 0

    def _try(self) -> bool:
        try:
            return self._look()
        except Exception as error:  # whatever a system can't tell: the metrics matter more
            self.notes = [f"the load is not watched: {error}"]
            self._interval = 0
            return False

    def _look(self) -> bool:
        self._sampled = time.monotonic()
        if self._sampler is None:
            from capture.facts.system import Sampler  # slow

            by_door = self._pid is not None and self._pid != os.getppid()  # no relay has started us
            self._sampler = Sampler(self._pid, itself=by_door)
            self._due = time.monotonic() + FIRST_SAMPLE
            return False
        self._due = self._sampled + self._interval
        sample = self.sample = _of_the_living(self._sampler.sample())
        self.notes = self._sampler.gpus.notes
        with self._path.open("a", encoding="utf-8") as file:
            values = {name: round(value, 4) for name, value in sample.values.items()}
            file.write(json.dumps({"time": sample.time, **values}) + "\n")
        return True


def _of_the_living(sample: SystemSample) -> SystemSample:
    """Without the command's own figures where it has ended: they would say that it did nothing."""
    if sample.values.get("process/count") != 0:
        return sample
    values = {name: value for name, value in sample.values.items() if not name.startswith("process/")}
    return SystemSample(sample.time, values)
