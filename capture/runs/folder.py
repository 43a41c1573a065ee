"""A run's folder: the names of its files, and `run.json`, which says who the run is.

The relay imports this before the command starts: the standard library only, and of that nothing
slow (`dataclasses`, `pathlib` and `secrets` would cost more than everything else).
"""

from __future__ import annotations

import json
import os
import re
import time

from capture.runs.model import PathLike, Run

RUN_FILE = "run.json"
CONSOLE_LOG, CONSOLE_INDEX, RECORDS = "console.log", "console.idx", "records.jsonl"
STATUS, SUMMARY, TRACKER_LOG = "status.json", "summary.txt", "tracker.log"
SYSTEM, PROVENANCE = "system.jsonl", "provenance.json"
FILES, ALERTS = "files.jsonl", "alerts.jsonl"
LOGGED, TABLES, PLOTS = "logged", "tables", "plots"  # folders: what the program logged itself
PARSERS, DELIVERED = "parsers", "delivered"


def new_id(start: float) -> str:
    """Return a run id that sorts by time, and is unique even if many machines start runs at once.

    `start` is in Unix seconds.
    """
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(start)) + "-" + os.urandom(3).hex()


def folder_of(base: PathLike, project: str, run_id: str) -> str:
    """Return `BASE/PROJECT/RUN_ID`, with characters replaced that are unsafe in the name of a folder."""
    return os.path.join(base, re.sub(r"[^\w.@+-]+", "-", project).strip(".-") or "project", run_id)


def create(folder: PathLike, run: Run) -> None:
    """Make the run's folder, with its `run.json`.  Raises OSError, also if the folder exists already.

    The folder that holds all runs gets a `.gitignore`, since recordings do not belong in a commit.
    """
    os.makedirs(folder)
    base = os.path.dirname(os.path.dirname(os.path.abspath(folder)))
    ignore = os.path.join(base, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w") as file:
            file.write("*\n")
    write(folder, run)


def write(folder: PathLike, run: Run) -> None:
    """Replace `run.json` in one step, so that a reader never sees half of it.  Raises OSError."""
    replace_file(
        os.path.join(folder, RUN_FILE), json.dumps(run._asdict(), indent=2, ensure_ascii=False) + "\n"
    )


def read(folder: PathLike) -> Run:
    """Return the run in this folder.

    Raises OSError if it has no `run.json`, ValueError or TypeError if that is damaged.
    """
    with open(os.path.join(folder, RUN_FILE), encoding="utf-8") as file:
        item = json.load(file)
    return Run(**{name: value for name, value in item.items() if name in Run._fields})


def note_end(folder: PathLike | None, status: int | None, state: str = "finished") -> None:
    """Write into `run.json` that the run has ended, if that is still possible.

    `folder` is None where nothing is recorded; `status` is the exit status of the command, None where
    it is not known; `state` is the run's from now on.
    """
    if folder is None:
        return
    try:
        write(folder, read(folder)._replace(end=time.time(), exit_status=status, state=state))
    except (OSError, ValueError):
        pass  # the folder is gone, or its disk is full: the command's status still counts


def is_alive(run: Run) -> bool:
    """Whether the process that makes this run still exists.  False for a run on another machine."""
    if run.state != "running" or run.pid is None or run.host != os.uname().nodename:
        return False
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it exists, and is another user's
    return True


def replace_file(path: PathLike, text: str) -> None:
    """Replace a small text file in one step.  Raises OSError."""
    head, tail = os.path.split(path)
    draft = os.path.join(head, f".{tail}.{os.getpid()}")
    with open(
        draft, "w", encoding="utf-8", errors="replace"
    ) as file:  # a command may hold bytes that are no text
        file.write(text)
    os.replace(draft, path)
