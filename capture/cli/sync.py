"""`capture sync [RUN...]`: deliver what is not delivered yet."""

from __future__ import annotations

import math
import os
from pathlib import Path

from capture import runs, settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.runs import status
from capture.runs.find import find
from capture.runs.status import RunStatus
from capture.tracker.supervisor import Supervisor


def arguments() -> Arguments:
    """The options of `capture sync`."""
    parser = Arguments(
        prog="capture sync",
        description="Deliver what is missing: a backend was down, the machine died, or the backend is a new "
        "one for the run.",
    )
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="folders, ids or names of runs, or `last` (default: all runs here)",
    )
    parser.add_argument("--to", metavar="BACKENDS", help="the backends (default: those of the run)")
    parser.add_argument("--project", metavar="PROJECT", help="only the runs of this project")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Sync runs, one after the other."""
    options = arguments().parse_args(argv)
    given = {"dir": options.dir, "to": options.to.split(",") if options.to else None}
    chosen = settings.load(os.getcwd(), os.environ, given)
    base = Path(chosen["dir"])
    found = [find(name, base, options.project) for name in options.runs]
    if not options.runs and not (found := status.all_runs(base, options.project)):
        print(f"there are no runs in {base}")
    complete, whole = True, 0
    for one in found:
        backends = chosen["to"] if options.to else one.run.to
        if one.state == "running":
            print(f"{one.label}: still running")
        elif one.is_missing(backends):
            complete = _deliver(one, backends) and complete
        else:
            whole += 1
    if found and whole == len(found):
        print(f"nothing is missing in {f'{whole} runs' if whole > 1 else found[0].label}")
    return 0 if complete else 1


def _deliver(one: RunStatus, backends: list[str]) -> bool:
    """Deliver a run, and say what that came to.  Returns whether nothing is missing now."""
    supervisor = Supervisor(one.folder, "--to", ",".join(backends))
    supervisor.start()
    done = supervisor.finish(math.inf)
    now = status.of(one.folder)
    if not done or now is None or now.is_missing(backends):
        print(f"{one.label}: not complete; see {os.path.relpath(one.folder / runs.TRACKER_LOG)}")
        for line in _notes(one.folder):
            print(f"  {line}")
        return False
    gained = [name for name in backends if not one.delivered.get(name)]
    if not now.records:
        print(f"{one.label}: read to its end; it holds no metrics")
    elif gained:
        print(f"{one.label}: {now.records:,} records delivered to {', '.join(gained)}")
    else:
        print(f"{one.label}: read to its end; nothing was missing in {', '.join(backends)}")
    return True


def _notes(folder: Path) -> list[str]:
    """What the closing block says about backends that lack something."""
    try:
        lines = (folder / runs.SUMMARY).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if " delivered: " in line]
