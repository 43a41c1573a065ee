"""The run folder: who a run is, and the one file that says so, `run.json`.

The relay imports this before the command starts: the standard library only, and of that nothing
slow (`dataclasses`, `pathlib` and `secrets` would cost more than all the rest).
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
PARSERS, DELIVERED = "parsers", "delivered"


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
