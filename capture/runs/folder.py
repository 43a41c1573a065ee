"""A run's folder: the names of its files, and `run.json`, which says who the run is.

The relay imports this before the command starts: the standard library only, and of that nothing
slow (`dataclasses`, `pathlib` and `secrets` would cost more than everything else).
"""

from __future__ import annotations

import json
import os
import re
import time

from capture.runs import lock
from capture.runs.files import read_run
from capture.runs.model import PathLike, Run

RUN_FILE = "run.json"
CONSOLE_LOG, CONSOLE_INDEX, RECORDS = "console.log", "console.idx", "records.jsonl"
STATUS, SUMMARY, TRACKER_LOG = "status.json", "summary.txt", "tracker.log"
SYSTEM, CONFIG, PROVENANCE, DIFF = "system.jsonl", "config.json", "provenance.json", "git.diff"
FILES, ALERTS = "files.jsonl", "alerts.jsonl"
LOGGED = "logged"  # a folder: what the program logged itself
TABLES, IMAGES, PLOTS = "tables", "images", "plots"  # folders: what `files.jsonl` names of them
PARSERS, DELIVERED = "parsers", "delivered"

INTERRUPTED = 128 + 2  # the exit status of a command that Ctrl-C has ended: SIGINT is 2 everywhere


def new_id(start: float) -> str:
    """Return a run id that sorts by time, and is unique even if many machines start runs at once.

    `start` is in Unix seconds.
    """
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(start)) + "-" + os.urandom(3).hex()


def folder_of(base: PathLike, project: str, run_id: str) -> str:
    """Return `BASE/PROJECT/RUN_ID`, with characters replaced that are unsafe in the name of a folder."""
    return os.path.join(base, re.sub(r"[^\w.@+-]+", "-", project).strip(".-") or "project", run_id)


def note_name(backend: str) -> str:
    """Return the name of the file in `delivered` that says how far this backend is."""
    return re.sub(r"[^\w.:@+-]", "-", backend) + ".json"


def create(folder: PathLike, run: Run) -> None:
    """Make the run's folder, with its `run.json`.  Raises OSError, also if the folder exists already.

    The folder that holds all runs gets a `.gitignore`, since recordings do not belong in a commit.
    """
    os.makedirs(folder)
    _ignore_in_git(folder)
    write(folder, run)


def make(folder: PathLike) -> None:
    """Make the run's folder, unless it exists.  Raises OSError."""
    os.makedirs(folder, exist_ok=True)
    _ignore_in_git(folder)


def _ignore_in_git(folder: PathLike) -> None:
    base = os.path.dirname(os.path.dirname(os.path.abspath(folder)))
    ignore = os.path.join(base, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w") as file:
            file.write("*\n")


def write(folder: PathLike, run: Run) -> None:
    """Replace `run.json` in one step, so that a reader never sees half of it.  Raises OSError."""
    replace_file(
        os.path.join(folder, RUN_FILE), json.dumps(run._asdict(), indent=2, ensure_ascii=False) + "\n"
    )


def read(folder: PathLike) -> Run:
    """Return the run in this folder.

    Raises OSError if it has no `run.json`, ValueError, with what is wrong, if that is damaged.
    """
    return read_run(os.path.join(folder, RUN_FILE))


def note_end(
    folder: PathLike | None, status: int | None, state: str = "finished", stopped_by: str = ""
) -> None:
    """Write into `run.json` that the run has ended, if that is still possible.

    `folder` is None where nothing is recorded; `status` is the exit status of the command, None where
    it is not known; `state` is the run's from now on; `stopped_by` is the rule that has ended it.
    """
    if folder is None:
        return
    try:
        run = read(folder)
        end = time.time()
        write(folder, run._replace(end=end, exit_status=status, state=state, stopped_by=stopped_by))
    except (OSError, ValueError):
        pass  # the folder is gone, or its disk is full: the command's status still counts


def outcome(run: Run) -> str:
    """The run's outcome: `running`, `finished`, `failed`, `interrupted`, `stopped` or `crashed`.

    Ctrl-C interrupts it, a rule of the user's stops it; it failed if its exit status is not 0.
    """
    if run.stopped_by and run.state == "finished":
        return "stopped"
    if run.state != "finished" or not run.exit_status:
        return run.state
    return "interrupted" if run.exit_status == INTERRUPTED else "failed"


def duration(run: Run, now: float) -> float:
    """The seconds for which the command has run, without the pauses between its starts.

    `now`, in Unix seconds, counts as the end of a run that has none.
    """
    return max(0.0, (run.end or now) - run.start - run.paused)


def note_crash(folder: PathLike | None, end: float | None = None) -> None:
    """Write into `run.json` that the run's relay has died, unless another one has resumed it by now.

    `end` is in Unix seconds, None if it is not known.
    """
    if folder is None:
        return
    try:
        if not lock.take(folder):
            return
        try:
            run = read(folder)
            if run.state == "running":
                write(folder, run._replace(state="crashed", end=end))
        finally:
            lock.release(folder)
    except (OSError, ValueError):
        pass  # the folder is gone, or its disk is full


def at_home(run: Run, folder: PathLike) -> Run:
    """Return the run with the `cwd` that its relative paths refer to now, if its folder was copied or moved.

    It is as near as it was if the folders above came along (`PLACE/capture-runs/...`).  Otherwise it is the
    run's folder itself: nothing is written beside the old place, which may be another one's by now.
    """
    now = os.path.realpath(folder)
    before = os.path.realpath(run.folder) if run.folder else ""
    if now == before or (not before and os.path.isdir(run.cwd)):
        return run
    inside = os.path.relpath(before, os.path.realpath(run.cwd)) if before else os.pardir
    if not inside.startswith(os.pardir) and now.endswith(os.sep + inside):
        return run._replace(cwd=now[: -len(os.sep + inside)] or os.sep)
    return run._replace(cwd=now)


def replace_file(path: PathLike, text: str) -> None:
    """Replace a small text file in one step; only the user can read it.  Raises OSError."""
    head, tail = os.path.split(path)
    draft = os.path.join(head, f".{tail}.{os.getpid()}")
    # A command may hold bytes that are no text.
    with open(draft, "w", encoding="utf-8", errors="replace", opener=_open_private) as file:
        file.write(text)
    os.replace(draft, path)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
