"""`capture attach`, which the Python door calls: makes the run, and records what the program prints.

Standard input holds the request as JSON; the two arguments are descriptors: one on which the program says
that the run has ended, one for our answers, each a line of JSON.  The first is `{"folder": ...}`,
`{"mistake": ...}` (of the user), or `{"unfit": ...}`: this `capture` lacks something.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
import time
from typing import Any

from capture import runs
from capture.cli import run_options
from capture.errors import UserError
from capture.relay import attach
from capture.runs import start

NEEDED = ("pydantic", "regex", "yaml")  # without these no tracker starts
JOIN_LIMIT = 20.0  # seconds that a rank waits for the run of rank 0
OPTIONS = ("project", "name", "notes", "group", "every", "dir", "tags")


def main(argv: list[str]) -> int:
    """Answer, and leave the rest to a process in the background."""
    door = attach.Door(0, *(attach.low(int(fd)) for fd in argv))

    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        door.answer({"unfit": f"{', '.join(missing)}: not installed for {sys.executable}"})
        return 1
    request = json.loads(sys.stdin.read())
    door = door._replace(pid=request.get("pid", 0))
    notes = io.StringIO()
    try:
        with contextlib.redirect_stderr(notes):
            chosen = _choose(request)
            if "join" in request:
                door.answer({"folder": _wait_for(chosen, request["join"])})
                return 0
            folder = _begin(chosen, request)
    except UserError as error:
        door.answer({"mistake": str(error)})
        return 2
    said = [line.removeprefix("capture: ") for line in notes.getvalue().splitlines()]
    if folder is None or os.fork():  # the program must not find a child that it has not started
        if folder is None:
            door.answer({"folder": None, "notes": said})
        return 0
    os.setsid()
    attach.ignore_signals()
    sources = attach.open_sources(request["streams"])
    closed = attach.guard(sources, door)
    door.answer({"folder": folder, "notes": said})
    result = attach.relay(door, sources, closed, folder, chosen["wait"], chosen["linger"])
    door.answer({"text": run_options.closing_text(folder, result), "summary": chosen["summary"]})
    os._exit(0)


def _choose(request: dict[str, Any]) -> dict[str, Any]:
    """The settings, with those that the program asks for."""
    given = {name: request.get(name) for name in OPTIONS}
    to = ",".join(request["to"]) if request.get("to") else None
    parsers = request.get("parsers", [])
    unset = {"config": [], "alert": [], "stop_if": [], "lenient": False}
    options = argparse.Namespace(**given, **unset, to=to, parser=parsers)
    chosen = run_options.choose(options)
    chosen["config"] = {**chosen["config"], **request.get("config", {})}
    return chosen


def _begin(chosen: dict[str, Any], request: dict[str, Any]) -> str | None:
    """Make the run of the program.  Returns its folder, None where none can be made."""
    chosen = {**chosen, "id": request.get("id") or chosen.get("id")}
    command = request["command"]
    called = os.path.splitext(os.path.basename(command[1] if len(command) > 1 else command[0]))[0]
    run = start.new_run(command, called.strip("-") or "python", chosen)
    _, folder = start.open_run(run._replace(pid=request["pid"]), chosen)
    return folder


def _wait_for(chosen: dict[str, Any], run_id: str) -> str | None:
    """The folder of the run that another rank begins."""
    run = start.new_run([], "", chosen)
    folder = runs.folder_of(os.path.abspath(chosen["dir"]), run.project, run_id)
    deadline = time.monotonic() + JOIN_LIMIT
    while time.monotonic() < deadline:
        if os.path.exists(os.path.join(folder, runs.RUN_FILE)):
            return folder
        time.sleep(0.05)
    return None
