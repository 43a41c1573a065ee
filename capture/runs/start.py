"""The beginning of a run: who it is, and its folder."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capture import runs
from capture.redaction import Redactor
from capture.runs.git import git_state

# Settings with a field of their own in `run.json`, or without use for the tracker.
NOT_KEPT = (
    *("project", "name", "config", "to", "tags", "notes", "group", "id", "resume"),
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
    return runs.Run(
        id=run_id,
        project=redactor.text(chosen.get("project") or os.path.basename(cwd) or "default"),
        name=redactor.text(
            chosen.get("name") or f"{called}-{time.strftime('%H%M%S', time.localtime(start))}"
        ),
        command=redactor.command(command),
        cwd=cwd,
        host=os.uname().nodename if hasattr(os, "uname") else "",
        start=start,
        pid=os.getpid(),
        tags=[redactor.text(tag) for tag in chosen.get("tags") or []],
        notes=redactor.text(chosen.get("notes") or ""),
        group=redactor.text(chosen.get("group") or ""),
        to=chosen["to"],
        config=redactor.values(chosen["config"]),
        git={key: redactor.text(value) for key, value in git_state(cwd).items()},
        parent=os.path.basename(parent) if parent else None,
        settings={key: value for key, value in chosen.items() if key not in NOT_KEPT},
    )


def open_run(run: runs.Run, chosen: Mapping[str, Any]) -> tuple[runs.Run, str | None]:
    """Make the run's folder, or resume the run that has its `--id`.

    Returns the run as it is now, and its folder.  If no folder can be made, that is printed and the folder is
    None: the command runs unrecorded.  Raises UserError if `--resume` forbids it.
    """
    folder = runs.folder_of(os.path.abspath(chosen["dir"]), run.project, run.id)
    if chosen.get("id"):
        from capture.runs import resume  # not on the way of every start

        if (resumed := resume.resume(run, folder, chosen["resume"])) is not None:
            return resumed, folder
    try:
        runs.create(folder, run)
        if problems := copy_parsers(chosen.get("parsers", []), folder):
            ignored = [*run.settings.get("ignored", []), *problems]
            run = run._replace(settings={**run.settings, "ignored": ignored})
            runs.write(folder, run)
    except OSError as error:
        print(f"capture: not recorded: {folder}: {error.strerror}", file=sys.stderr)
        return run, None
    return run, folder


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
