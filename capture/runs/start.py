"""The beginning of a run: who it is, and its folder."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capture import runs
from capture.errors import UserError
from capture.redaction import Redactor
from capture.runs import lock, names, ranks
from capture.runs.git import git_state

# Settings with a field of their own in `run.json`, or without use for the tracker.
NOT_KEPT = (
    *("project", "name", "config", "to", "tags", "notes", "group", "id", "resume", "join"),
    *("dir", "tty", "unbuffer", "summary", "parsers"),
)


def new_run(command: Sequence[str], called: str, chosen: Mapping[str, Any]) -> runs.Run:
    """Return the run that begins now, with secrets masked.

    `command` is empty where capture does not start one; `called` is what its name begins with, unless the
    user has named it; `chosen` are the settings.
    """
    start, cwd = time.time(), os.getcwd()
    run_id = chosen.get("id") or runs.new_id(start)
    parent = os.environ.get("CAPTURE_RUN_DIR")
    redactor = Redactor(os.environ, chosen.get("redact", []))
    words = redactor.command(command)
    asked = {key: redactor.text(chosen[key]) for key in ("project", "name") if chosen.get(key)}
    return runs.Run(
        id=run_id,
        project=redactor.text(project_of(chosen)),
        name=redactor.text(chosen.get("name") or _name(called, run_id, words, chosen)),
        command=words,
        cwd=cwd,
        host=os.uname().nodename if hasattr(os, "uname") else "",
        start=start,
        pid=os.getpid(),
        process=lock.identity(),
        tags=[redactor.text(tag) for tag in chosen.get("tags") or []],
        notes=redactor.text(chosen.get("notes") or ""),
        group=redactor.text(chosen.get("group") or ""),
        to=chosen["to"],
        config=redactor.values(chosen["config"]),
        git={key: redactor.text(value) for key, value in git_state(cwd).items()},
        parent=os.path.basename(parent) if parent else None,
        settings={key: value for key, value in chosen.items() if key not in NOT_KEPT} | asked,
    )


def join(chosen: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a process that is one of the ranks of a job, which make one run; others' are unchanged.

    With an `--id` a process makes that run by itself.  Raises UserError if `--join` can't be an id.
    """
    how = chosen["join"]
    place = None if chosen.get("id") else ranks.place(environ, how)
    if place is None:
        asked = chosen.get("id") or how != ranks.AUTO
        alone = "" if asked else ranks.without_job(environ)
        return {**chosen, "alone": alone} if alone else dict(chosen)
    if how != ranks.AUTO:
        from capture.runs import resume  # not on the way of every start

        resume.check_id(place.job, "--join")
    run_id = ranks.choose_id(os.path.abspath(chosen["dir"]), project_of(chosen), place, chosen["resume"])
    return {**chosen, "id": run_id, "job": {"rank": place.rank, "size": place.size}}


def project_of(chosen: Mapping[str, Any]) -> str:
    """The run's project: the user's, or the folder's name."""
    return chosen.get("project") or os.path.basename(os.getcwd()) or "default"


def _name(called: str, run_id: str, command: Sequence[str], chosen: Mapping[str, Any]) -> str:
    """A name that no other run of the project has by default."""
    folder = runs.folder_of(os.path.abspath(chosen["dir"]), project_of(chosen), run_id)
    if os.path.exists(os.path.join(folder, runs.RUN_FILE)):  # a run that is resumed has its name
        return called
    try:
        return names.default(os.path.dirname(folder), called, run_id, command)
    except (OSError, ValueError):
        return f"{called}-{time.strftime('%H%M%S')}"


def open_run(run: runs.Run, chosen: Mapping[str, Any]) -> tuple[runs.Run, str | None]:
    """Make the run's folder, or resume the run that has its `--id`.

    This process has it for itself until it ends (`lock`).  Returns the run as it is now, and its folder.  If
    no folder can be made, that is printed and the folder is None: the command runs unrecorded.  Raises
    UserError if `--resume` forbids it, or another process makes the run with this `--id` now.
    """
    whole = runs.folder_of(os.path.abspath(chosen["dir"]), run.project, run.id)
    folder = ranks.folder_of(whole, chosen.get("job", {}).get("rank", 0))
    run = run._replace(folder=folder)
    try:
        if chosen.get("id"):
            resumed = _take(run, whole, folder, chosen["resume"])
            if resumed is not None:
                return resumed, folder
            runs.write(folder, run)
        else:
            runs.create(folder, run)
            if run.state == "running":
                lock.take(folder)
        if problems := copy_parsers(chosen.get("parsers", []), folder):
            ignored = [*run.settings.get("ignored", []), *problems]
            run = run._replace(settings={**run.settings, "ignored": ignored})
            runs.write(folder, run)
    except OSError as error:
        print(f"capture: not recorded: {folder}: {error.strerror}", file=sys.stderr)
        return run, None
    return run, folder


def _take(run: runs.Run, whole: str, folder: str, how: str) -> runs.Run | None:
    """Take the folder of a run that was given an id for this process alone; of its ranks, this one's.

    Returns the run that it resumes, None if it is a new one.  Raises UserError if another process has it, or
    `--resume` forbids it; OSError if it can't be made.
    """
    from capture.runs import resume  # not on the way of every start

    resume.check_id(run.id)
    if how == "must" and not os.path.exists(folder):
        return resume.resume(run, folder, how)
    runs.make(whole)
    os.makedirs(folder, exist_ok=True)
    if not lock.take(folder):
        raise UserError(f"run {run.id} is still running{resume.by_whom(folder)}")
    try:
        return resume.resume(run, folder, how)
    except UserError:
        lock.release(folder)
        raise


def copy_parsers(parsers: Iterable[runs.ParserSource], folder: str) -> list[str]:
    """Copy the user's parsers into the run's folder, in their order, each byte for byte.

    Returns a sentence for each that can't be copied: it was removed after it was checked, say.
    """
    problems = []
    for index, (file, text) in enumerate(parsers):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", re.sub(r"\.ya?ml$", "", os.path.basename(file)))[:100]
        try:
            if text is None:
                with open(file, "rb") as original:
                    data = original.read()
            else:
                data = text.encode(errors="replace")
            os.makedirs(os.path.join(folder, runs.PARSERS), exist_ok=True)
            with open(os.path.join(folder, runs.PARSERS, f"{index:03}-{name}.yaml"), "wb") as copy:
                copy.write(data)
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
    return problems
