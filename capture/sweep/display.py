"""What a terminal shows while a sweep runs: one table that is drawn anew; elsewhere a line for each event."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from capture.page.text_table import fitted, shown, width_of
from capture.printing import plain, steer
from capture.sweep.study import Result, Study
from capture.sweep.summary import EARLY, FAILED, FINISHED, RUNNING, Line, Standing, columns, standing, value
from capture.sweep.worker import Event
from capture.tracker.closing import clock

INTERVAL = 0.5  # seconds between two drawings
FEWEST = 2  # rows of the table, however low the terminal is
_CLEAR_LINE, _CLEAR_BELOW, _HIDE, _SHOW = "\x1b[K", "\x1b[J", "\x1b[?25l", "\x1b[?25h"
_COLOURS = {RUNNING: "\x1b[36m", EARLY: "\x1b[33m", FAILED: "\x1b[31m"}
_STYLE = re.compile(r"\x1b\[\d*m")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Lines:
    """For a pipe or a file: a line for each event."""

    def __init__(self, study: Study, file: Any) -> None:
        self._study, self._file = study, file
        self._best: float | None = None

    def tell(self, event: Event) -> None:
        """Print what has happened."""
        words = [f"trial {event.number} {event.kind}"]
        if event.kind == "started":
            words.append(" ".join(f"{name}={value(item)}" for name, item in event.values.items()))
        else:
            metric = self._study.definition.file.metric
            name = metric.name if metric is not None else self._study.guess() or ""
            if event.result.best is not None and name:
                words.append(f"{name} {shown(event.result.best)}{self._comparison(event)}")
            if event.result.reason:
                words.append(event.result.reason)
            words.append(f"{clock(event.seconds)}")
        print(": ".join((words[0], ", ".join(words[1:]))), file=self._file, flush=True)

    def draw(self, text: str = "") -> None:
        """Nothing: each event has its line."""

    def close(self) -> None:
        """Nothing is open."""

    def _comparison(self, event: Event) -> str:
        found, metric = event.result.best, self._study.definition.file.metric
        if metric is None or found is None or event.kind not in (FINISHED, EARLY):
            return ""
        sign = -1 if metric.maximize else 1
        if self._best is None or sign * found < sign * self._best:
            self._best = found
            return " (best so far)"
        return ""


class Table:
    """For a terminal: a table that stays in its place, and below it the state of the sweep."""

    def __init__(
        self, study: Study, file: Any, note: Callable[[], str], live: Callable[[], Mapping[int, Result]]
    ) -> None:
        """Show it on the terminal `file`, with the line `note()` below, and what `live()` knows better."""
        self._study, self._file, self._note, self._live = study, file, note, live
        self._drawn: list[int] = []  # the width of each line
        self._next = 0.0
        self._started = time.monotonic()

    def tell(self, event: Event) -> None:
        """Draw soon: something has happened."""
        self._next = 0.0

    def draw(self) -> None:
        """Draw the table anew, if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        size = shutil.get_terminal_size()
        lines = self._text(standing(self._study, self._live()), size.columns - 1, max(FEWEST, size.lines - 4))
        body = "".join(f"{line}{_CLEAR_LINE}\r\n" for line in lines)
        steer(self._file, f"{_HIDE}{self._back(size.columns)}{body}{_CLEAR_BELOW}{_SHOW}")
        self._drawn = [width_of(_STYLE.sub("", line)) for line in lines]

    def close(self) -> None:
        """Take the table away: what comes at the end is printed in its place."""
        steer(self._file, f"{self._back(shutil.get_terminal_size().columns)}{_CLEAR_BELOW}")
        self._drawn = []

    def _back(self, width: int) -> str:
        """The way back to the table's first line: a terminal that was made narrower has wrapped its lines."""
        height = sum(max(1, -(-drawn // width)) for drawn in self._drawn)
        return f"\x1b[{height}A\r" if height else "\r"

    def _text(self, now: Standing, width: int, height: int) -> list[str]:
        chosen = choose(now, height)
        lines: list[str] = []
        if chosen:
            table, _ = fitted(columns(chosen, now), width)
            lines = [f"{_BOLD}{cut(table[0], width)}{_PLAIN}"]
            for line, text in zip(chosen, table[1:], strict=True):
                colour = _BOLD if line == now.best else _COLOURS.get(line.state, "")
                lines.append(f"{colour}{cut(text, width)}{_PLAIN if colour else ''}")
        left_out = len(now.lines) - len(chosen)
        total = "" if now.total is None else f" of {now.total}"
        more = f"; {left_out} not shown" if left_out > 0 else ""
        elapsed = clock(time.monotonic() - self._started)
        lines.append(cut(f"{len(now.lines)}{total} trials: {now.counts()}{more}; {elapsed}", width))
        if note := self._note():
            lines.append(cut(note, width))
        return lines


def choose(now: Standing, height: int) -> list[Line]:
    """The trials that are shown where not all have a place: those that run, the best, the newest others."""
    if len(now.lines) <= height:
        return now.lines
    running = [line for line in now.lines if line.state == RUNNING][:height]
    room = height - len(running)
    best = now.ranked[: max(room * 2 // 3, 1)] if room else []
    rest = [line for line in now.lines if line not in running and line not in best]
    newest = rest[len(rest) - (room - len(best)) :] if room > len(best) else []
    return sorted([*running, *best, *newest])


def cut(text: str, width: int) -> str:
    """The text as far as it fits, without what would steer the terminal."""
    text = plain(text)
    if width_of(text) <= width:
        return text
    kept = ""
    for letter in text:
        if width_of(kept) + width_of(letter) > width - 1:
            break
        kept += letter
    return f"{kept}…"


def best_lines(now: Standing, most: int) -> Sequence[Line]:
    """The trials of the table at the end: all if they are few, else the best."""
    if len(now.lines) <= most:
        ranked = now.ranked
        return [*ranked, *(line for line in now.lines if line not in ranked)]
    return now.ranked[:most]
