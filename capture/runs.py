"""The run folder: who a run is, and the one file that says so, `run.json`.

The relay imports this before the command starts: the standard library only, and of that nothing
slow (`dataclasses`, `pathlib` and `secrets` would cost more than all the rest).
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, NamedTuple

RUN_FILE = "run.json"
CONSOLE_LOG, CONSOLE_INDEX, RECORDS = "console.log", "console.idx", "records.jsonl"
STATUS, SUMMARY, TRACKER_LOG = "status.json", "summary.txt", "tracker.log"
SYSTEM = "system.jsonl"
PARSERS, DELIVERED = "parsers", "delivered"

PathLike = str | os.PathLike[str]


class Run(NamedTuple):
    """One execution of a command, as `run.json` holds it.

    `start` and `end` are Unix seconds; `exit_status` is the shell's (128 + n for a signal n);
    `state` is "running", "finished" or "crashed" (the relay died before the command did);
    `resumed` says how often it went on after an end;
    `to` names the adapters; `settings` is the rest of the configuration in effect.
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
    settings: dict[str, Any] = {}  # noqa: RUF012


class Result(NamedTuple):
    """How a run ended: the shell's exit status, the signal if one killed the command, and what went wrong."""

    status: int
    signal: int | None
    recording_error: str | None
    tracker_ok: bool


def new_id(start: float) -> str:
    """A run id that sorts by time and is unique among many machines that start at once."""
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(start)) + "-" + os.urandom(3).hex()


def folder_of(base: PathLike, project: str, run_id: str) -> str:
    """`BASE/PROJECT/RUN_ID`, with what no file system likes in a project's name replaced."""
    return os.path.join(base, re.sub(r"[^\w.@+-]+", "-", project).strip(".-") or "project", run_id)


def create(folder: PathLike, run: Run) -> None:
    """Make the run's folder.  Raises OSError where that is not possible.

    The folder that holds all runs gets a `.gitignore`: recordings do not belong into a commit.
    """
    os.makedirs(folder)
    base = os.path.dirname(os.path.dirname(os.path.abspath(folder)))
    ignore = os.path.join(base, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w") as file:
            file.write("*\n")
    write(folder, run)


def write(folder: PathLike, run: Run) -> None:
    """Replace `run.json` in one step, so that a reader never sees half of it."""
    replace_file(
        os.path.join(folder, RUN_FILE), json.dumps(run._asdict(), indent=2, ensure_ascii=False) + "\n"
    )


def read(folder: PathLike) -> Run:
    """The run in this folder.  Raises OSError or ValueError where there is none."""
    with open(os.path.join(folder, RUN_FILE), encoding="utf-8") as file:
        item = json.load(file)
    return Run(**{name: value for name, value in item.items() if name in Run._fields})


def note_end(folder: PathLike | None, status: int | None) -> None:
    """Write into `run.json` how the run ended, if that is still possible."""
    if folder is None:
        return
    try:
        write(folder, read(folder)._replace(end=time.time(), exit_status=status, state="finished"))
    except (OSError, ValueError):
        pass  # the folder is gone, or its disk is full: the command's status still counts


def is_alive(run: Run) -> bool:
    """Whether the process that makes this run is still there; False for one on another machine."""
    if run.state != "running" or run.pid is None or run.host != os.uname().nodename:
        return False
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def replace_file(path: PathLike, text: str) -> None:
    """Replace a small file in one step."""
    head, tail = os.path.split(path)
    draft = os.path.join(head, f".{tail}.{os.getpid()}")
    with open(draft, "w", encoding="utf-8", errors="replace") as file:  # a command may have any bytes
        file.write(text)
    os.replace(draft, path)


def git_state(folder: PathLike) -> dict[str, str]:
    """Commit and branch of the work tree that holds `folder`, read from git's own files.

    No process is started: this runs before the command does.  Empty outside of a work tree.
    """
    place = os.path.abspath(folder)
    while not os.path.exists(os.path.join(place, ".git")):
        if place == (place := os.path.dirname(place)):
            return {}
    git = os.path.join(place, ".git")
    if os.path.isfile(git):  # a linked work tree or a submodule: the file names the real folder
        git = os.path.join(place, _text(git).removeprefix("gitdir:").strip())
    head = _text(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return {"commit": head} if head else {}
    ref = head.removeprefix("ref:").strip()
    common = os.path.join(git, _text(os.path.join(git, "commondir")))
    commit = _text(os.path.join(git, ref)) or _text(os.path.join(common, ref))
    for line in [] if commit else _text(os.path.join(common, "packed-refs")).splitlines():
        if line.endswith(" " + ref):
            commit = line.split(" ", 1)[0]
    return {"branch": ref.removeprefix("refs/heads/")} | ({"commit": commit} if commit else {})


def _text(path: str) -> str:
    """The text of a small file, or nothing where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""
