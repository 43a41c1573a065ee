"""`capture replay RUN|FILE...`: make new runs from old ones or from logs, with today's parsers."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs, settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.cli.parse import MANY, add_jobs_option, place_of
from capture.errors import UserError
from capture.many import logs, pool
from capture.runs import Result, replay, start, status
from capture.runs.logs import stem
from capture.tracker.supervisor import Supervisor


def arguments() -> Arguments:
    """The options of `capture replay`."""
    parser = Arguments(
        prog="capture replay",
        description="Make a new run from the recording of an old one, or from any log, with today's parsers "
        "and the original times.  Of several, one that can't be read is said and left out.",
    )
    parser.add_argument("files", nargs="+", metavar="RUN|FILE", help=MANY)
    run_options.add_options(parser)
    add_jobs_option(parser)
    parser.add_argument("--json", action="store_true", help="print for each file what became of it")
    return parser


def main(argv: list[str]) -> int:
    """Replay runs and logs, in their order."""
    options = arguments().parse_args(argv)
    chosen = run_options.choose(options)
    for key in (*run_options.KEPT.values(), "plots"):
        chosen.pop(key, None)  # what the command left behind then is in the recording
    found = logs.find(options.files, lambda word: place_of(word, chosen["dir"]))
    for problem in found.problems:
        print(f"capture replay: {problem}", file=sys.stderr)
    complete = not found.problems
    work = [
        _Work(place, chosen, math.inf if options.wait is None else options.wait) for place in found.places
    ]
    for done in pool.in_order(_replay, work, options.jobs):
        if options.json:
            print(json.dumps(done.said, ensure_ascii=False), flush=True)
        if "problem" in done.said:
            if not found.several:
                raise UserError(done.said["problem"])
            print(f"capture replay: {done.said['problem']}", file=sys.stderr)
        elif done.said.get("run"):
            run_options.close(done.said["run"], done.result, chosen)
            if chosen["summary"] == "auto" and not (options.json or sys.stderr.isatty()):
                _say_where(done.said)  # there is no closing block
        complete = complete and done.result.tracker_ok
    return 0 if complete else 1


def _say_where(said: dict[str, Any]) -> None:
    """Print where the new run is, unless it was removed since it holds nothing."""
    if os.path.exists(said["run"]):
        count = f"{said['records']:,} record{'s' * (said['records'] != 1)}"
        place = os.path.relpath(said["run"])
        rest = "" if said["complete"] else f", not complete: capture sync {place}"
        print(f"capture replay: {place}: {count}{rest}", file=sys.stderr)


class _Work(NamedTuple):
    """A run or a log to replay, and how many seconds its backends may take."""

    place: str
    chosen: settings.Settings
    wait: float


class _Done(NamedTuple):
    """What became of it: for people, and for programs."""

    said: dict[str, Any]
    result: Result


def _replay(work: _Work) -> _Done:
    """Make one run."""
    said: dict[str, Any] = {"file": work.place}
    failed = Result(1, None, None, False)
    try:
        log, old = replay.source_of(work.place)
        folder = _make(log, old, work.chosen)
    except UserError as error:
        return _Done({**said, "problem": str(error)}, failed)
    except OSError as error:
        return _Done({**said, "problem": f"{work.place}: {error.strerror}"}, failed)
    if folder is None:
        return _Done(said, failed)
    supervisor = Supervisor(folder)
    supervisor.start()
    done = supervisor.finish(work.wait)
    now = status.of(Path(folder))
    return _Done(
        {**said, "run": folder, "records": now.records if now else 0, "complete": done},
        Result(0, None, None, done),
    )


def _make(log: Path, old: runs.Run | None, chosen: settings.Settings) -> str | None:
    """The folder of the new run, with its recording; None if none can be made.  Raises OSError, UserError."""
    named = chosen if old is None else {**chosen, "name": chosen.get("name") or old.name}
    run = start.new_run([], stem(log), named)
    _, folder = start.open_run(replay.as_it_was(run, log, old, chosen), chosen)
    if folder is not None:
        try:
            replay.record(log, old, folder)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder
