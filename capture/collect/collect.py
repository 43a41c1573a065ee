"""Reads a stream of many, records each member's lines in a run of its own, and notes how far it is."""

from __future__ import annotations

import glob
import json
import os
import re
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from capture import runs
from capture.collect.keys import Line
from capture.collect.members import Member, Members
from capture.collect.tracking import Tracking
from capture.relay.follow import Tail

FLUSH = 0.25  # seconds for which lines are gathered before they are written
MOST_GATHERED = 4 << 20  # bytes of all members
LOOK = 1.0  # seconds between two looks for those that are silent
LONGEST = 1 << 20  # bytes of a line


class Source(Protocol):
    """Where the stream comes from."""

    def read(self, timeout: float) -> bytes | None:
        """What came within a time in seconds; empty if nothing did, None at the end."""

    @property
    def position(self) -> dict[str, int] | None:
        """How far it is, to go on there in a later call; None where that can't be."""


class Outcome(NamedTuple):
    """What came of a stream: `nobody` counts the lines without a key, of which `example` is the first."""

    members: int
    lines: int
    nobody: int
    example: str
    unwritten: list[str]


class Collector:
    """Takes lines, and records each in the run of its member."""

    def __init__(
        self,
        members: Members,
        tracking: Tracking,
        read: Callable[[str], Line | None],
        end: re.Pattern[str] | None,
        idle: float,
    ) -> None:
        """`end` matches a member's last line; after `idle` seconds of silence a member has ended."""
        self._members, self._tracking, self._read = members, tracking, read
        self._end, self._idle = end, idle
        self._open: dict[str, Member] = {}
        self._gathered: dict[str, Member] = {}
        self._size = 0
        self._flushed = self._looked = time.monotonic()
        self._carry = b""
        self.heard = 0.0  # when the last line of anybody came, on the monotonic clock
        self._count = self._lines = self._nobody = 0
        self._example = ""
        self._unwritten: list[str] = []
        for member in members.cut_off():
            self._open[member.name] = member
            self._count += 1

    def take(self, data: bytes) -> None:
        """What came of the stream, whole lines or not."""
        *lines, self._carry = (self._carry + data).split(b"\n")
        if len(self._carry) > LONGEST:
            lines, self._carry = [*lines, self._carry], b""
        now = time.time()
        for line in lines:
            self._line(line.decode("utf-8", "replace").removesuffix("\r"), now)

    def take_of(self, name: str, data: bytes) -> None:
        """What came of one member, as it is."""
        now = time.time()
        self._record(Line(name, "", now), data, now)

    def give_back(self) -> int:
        """Forget the line that has not ended yet.  Returns its size in bytes."""
        carry, self._carry = self._carry, b""
        return len(carry)

    @property
    def carries(self) -> bool:
        """Whether a line has not ended yet."""
        return bool(self._carry)

    def _line(self, text: str, now: float) -> None:
        line = self._read(text)
        if line is None:
            if text.strip():
                self._nobody += 1
                self._example = self._example or text[:100]
            return
        self._record(line, line.text.encode("utf-8", "replace") + b"\n", now)

    def _record(self, line: Line, data: bytes, now: float) -> None:
        member = self._open.get(line.member) or self._begin(line, now)
        if member is None:
            return
        self._lines += data.count(b"\n")
        self.heard = member.heard = time.monotonic()
        self._gathered[line.member] = member
        self._size += member.add(data, line.time or now)
        if self._end and (found := self._end.search(line.text)):
            said = found.groupdict().get("status") or "0"
            self._close(line.member, int(said) if said.isdigit() else 1)
        elif self._size >= MOST_GATHERED:
            self.flush()

    def _begin(self, line: Line, now: float) -> Member | None:
        try:
            member = self._members.member(line.member, line.time or now)
        except OSError as error:
            problem = f"{line.member}: {error.strerror}"
            if problem not in self._unwritten:
                self._unwritten.append(problem)
            return None
        self._open[line.member] = member
        self._count += 1
        return member

    def tick(self) -> bool:
        """Write what was gathered for a while, and end who is silent.  Returns whether it was written."""
        now = time.monotonic()
        if now < self._flushed + FLUSH:
            return False
        self.flush()
        if now >= self._looked + LOOK:
            self._looked = now
            for name in [name for name, member in self._open.items() if now - member.heard > self._idle]:
                self._close(name, None)
        return True

    def flush(self) -> None:
        """Write what has been gathered."""
        self._flushed, self._size = time.monotonic(), 0
        gathered, self._gathered = self._gathered, {}
        for member in gathered.values():
            if member.write() and not member.told:
                member.told = True
                self._tracking.tell(member)
            if member.error and (problem := f"{member.name}: {member.error.strerror}") not in self._unwritten:
                self._unwritten.append(problem)

    def _close(self, name: str, status: int | None) -> None:
        member = self._open.pop(name)
        self._gathered.pop(name, None)
        member.end(status)
        self._tracking.tell(member)

    def finish(self) -> Outcome:
        """The stream has ended, and everybody with it."""
        if self._carry:
            self.take(b"\n")
        self.flush()
        for name in list(self._open):
            self._close(name, None)
        return Outcome(self._count, self._lines, self._nobody, self._example, self._unwritten)


def collect(source: Source, collector: Collector, note: str, stopped: Callable[[], bool]) -> None:
    """Read a source to its end, or until `stopped` says so; `note` is the file that says how far it is."""
    noted: object = None
    while not stopped():
        data = source.read(FLUSH)
        if data is None:
            break
        if data:
            collector.take(data)
        if collector.tick() and source.position and not collector.carries and source.position != noted:
            noted = dict(source.position)
            runs.replace_file(note, json.dumps(noted) + "\n")
    collector.flush()
    if source.position:
        back = collector.give_back() if stopped() else 0  # half a line: a later call has the whole
        position = {**source.position, "position": source.position["position"] - back}
        runs.replace_file(note, json.dumps(position) + "\n")


class Files:
    """The files that match a pattern, each a member of its own, also those that come later."""

    position = None

    def __init__(self, pattern: str, collector: Collector, recorded: Callable[[str], int]) -> None:
        """`recorded` says how many bytes of the file of this name an earlier call has recorded."""
        self._pattern, self._collector, self._recorded = pattern, collector, recorded
        self._tails: dict[str, Tail] = {}
        self._looked = 0.0
        self.found = False  # whether there was any file

    def read(self, timeout: float) -> bytes | None:
        """Hand over what is new in all files, and wait for so many seconds if nothing is."""
        now = time.monotonic()
        if now >= self._looked + LOOK:
            self._looked = now
            for path in sorted(glob.glob(self._pattern, recursive=True)):
                if path not in self._tails and os.path.isfile(path):
                    self._tails[path] = Tail(path, self._recorded(path))
                    self.found = True
        came = False
        for path, tail in self._tails.items():
            while data := tail.read():
                came = True
                self._collector.take_of(path, data)
        if not came:
            time.sleep(timeout)
        return b""


class File:
    """A file that is read from where an earlier call was, to its end."""

    def __init__(self, path: str, note: str) -> None:
        """Raises OSError where it can't be opened."""
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        stat = os.fstat(self._file)
        self._who = {"device": stat.st_dev, "inode": stat.st_ino}
        self.begin = self._at = _noted(note, self._who, stat.st_size)

    def read(self, timeout: float) -> bytes | None:
        """The next bytes; None at the end."""
        data = os.pread(self._file, 1 << 18, self._at)
        self._at += len(data)
        return data or None

    @property
    def position(self) -> dict[str, int]:
        """Which file it is, and how far it is read."""
        return {**self._who, "position": self._at}


def _noted(note: str, who: dict[str, int], size: int) -> int:
    """Where an earlier call has stopped in this file; 0 if there was none."""
    try:
        item = runs.read_object(note)
    except (OSError, ValueError):
        return 0
    at = item.get("position")
    same = all(item.get(key) == value for key, value in who.items())
    return at if same and isinstance(at, int) and 0 <= at <= size else 0
