"""Who a run is, and how it ended, as `run.json` holds it."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

PathLike = str | os.PathLike[str]


class Run(NamedTuple):
    """One execution of a command, as `run.json` holds it.

    `start` and `end` are in Unix seconds; `exit_status` is a shell's (128 + n for a signal n), None if it is
    not known; `state` is "running", "finished" or "crashed" (the relay died before the command did);
    `pid` is the process that makes the run, and `process` tells it from others with that id; `parent` is the
    id of the run in which it was started, or of which it is a replay; `resumed` counts how often it was
    resumed, and `paused` the seconds in between; `to` names the adapters; `folder` is the run's own, where it
    began; `stopped_by` is the rule that has stopped it; `made` is when a replay was made (Unix
    seconds), 0 of other runs; `settings` is the rest of the configuration in
    effect.
    """

    id: str
    project: str
    name: str
    command: list[str]
    cwd: str
    host: str
    start: float
    end: float | None = None
    exit_status: int | None = None
    state: str = "running"
    pid: int | None = None
    tags: list[str] = []  # noqa: RUF012  a NamedTuple's default, never changed
    notes: str = ""
    group: str = ""
    to: list[str] = ["trackio"]  # noqa: RUF012
    config: dict[str, Any] = {}  # noqa: RUF012
    git: dict[str, str] = {}  # noqa: RUF012
    parent: str | None = None
    resumed: int = 0
    paused: float = 0.0
    settings: dict[str, Any] = {}  # noqa: RUF012
    process: str = ""
    folder: str = ""
    stopped_by: str = ""
    made: float = 0.0


class ParserSource(NamedTuple):
    """Where a parser of the user's is written.

    `file` is its path.  A parser that is not a file of its own has a `text`, and `file` is the configuration
    file or the variable that it is part of; the text has the line numbers of that file.
    """

    file: str
    text: str | None = None


class Result(NamedTuple):
    """How a run ended."""

    status: int  # the exit status, as a shell would report it
    signal: int | None  # the signal that killed the command
    recording_error: str | None  # why the recording ended before the command did
    tracker_ok: bool  # the tracker has done all its work
