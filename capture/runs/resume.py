"""Resuming a run that has ended: the same folder and the same identity, but the command is started again."""

from __future__ import annotations

import os
import re

from capture import runs
from capture.errors import UserError
from capture.runs import recording

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


def check_id(run_id: str, option: str = "--id") -> None:
    """Raises UserError if an id, given by this option, is not fit for the name of a folder."""
    if not _ID.fullmatch(run_id):
        raise UserError(
            f"{option} {run_id}: should be letters, digits, dots, dashes and underscores, at most 100"
        )


def by_whom(folder: str) -> str:
    """Which process makes the run in this folder, as the end of a sentence."""
    try:
        run = runs.read(folder)
    except (OSError, ValueError):
        return ""  # it is just beginning
    return f", as process {run.pid} on {run.host}"


def resume(run: runs.Run, folder: str, how: str) -> runs.Run | None:
    """Resume the run in `folder`, if there is one.

    `run` is the run that would begin now; this process has the folder for itself (`lock`).  Returns
    it with what is known of the old one, or None if there is no old one.  `how` is "allow", "must" (there has
    to be one) or "never" (there must not be one).  Raises UserError if that is not so, or if the old run
    can't be used.
    """
    try:
        old = runs.read(folder)
    except FileNotFoundError:
        if how == "must":
            raise UserError(f"--resume must: there is no run {run.id} in {os.path.dirname(folder)}") from None
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: this run can't be resumed: {error}") from None
    if how == "never":
        raise UserError(f"there is a run {run.id} already; --resume allow goes on with it")
    resumed = run._replace(
        name=old.name,
        start=old.start,
        tags=list(dict.fromkeys([*old.tags, *run.tags])),
        notes=run.notes or old.notes,
        group=run.group or old.group,
        config={**old.config, **run.config},
        resumed=old.resumed + 1,
        paused=old.paused + max(0.0, run.start - (old.end or _last_written(folder, run.start))),
    )
    try:
        recording.repair(folder)
        runs.write(folder, resumed)
    except OSError as error:
        raise UserError(f"{folder}: this run can't be resumed: {error.strerror}") from None
    return resumed


def _last_written(folder: str, now: float) -> float:
    """When the recording was last written: the end of a run that nobody could note.  `now` if it has none."""
    try:
        return os.path.getmtime(os.path.join(folder, runs.CONSOLE_INDEX))
    except OSError:
        return now
