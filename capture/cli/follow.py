"""`capture follow FILE`: track what somebody else's job writes into a file."""

from __future__ import annotations

import argparse
import os
import sys

from capture import intake
from capture.cli import starting


def arguments() -> argparse.ArgumentParser:
    """The options of `capture follow`."""
    parser = argparse.ArgumentParser(
        prog="capture follow",
        description="Track a log that grows, from its beginning; also one that is not there yet, or is "
        "rotated.  Ctrl-C ends it.",
    )
    parser.add_argument("file", help="the log of a job: of Slurm, of nohup, of kubectl logs")
    parser.add_argument(
        "--until-pid", type=int, metavar="PID", help="end when this process has ended and all of it is read"
    )
    parser.add_argument("--idle", type=float, metavar="SECONDS", help="end when nothing came for so long")
    starting.add_options(parser)
    return parser


def main(argv: list[str]) -> int:
    """Follow a file."""
    options = arguments().parse_args(argv)
    path = os.path.abspath(options.file)
    try:
        if os.path.isdir(path):
            raise ValueError(f"{options.file}: a folder; name the file that the job writes")
        chosen = starting.choose(options)
        called = os.path.splitext(os.path.basename(path))[0]
        folder = starting.open_run(starting.new_run([], called, chosen), chosen)[1]
    except ValueError as error:
        print(f"capture follow: {error}", file=sys.stderr)
        return 2
    if folder is None:
        return 1
    result = intake.follow(folder, path, chosen["wait"], options.until_pid, options.idle)
    starting.close(folder, result, chosen["summary"])
    return result.status
