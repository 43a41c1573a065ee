"""A new run from what was printed before: the recording of an old run, or any log.

It is read by today's parsers and keeps the old times: those of the recording, or those in the lines of the
log, or else the time at which the log was last written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.errors import UserError
from capture.runs import ranks, recording
from capture.runs.logs import open_log


def source_of(name: str) -> tuple[Path, runs.Run | None]:
    """Find what the user wants to replay: the folder of a run, or a log.

    Returns the log, and the run if it is one.  Raises UserError if it is neither.
    """
    path = Path(name)
    try:
        if path.is_dir():
            return path / runs.CONSOLE_LOG, runs.read(path)
        with path.open("rb"):
            return path, None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{name}: not a run and not a log: {reason}") from None


def as_it_was(run: runs.Run, log: Path, old: runs.Run | None, chosen: Mapping[str, Any]) -> runs.Run:
    """Return the new run with what is known of the old one.

    `old` is the run of the log, if it has one, and `chosen` the settings: what they say takes precedence.
    Raises OSError if the log can't be read.
    """
    if old is None:
        written = log.stat().st_mtime
        return run._replace(start=written, end=written, state="finished", pid=None, made=run.start)
    return run._replace(
        project=chosen.get("project") or old.project,
        name=chosen.get("name") or old.name,
        tags=run.tags or old.tags,
        notes=run.notes or old.notes,
        group=run.group or old.group,
        config={**old.config, **run.config},
        command=old.command,
        host=old.host,
        git=old.git,
        start=old.start,
        end=old.end,
        exit_status=old.exit_status,
        state="finished" if old.state == "running" else old.state,
        pid=None,
        parent=old.id,
        made=run.start,
        settings=run.settings | ({"job": old.settings["job"]} if "job" in old.settings else {}),
    )


def record(log: Path, old: runs.Run | None, folder: str) -> None:
    """Copy the recording, or make one from the log, into the new run's folder.  Raises OSError, or UserError.

    What the program logged itself is part of the recording.
    """
    with open_log(log) as source, open(os.path.join(folder, runs.CONSOLE_LOG), "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    os.chmod(os.path.join(folder, runs.CONSOLE_LOG), 0o600)
    if old is not None:
        for name in (runs.LOGGED, runs.TABLES, runs.IMAGES, runs.PLOTS, ranks.RANKS):
            if log.with_name(name).is_dir():
                shutil.copytree(log.with_name(name), os.path.join(folder, name))
        for name in (runs.FILES, runs.ALERTS):
            if log.with_name(name).exists():
                shutil.copyfile(log.with_name(name), os.path.join(folder, name))
    index = log.with_name(runs.CONSOLE_INDEX)
    if old is not None and index.exists():
        shutil.copyfile(index, os.path.join(folder, runs.CONSOLE_INDEX))
        recording.repair(folder)
    else:
        size = os.path.getsize(os.path.join(folder, runs.CONSOLE_LOG))
        runs.replace_file(os.path.join(folder, runs.CONSOLE_INDEX), f"nan stdout {size}\n")
    with open(os.path.join(folder, runs.CONSOLE_INDEX), "a", encoding="ascii") as file:
        file.write("nan end 0\n")
