"""`capture sync [RUN...]`: deliver what is not delivered yet."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

from capture import runs, settings
from capture.delivery import registry
from capture.errors import UserError
from capture.runs import status
from capture.runs.status import RunStatus
from capture.tracker.supervisor import Supervisor


def arguments() -> argparse.ArgumentParser:
    """The options of `capture sync`."""
    parser = argparse.ArgumentParser(
        prog="capture sync",
        description="Deliver what is missing: a backend was down, the machine died, or the backend is a new "
        "one for the run.",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run folders or ids (default: all runs here)")
    parser.add_argument("--to", metavar="NAMES", help="the backends (default: those of the run)")
    parser.add_argument("--project", help="only the runs of this project")
    parser.add_argument("--dir", metavar="FOLDER", help="the folder that holds all runs")
    return parser


def main(argv: list[str]) -> int:
    """Sync runs, one after the other."""
    options = arguments().parse_args(argv)
    given = {"dir": options.dir, "to": options.to.split(",") if options.to else None}
    chosen = settings.load(os.getcwd(), os.environ, given)
    base = Path(chosen["dir"])
    found = [find(name, base) for name in options.runs] or status.all_runs(base, options.project)
    complete = True
    for one in found:
        backends = chosen["to"] if options.to else registry.allowed(one.run.to, chosen["to"])
        for name in [] if options.to else set(one.run.to) - set(backends):
            print(f"{label(one)}: {name}: code that a run's folder names is not imported (--to {name} does)")
        if one.state == "running":
            print(f"{label(one)}: still running")
        elif one.is_missing(backends):
            complete = _deliver(one, backends) and complete
        else:
            print(f"{label(one)}: nothing is missing")
    if not found:
        print(f"there are no runs in {base}")
    return 0 if complete else 1


def _deliver(one: RunStatus, backends: list[str]) -> bool:
    supervisor = Supervisor(one.folder, "--to", ",".join(backends))
    supervisor.start()
    done = supervisor.finish(math.inf)
    now = status.of(one.folder)
    complete = done and now is not None and not now.is_missing(backends)
    if complete:
        print(f"{label(one)}: delivered to {', '.join(backends)}")
    else:
        print(f"{label(one)}: not complete; see {os.path.relpath(one.folder / runs.TRACKER_LOG)}")
        for line in _notes(one.folder):
            print(f"  {line}")
    return complete


def _notes(folder: Path) -> list[str]:
    """What the closing block says about backends that lack something."""
    try:
        lines = (folder / runs.SUMMARY).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if " delivered: " in line]


def label(one: RunStatus) -> str:
    """The run's name in lists and messages."""
    return f"{one.run.project}/{one.run.name}"


def find(name: str, base: Path) -> RunStatus:
    """The run of this folder or id.  Raises UserError where there is none."""
    candidates = [Path(name), *base.glob(f"*/{name}")]
    for folder in candidates:
        if (found := status.of(folder)) is not None:
            return found._replace(folder=folder.absolute())
    raise UserError(f"there is no run {name!r}, neither as a folder nor as an id in {base}")
