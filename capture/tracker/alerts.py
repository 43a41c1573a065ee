"""Feeds the rules of a run with what happens, and keeps and carries out what they say.

An alert is in `alerts.jsonl` before anything is done about it: a tracker that is killed meanwhile and started
again does nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.errors import did_you_mean
from capture.records import Row, SystemSample, said
from capture.redaction import Redactor
from capture.runs.recording import Chunk
from capture.tracker import requests
from capture.watch import rules
from capture.watch.actions import Actions, Told
from capture.watch.rule_language import parse
from capture.watch.watcher import Alert, Watched, Watcher

MOST_NOTES = 10  # lines of the closing block
MOST_NAMES = 8  # in such a line
LEVELS = ("info", "warn", "error")
TICK = 1.0  # seconds between two looks at the clock


class Alerts:
    """The alerts of one run."""

    def __init__(self, folder: Path, run: runs.Run, redactor: Redactor) -> None:
        self._rules = rules.of_settings(run.settings)
        self._run = run
        self._on_alert: Mapping[str, Any] = run.settings.get("on_alert") or {}
        self._actions = Actions(run.cwd, str(folder))
        self._alive = runs.is_alive(folder, run)
        self._live = requests.is_open()  # also where the command has ended before the tracker was there
        self._redactor = redactor
        self._path = folder / runs.ALERTS
        fired, end = runs.read_lines(self._path)
        again = (folder / runs.STATUS).exists()  # a tracker before this one has told of what is there
        self._read_to = end if again else 0
        samples = [
            SystemSample(float(item.pop("time", 0)), item)
            for item in runs.read_lines(folder / runs.SYSTEM)[0]
        ]
        watched = [Watched(parse(rule.when), rule.every) for rule in self._rules]
        self._watcher = Watcher(watched, run.start, fired, samples)
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
            self._read_own()
            if self._heard is None:
                self._heard, self._last = now, max(self._last, time.time())
            self._take(self._watcher.tick(min(time.time(), self._last + now - self._heard)))

    def finish(self) -> None:
        """The run has ended: wait for those who are still being told."""
        if self._live:
            self._read_own()
            self._actions.finish()

    def notes(self, metrics: Collection[str]) -> list[str]:
        """The lines of the closing block; what it says of a loss by itself is left out.

        `metrics` are those of the whole run: a rule that names none of them is said, it may be misspelt.
        """
        fired, _ = runs.read_lines(self._path)
        shown = [item for item in fired if item.get("rule") != rules.DEFAULTS[0]]
        lines = [f"alert: {said(told.title, told.text)}{_place(told)}" for told in map(self._told, shown)]
        more = len(lines) - MOST_NOTES
        also = [f"and {more} more alerts: {self._path.name}"] if more > 0 else []
        missing = [note for rule in self._rules for note in self._missing(rule.when, metrics)]
        return [*lines[:MOST_NOTES], *also, *missing, *self._actions.notes]

    def _missing(self, when: str, metrics: Collection[str]) -> list[str]:
        if not metrics or when in rules.DEFAULTS:
            return []
        known = dict.fromkeys(name for metric in metrics for name in (metric, metric.rpartition("/")[2]))
        listed = ", ".join(list(metrics)[:MOST_NAMES]) + ", ..." * (len(metrics) > MOST_NAMES)
        return [
            f"{self._redactor.text(when)}: no metric was called {name!r}; "
            + did_you_mean(name, known, f"there were {listed}")
            for name in parse(when).missing(metrics)
        ]

    def _take(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            rule = self._rules[alert.place]
            stops = rule.stop and self._alive and bool(self._run.command)
            item = {**alert._asdict(), "text": self._redactor.text(alert.text)}
            item |= {"title": rule.when, "level": rule.level, "stop": stops}
            runs.append_line(self._path, item)
            if stops:
                requests.ask_to_stop(rule.grace, rule.when)
            if self._live:
                self._actions.start(rule._asdict(), self._told(item))
                self._actions.start(self._on_alert, self._told(item))

    def _read_own(self) -> None:
        """Tell others of what the program itself has added."""
        fired, self._read_to = runs.read_lines(self._path, self._read_to)
        for item in fired:
            if "rule" not in item:
                self._actions.start(self._on_alert, self._told(item))

    def _told(self, item: Mapping[str, Any]) -> Told:
        text = self._redactor.text
        level = item.get("level")
        return Told(
            title=text(str(item.get("title") or item.get("rule", ""))),
            text=text(str(item.get("text", ""))),
            level=level if level in LEVELS else "warn",
            time=float(item.get("time") or time.time()),
            step=item.get("step"),
            epoch=item.get("epoch"),
            project=self._run.project,
            run=self._run.name,
            run_id=self._run.id,
            host=self._run.host,
        )


def _place(told: Told) -> str:
    if told.step is not None:
        return f" (step {told.step})"
    return f" (epoch {told.epoch:g})" if told.epoch is not None else ""
