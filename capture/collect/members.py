"""The runs of a stream, and the recording of what each of them prints.

No file stays open between two writes: there may be thousands.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.runs import lock, recording, start

FIT = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")  # for the name of a folder, and for an id at the backends


class Member:
    """One run of the stream.

    `path` is its folder; `told` says that the tracking thread knows of what is new; `ended` that its last
    line has come; `error` why its recording has ended before.
    """

    __slots__ = ("ended", "error", "heard", "last", "lines", "name", "path", "size", "start", "told")

    def __init__(self, name: str, path: str, begin: float) -> None:
        self.name, self.path, self.start = name, path, begin
        self.heard = time.monotonic()  # when its last line came
        self.last = 0.0  # when its last line was printed, in seconds since its start
        self.lines: list[tuple[float, bytes]] = []  # that are not written yet: when, and what
        self.size = 0  # of the lines
        self.told = self.ended = False
        self.error: OSError | None = None

    def add(self, data: bytes, moment: float) -> int:
        """Take what was printed at a moment in Unix seconds.  Returns its size in bytes."""
        self.last = max(self.last, moment - self.start)
        self.lines.append((max(0.0, moment - self.start), data))
        self.size += len(data)
        return len(data)

    def write(self) -> bool:
        """Append what came to the recording.  Returns whether that was possible: `error` ends a recording."""
        lines, self.lines, self.size = self.lines, [], 0
        if not lines or self.error:
            return False
        marks: list[bytes] = []
        at, length = lines[0][0], 0
        for seconds, data in lines:
            if seconds != at:
                marks.append(b"%.6f stdout %d\n" % (at, length))
                at, length = seconds, 0
            length += len(data)
        marks.append(b"%.6f stdout %d\n" % (at, length))
        return self._append(b"".join(data for _, data in lines), b"".join(marks))

    def end(self, status: int | None) -> None:
        """The last line has come; `status` is the exit status if somebody has said it."""
        self.write()
        self.ended = True
        self._append(b"", b"%.6f end 0\n" % self.last)
        try:
            run = runs.read(self.path)
            run = run._replace(end=self.start + self.last, exit_status=status, state="finished")
            runs.write(self.path, run)
        except (OSError, ValueError) as error:
            self.error = self.error or (error if isinstance(error, OSError) else OSError(str(error)))

    def _append(self, data: bytes, marks: bytes) -> bool:
        try:
            _append(os.path.join(self.path, runs.CONSOLE_LOG), data)
            _append(os.path.join(self.path, runs.CONSOLE_INDEX), marks)
        except OSError as error:
            self.error = self.error or error
            return False
        return True


def _append(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


class Members:
    """Makes the runs of a stream, and finds those of an earlier call again."""

    def __init__(self, chosen: Mapping[str, Any], by: str) -> None:
        self._chosen, self._by = chosen, by
        # Everything but the name is the same for all, and is found out once.
        settings = {**chosen, "name": None, "id": "collect", "system": 0}
        self.run = start.new_run([], by, settings)
        self.base = runs.folder_of(os.path.abspath(chosen["dir"]), self.run.project, "")
        self.lock = f".collect-{_safe(by)}.lock"

    def folder(self, name: str) -> str:
        """Where the first run of this name is, or will be."""
        return os.path.join(self.base, self._id(name))

    def _id(self, name: str) -> str:
        return _safe(os.path.splitext(os.path.basename(name))[0] if os.path.isabs(name) else name)

    def member(self, name: str, moment: float) -> Member:
        """The run of this name: the one that is there unless it said that it has ended, else a new one.

        Raises OSError where no folder can be made.
        """
        number = 1
        while True:
            run_id = self._id(name) + (f"-{number}" if number > 1 else "")
            path = os.path.join(self.base, run_id)
            try:
                old = runs.read(path)
            except (OSError, ValueError):
                return self._new(name, run_id, path, moment)
            if old.exit_status is None:
                return self._again(name, path, old)
            number += 1

    def _new(self, name: str, run_id: str, path: str, moment: float) -> Member:
        config = {**self.run.config, self._by: name} if self._by.isidentifier() else self.run.config
        run = self.run._replace(
            id=run_id,
            name=self._chosen.get("name") or (run_id if os.path.isabs(name) else name),
            start=moment,
            folder=path,
            config=config,
            settings={**self.run.settings, lock.ELSEWHERE: os.path.join(os.pardir, self.lock)},
        )
        runs.make(path)
        runs.write(path, run)
        start.copy_parsers(self._chosen.get("parsers", []), path)
        return Member(name, path, moment)

    def _again(self, name: str, path: str, old: runs.Run) -> Member:
        """Go on with a run: where the stream had ended for it, or was cut off."""
        recording.repair(path)
        member = Member(name, path, old.start)
        member.last = max(0.0, (old.end or old.start) - old.start)
        if old.state == "finished":
            _append(os.path.join(path, runs.CONSOLE_INDEX), b"%.6f resume 0\n" % member.last)
        runs.write(path, old._replace(state="running", end=None, pid=os.getpid(), process=self.run.process))
        return member

    def cut_off(self) -> list[Member]:
        """The runs of an earlier call that was killed: they are to be tracked to their end."""
        found = []
        for path in Path(self.base).glob(f"*/{runs.RUN_FILE}"):
            try:
                run = runs.read(path.parent)
            except (OSError, ValueError):
                continue
            if run.state == "running" and run.settings.get(lock.ELSEWHERE) == os.path.join(
                os.pardir, self.lock
            ):
                found.append(self._again(run.config.get(self._by, run.name), str(path.parent), run))
        return found


def _safe(name: str) -> str:
    """The name as an id; with a hash where characters had to be replaced."""
    if FIT.fullmatch(name):
        return name
    shown = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip(".-_")[:60] or "x"
    return f"{shown}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"
