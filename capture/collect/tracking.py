"""The thread that parses what was recorded of many runs, and has it delivered.

At most MOST_LIVE runs are parsed while they go on; the others are when one of those is silent, or at their
end: the recording is the run.  At most `slots` runs have a connection to their backends at a time, in turns.
A backend that is slow or dead holds up what is delivered, never what is received or parsed.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from capture import runs
from capture.collect.members import Member
from capture.parsing.engine import Engine
from capture.redaction import Redactor
from capture.tracker.tracker import Tracker

MOST_LIVE = 500  # runs that are parsed while they go on: a tenth of a megabyte each
SILENT = 5.0  # seconds after which a run gives its place to another
TURN = 3.0  # seconds that a run is connected to its backends while others wait
TICK = 0.2  # seconds between two looks at who waits
CLOSERS = 3  # runs that are closed at their backends at the same time
MOST_CLOSING = 64  # runs that wait for that, after which others that have ended are not parsed yet

log = logging.getLogger(__name__)


class Live:
    """A run that is being parsed."""

    def __init__(self, member: Member, tracker: Tracker) -> None:
        self.member, self.tracker = member, tracker
        self.seen = time.monotonic()  # when it last had something new
        self.since = 0.0  # when it was connected to its backends; 0: it is not
        self.parting: Future[object] | None = None  # while it gives up its connection
        self.delivered = 0  # records when it last gave up its connection

    @property
    def wants_delivery(self) -> bool:
        """Whether there is something to deliver and no connection."""
        return not self.since and self.tracker.ordinal > self.delivered


class Tracking:
    """Parses and delivers runs in a thread of its own."""

    def __init__(self, like: Engine, slots: int, wait: float) -> None:
        """`like` has the parsers; `wait` is for how many seconds nothing may move at the end."""
        self.ended = self.delivered = (
            0  # runs that have come to their end, and those that are at their backends
        )
        self._like, self._slots, self._wait = like, slots, wait
        self._redactor = Redactor(os.environ)
        self._news: queue.SimpleQueue[Member | None] = queue.SimpleQueue()
        self._live: OrderedDict[str, Live] = OrderedDict()  # the longest silent first
        self._waiting: OrderedDict[str, Member] = OrderedDict()  # runs without a place
        self._connected: OrderedDict[str, Live] = OrderedDict()
        self._closing: set[Future[object]] = set()
        self._pool = ThreadPoolExecutor(CLOSERS, "closing")
        self._deadline = float("inf")
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell(self, member: Member) -> None:
        """Say that something was recorded of a run, or that it has ended."""
        self._news.put(member)

    def finish(self) -> bool:
        """Everything was recorded: parse it all, and give the backends the time they have.

        Returns whether everything was delivered.
        """
        self._deadline = time.monotonic() + self._wait
        self._news.put(None)
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        return self.delivered == self.ended

    def _work(self) -> None:
        ticked, going_on = time.monotonic(), True
        while going_on or self._closing or self._waiting:
            try:
                member = self._news.get(timeout=TICK)
                going_on = going_on and member is not None
                if member is not None:
                    member.told = False  # before its recording is read: what comes now is told again
                    self._guarded(member)
            except queue.Empty:
                pass
            if time.monotonic() >= ticked + TICK:
                ticked = time.monotonic()
                self._tick()
            if not going_on and time.monotonic() > self._deadline + 1.0:
                self.ended += len(self._waiting)
                break

    def _guarded(self, member: Member) -> None:
        try:
            self._take(member)
        except Exception as error:  # one run's folder was removed, or its disk is full: the others go on
            log.warning("%s: %s", member.path, error, exc_info=True)
            self._live.pop(member.path, None)
            self._connected.pop(member.path, None)

    def _take(self, member: Member) -> None:
        """Parse what is new of a run."""
        live = self._live.get(member.path)
        if live is None:
            if not self._has_place(member):
                self._waiting[member.path] = member
                if member.ended:  # it needs a place for a moment only
                    self._waiting.move_to_end(member.path, last=False)
                return
            live = self._begin(member)
        live.seen = time.monotonic()
        self._live.move_to_end(member.path)
        live.tracker.take_new()
        if member.ended:
            self._end(live)
        else:
            self._connect(live)

    def _has_place(self, member: Member) -> bool:
        if member.ended:
            return len(self._closing) < MOST_CLOSING
        return len(self._live) < MOST_LIVE or self._make_place()

    def _begin(self, member: Member) -> Live:
        self._waiting.pop(member.path, None)
        folder = Path(member.path)
        tracker = Tracker(folder, runs.read(folder), self._redactor, self._like)
        live = self._live[member.path] = Live(member, tracker)
        return live

    def _make_place(self) -> bool:
        """Put the longest silent run aside; if it goes on, its recording is read again."""
        live = next(iter(self._live.values()), None)
        if live is None or time.monotonic() - live.seen < SILENT or live.since or live.parting:
            return False
        self._live.pop(live.member.path)
        live.tracker.close()
        return True

    def _connect(self, live: Live) -> None:
        """Connect a run to its backends, if there is something to deliver and a slot is free."""
        if live.wants_delivery and not live.parting and len(self._connected) < self._slots:
            live.since = time.monotonic()
            live.tracker.deliver()
            self._connected[live.member.path] = live

    def _tick(self) -> None:
        """Let runs take turns, with their places and with their connections."""
        now = time.monotonic()
        self._closing = {future for future in self._closing if not future.done()}
        for live in self._live.values():
            if live.parting and live.parting.done():
                live.parting = None
        wanting = [live for live in self._live.values() if live.wants_delivery]
        for live in [*self._connected.values()][: len(wanting)]:
            if now - live.since >= TURN:
                self._part(live)
        for live in wanting:
            self._connect(live)
        for live in self._connected.values():
            if now >= live.tracker.status_due:
                live.tracker.refresh_status()
        while self._waiting and self._has_place(next(iter(self._waiting.values()))):
            self._guarded(self._waiting.popitem(last=False)[1])

    def _part(self, live: Live) -> None:
        """Give up a run's connection; the next one goes on where this one was."""
        self._connected.pop(live.member.path)
        live.since, live.delivered = 0.0, live.tracker.ordinal
        live.tracker.refresh_status()
        live.parting = self._pool.submit(live.tracker.delivery.finish, None, self._wait)

    def _end(self, live: Live) -> None:
        """A run has ended: what was held back is read, and the rest delivered."""
        self._live.pop(live.member.path)
        self._connected.pop(live.member.path, None)
        self.ended += 1
        live.tracker.complete_records()
        live.tracker.status("delivering")
        self._closing.add(self._pool.submit(self._close, live))

    def _close(self, live: Live) -> None:
        """In a thread of the pool: deliver a run to its end."""
        tracker = live.tracker
        try:
            if live.parting:
                live.parting.result()
            left = min(self._wait, max(0.0, self._deadline - time.monotonic()))
            if not live.since and left:
                tracker.deliver()
            tracker.finish(left)
            tracker.status("done")
            if not tracker.ordinal or all(_is_closed(tracker.folder, name) for name in tracker.run.to):
                with self._lock:
                    self.delivered += 1
                    if self._deadline < float("inf"):
                        self._deadline = time.monotonic() + self._wait
        except Exception as error:
            log.warning("%s: %s", live.member.path, error, exc_info=True)
        finally:
            tracker.close()


def _is_closed(folder: Path, backend: str) -> bool:
    """Whether a backend has the whole run: what its worker has noted is the truth."""
    try:
        state = runs.read_object(folder / runs.DELIVERED / runs.note_name(backend)).get("state")
    except (OSError, ValueError):
        return False
    return state in ("closed", "offline")
