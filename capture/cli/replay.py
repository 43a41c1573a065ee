"""`capture replay RUN|FILE...`: make new runs from old ones or from logs, with today's parsers."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.cli.parse import RUN, place_of
from capture.runs import Result, replay, start
from capture.tracker.supervisor import Supervisor


def arguments() -> Arguments:
    """The options of `capture replay`."""
    parser = Arguments(
        prog="capture replay",
        description="Make a new run from the recording of an old one, or from any log, with today's parsers "
        "and the original times.",
    )
    parser.add_argument("files", nargs="+", metavar="RUN|FILE", help=f"{RUN}; or a log")
    run_options.add_options(parser)
    return parser


def main(argv: list[str]) -> int:
    """Replay runs and logs, one after the other."""
    options = arguments().parse_args(argv)
    chosen = run_options.choose(options)
    for key in (*run_options.KEPT.values(), "plots"):
        chosen.pop(key, None)  # what the command left behind then is in the recording
    sources = [replay.source_of(place_of(name, chosen["dir"])) for name in options.files]
    complete = True
    for log, old in sources:
        named = chosen if old is None else {**chosen, "name": chosen.get("name") or old.name}
        run = start.new_run([], Path(log).stem, named)
        run, folder = start.open_run(replay.as_it_was(run, log, old, chosen), chosen)
        if folder is None:
            return 1
        try:
            replay.record(log, old, folder)
        except OSError as error:
            print(f"capture replay: {folder}: {error.strerror}", file=sys.stderr)
            return 1
        supervisor = Supervisor(folder)
        supervisor.start()
        wait = math.inf if options.wait is None else options.wait
        done = supervisor.finish(wait)
        run_options.close(folder, Result(0, None, None, done), chosen)
        complete = complete and done
    return 0 if complete else 1
