"""Looks, beside the command, for files that its rules name, and notes each version once it is whole."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs
from capture.files import finding, history, keeping, whole
from capture.files.queue import Queue
from capture.files.rules import Rule, of_settings
from capture.files.whole import State
from capture.records import Row
from capture.redaction import Redactor

PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two looks ...
SHARE = 20  # ... and at least so many times as long as a look takes
MOST_VERSIONS = 1_000  # of one rule
CLOCK = 0.1  # seconds by which a file system's clock may be behind
AFTER_END = 2.0  # seconds after the end of a run in which what is written is still its own
MOST_NOTES = 10
MOST_NAMES = 6  # in the line on what is kept
KEYS = {"file": "artifacts", "table": "tables", "image": "images", "plot": "plots"}

log = logging.getLogger(__name__)


class _Place(NamedTuple):
    """A file and the rule that it fits."""

    rule: int
    path: str


class Collector:
    """The files of one run.  Without rules it does nothing.

    A file counts that appears or changes during the run.  A run that is over is looked at once, at what was
    written while it went on.
    """

    def __init__(self, folder: Path, run: runs.Run, redactor: Redactor, noted: Callable[[], None]) -> None:
        """`noted` is called when there is a new entry."""
        self.rules = of_settings(run.settings)
        self.history = history.History(self.rules)
        self.complete = not self.rules  # everything has been looked at, after the command's end
        self._folder, self._run, self._noted = folder, run, noted
        self._queue, self._redactor = Queue(folder, redactor), redactor
        self._alive = runs.is_alive(folder, run)
        self._thread = threading.Thread(target=self._work, name="files", daemon=True)
        self._ended, self._stopped = threading.Event(), threading.Event()
        self._seen: dict[_Place, tuple[State, float]] = {}  # and when, on the monotonic clock
        self._known: dict[_Place, State | float] = {}  # as noted; by an earlier tracker: when it was modified
        self._digests: dict[_Place, str] = {}
        self._metadata: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._counts = [0] * len(self.rules)
        self._unchanged: set[int] = set()  # rules that fit something that was there before
        self._full: set[int] = set()  # rules that fit too much
        self._failed: dict[_Place, str] = {}  # why the version that is there can't be kept
        self._notes: dict[str, str] = {}  # by what they are about
        self._before: dict[tuple[Any, ...], dict[str, Any]] = {}

    def start(self) -> None:
        """Begin to look."""
        if self.rules:
            self._remember()
            self._thread.start()

    def add(self, row: Row) -> None:
        """The next row of the run."""
        self.history.add(row)

    def finish(self, run: runs.Run) -> None:
        """Look a last time, at the run as it ended, and wait for that.

        Called again after an interruption it stops where it is.
        """
        self._run = run
        if not self.rules or self.complete:
            return
        if self._ended.is_set():
            self._stopped.set()
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(0.2 if self._stopped.is_set() else None)

    def notes(self) -> list[str]:
        """What a user should know, in lines of the closing block."""
        notes = self._kept() + [f"{about}: {text}" for about, text in self._notes.items()]
        if more := len(notes) - MOST_NOTES:
            notes = [*notes[:MOST_NOTES], f"and {more} more notes on files"] if more > 0 else notes
        if not self.complete:
            notes.append("files were still being read when the time was over; capture sync reads the rest")
        return notes

    def _kept(self) -> list[str]:
        """A line on what the run has now: names, and how many versions there are of each."""
        counts = Counter(str(item.get("name")) for item in self._queue.entries())
        if not counts:
            return []
        names = [name if count == 1 else f"{name} ({count} versions)" for name, count in counts.items()]
        more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
        return [f"kept: {', '.join(names[:MOST_NAMES])}{more}"]

    def _remember(self) -> None:
        """What a tracker before has noted of this run."""
        for item in self._queue.entries():
            key = (str(item.get("kind")), str(item.get("name")))
            if isinstance(item.get("metadata"), dict):
                self._metadata.setdefault(key, []).append(item["metadata"])
            source = item.get("source") or item.get("path")
            self._before[item.get("kind"), item.get("type"), item.get("name"), source] = item

    def _work(self) -> None:
        if not self._alive:
            self._ended.wait()  # when it ended is known then
        while True:
            ended = self._ended.is_set()
            begin = time.monotonic()
            try:
                self._look(ended)
            except Exception as error:  # whatever a file system does: the metrics matter more
                log.warning("files: %s", error, exc_info=True)
                self._notes["files"] = str(error)
            if ended:
                self._note_missing()
                self.complete = not self._stopped.is_set()
                return
            self._ended.wait(min(LONGEST_PAUSE, max(PAUSE, SHARE * (time.monotonic() - begin))))

    def _look(self, ended: bool) -> None:
        """Note what is whole now; at the end everything."""
        waiting = [found for number in range(len(self.rules)) for found in self._fitting(number, ended)]
        if not waiting:
            return
        written = set() if ended else whole.being_written(self._run.pid)
        for place, state in waiting:
            if self._stopped.is_set():
                return
            if os.path.realpath(self._absolute(place.path)) not in written:
                self._take(place, state)

    def _fitting(self, number: int, ended: bool) -> Iterator[tuple[_Place, State]]:
        """What fits a rule and is to be noted now."""
        rule, room = self.rules[number], MOST_VERSIONS - self._counts[number]
        if number in self._full:
            return
        try:
            for path in finding.find(rule, self._run.cwd):
                if self._stopped.is_set():
                    return
                if self._is_own(path) or (state := self._changed(_Place(number, path), ended)) is None:
                    continue
                if not room:
                    self._full.add(number)
                    text = f"fits more than {MOST_VERSIONS:,} files; the first {MOST_VERSIONS:,} are kept"
                    self._notes[_title(rule)] = text
                    return
                room -= 1
                yield _Place(number, path), state
        except finding.TooMany:
            text = f"there are more than {finding.MOST_ENTRIES:,} files and folders to look through"
            self._notes[_title(rule)] = text
        except finding.LeadsOut:
            self._notes[_title(rule)] = "leads out of the command's folder; options such as --save may"

    def _changed(self, place: _Place, ended: bool) -> State | None:
        """The state of a file that is to be noted now; None if nothing is new, or it is still changing."""
        rule = self.rules[place.rule]
        path = self._absolute(place.path)
        if rule.kind != "file" and os.path.isdir(path):
            return None
        state = whole.state_of(path)
        if state is None or self._is_known(place, state, path):
            return None
        if not self._is_of_the_run(state) and not (rule.existing and ended):
            self._unchanged.add(place.rule)
            return None
        now = time.monotonic()
        seen, since = self._seen.get(place, (None, now))
        if seen != state:
            self._seen[place] = (state, now)
            since = now
        settled = now - since >= whole.SETTLED
        at_once = state.renamed and not rule.aliases  # the line with the metric may be printed after it
        return state if ended or settled or at_once else None

    def _is_known(self, place: _Place, state: State, path: str) -> bool:
        known = self._known.get(place)
        if known is None:
            rule = self.rules[place.rule]
            name = self._redactor.text(rule.name_of(place.path))
            item = self._before.pop((rule.kind, rule.type_of(place.path), name, path), None)
            if item is None:
                return False
            self._counts[place.rule] += 1
            self._digests[place] = str(item.get("digest"))
            known = self._known[place] = item.get("modified") or 0.0
        return state == known if isinstance(known, State) else state.modified / 1e9 == known

    def _is_of_the_run(self, state: State) -> bool:
        """Whether it appeared or changed while the run went on."""
        if max(state.modified, state.changed) / 1e9 < self._run.start - CLOCK:
            return False
        return self._alive or self._run.end is None or state.modified / 1e9 <= self._run.end + AFTER_END

    def _is_own(self, path: str) -> bool:
        """Whether it lies among the runs."""
        return self._absolute(path).startswith(f"{self._folder.parent.parent}{os.sep}")

    def _take(self, place: _Place, state: State) -> None:
        rule, path = self.rules[place.rule], self._absolute(place.path)
        try:
            kept = keeping.keep(rule, place.path, path, state, self._folder, self._stopped.is_set)
            if kept is None:
                return
            if whole.state_of(path) != state:
                if self._ended.is_set():
                    self._failed[place] = "still being written when the run ended, so it is not kept"
                return
            if self._digests.get(place) != kept.item["digest"]:
                self._add(rule, place, kept.item)
        except FileNotFoundError:
            return  # gone since
        except keeping.CannotKeep as error:
            self._failed[place] = str(error)  # until it changes: a table may have its header only, yet
        except OSError as error:
            self._failed[place] = error.strerror or str(error)
        else:
            self._failed.pop(place, None)
            if kept.notes:
                self._notes[place.path] = "; ".join(kept.notes)
            else:
                self._notes.pop(place.path, None)
        self._known[place] = state

    def _add(self, rule: Rule, place: _Place, item: dict[str, Any]) -> None:
        if rule.kind == "file":
            earlier = self._metadata.setdefault((rule.kind, item["name"]), [])
            metadata = self.history.at(item["modified"])
            item = {**item, "aliases": history.aliases(rule, metadata, earlier), "metadata": metadata}
            earlier.append(metadata)
        self._queue.add(item)
        self._counts[place.rule] += 1
        self._digests[place] = item["digest"]
        self._noted()

    def _note_missing(self) -> None:
        """Say of what fits nothing, or can't be kept."""
        for place, why in self._failed.items():
            self._notes[place.path] = why
        failed = {place.rule for place in self._failed}
        for number, rule in enumerate(self.rules):
            if self._counts[number] or number in failed or _title(rule) in self._notes:
                continue
            there = number in self._unchanged
            text = (
                "was there before the run and has not changed, so it is not kept" if there else "no such file"
            )
            self._notes[_title(rule)] = text

    def _absolute(self, path: str) -> str:
        return os.path.join(self._run.cwd, path)


def _title(rule: Rule) -> str:
    return f"{KEYS[rule.kind]}: {rule.pattern}"
