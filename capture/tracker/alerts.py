"""Feeds the rules of a run with what happens, and keeps and carries out what they say.

An alert is in `alerts.jsonl` before anything is done about it: a tracker that is killed meanwhile and started
again does nothing twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.records import Row, SystemSample
from capture.redaction import Redactor
from capture.runs.recording import Chunk
from capture.tracker.requests import ask_to_stop
from capture.watch import rules
from capture.watch.rule_language import parse
from capture.watch.watcher import Alert, Watched, Watcher

MOST_NOTES = 10  # lines of the closing block
TICK = 1.0  # seconds between two looks at the clock


class Alerts:
    """The alerts of one run."""

    def __init__(self, folder: Path, run: runs.Run, redactor: Redactor) -> None:
        self._rules = rules.of_settings(run.settings)
        self._alive = runs.is_alive(folder, run)
        self._can_stop = self._alive and bool(run.command)
        self._redactor = redactor
        self._path = folder / runs.ALERTS
        self._fired = _read(self._path)
        samples = [SystemSample(float(item.pop("time", 0)), item) for item in _read(folder / runs.SYSTEM)]
        watched = [Watched(parse(rule.when), rule.every) for rule in self._rules]
        self._watcher = Watcher(watched, run.start, self._fired, samples)
        self._heard: float | None = None  # when the last output was read, on the monotonic clock
        self._last = run.start  # when it was printed, in Unix seconds
        self._looked = 0.0

    def row(self, row: Row) -> None:
        """The next row."""
        self._take(self._watcher.row(row))

    def chunk(self, chunk: Chunk, now: float | None) -> None:
        """The next chunk of the console, printed at `now` (Unix seconds)."""
        self._heard, self._last = time.monotonic(), now or self._last
        self._take(self._watcher.output(chunk.data, chunk.offset, chunk.stream, now))

    def sample(self, sample: SystemSample) -> None:
        """The next sample of the load."""
        self._take(self._watcher.sample(sample))

    def tick(self) -> None:
        """All that was printed has been read: time passes.

        A machine that sleeps is not silent: the time counts that its clock has run since the last output.
        """
        now = time.monotonic()
        if self._alive and now >= self._looked + TICK:
            self._looked = now
            if self._heard is None:
                self._heard, self._last = now, max(self._last, time.time())
            self._take(self._watcher.tick(min(time.time(), self._last + now - self._heard)))

    def notes(self) -> list[str]:
        """The lines of the closing block; what it says of a loss by itself is left out."""
        shown = [item for item in self._fired if item.get("rule") != rules.DEFAULTS[0]]
        lines = [f"alert: {item.get('text')}{_place(item)}" for item in shown]
        more = len(lines) - MOST_NOTES
        return lines[:MOST_NOTES] + ([f"and {more} more alerts: {self._path.name}"] if more > 0 else [])

    def _take(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            rule = self._rules[alert.place]
            stops = rule.stop and self._can_stop
            item = {**alert._asdict(), "text": self._redactor.text(alert.text)}
            item |= {"level": rule.level, "stop": stops}
            self._fired.append(item)
            _append(self._path, item)
            if stops:
                ask_to_stop(rule.grace, rule.when)


def _place(item: Mapping[str, Any]) -> str:
    if item.get("step") is not None:
        return f" (step {item['step']})"
    return f" (epoch {item['epoch']:g})" if item.get("epoch") is not None else ""


def _append(path: Path, item: Mapping[str, Any]) -> None:
    """Add a line in one write: the program itself adds its alerts to the same file."""
    line = json.dumps(item, ensure_ascii=False) + "\n"
    with path.open("ab+") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line  # a tracker before was killed in the middle
        file.write(line.encode())


def _read(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of JSON lines; torn lines are left out."""
    found = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if isinstance(item, dict):
            found.append(item)
    return found
