"""`capture follow FILE`: track what somebody else's job writes into a file."""

from __future__ import annotations

import os

from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.relay import follow
from capture.runs import start


def arguments() -> Arguments:
    """The options of `capture follow`."""
    parser = Arguments(
        prog="capture follow",
        description="Track a growing log from its beginning.  It may not exist yet, and may be rotated.  "
        "Ctrl-C ends it.",
    )
    parser.add_argument("file", help="the log that a job writes (of Slurm, nohup, kubectl logs)")
    parser.add_argument(
        "--until-pid", type=int, metavar="PID", help="end when this process has ended and everything is read"
    )
    parser.add_argument(
        "--idle", type=float, metavar="SECONDS", help="end when nothing new has come for so long"
    )
    run_options.add_options(parser)
    return parser


def main(argv: list[str]) -> int:
    """Follow a file."""
    options = arguments().parse_args(argv)
    path = os.path.abspath(options.file)
    if os.path.isdir(path):
        raise UserError(f"{options.file}: a folder; name the file that the job writes")
    chosen = run_options.choose(options)
    called = os.path.splitext(os.path.basename(path))[0]
    _, folder = start.open_run(start.new_run([], called, chosen), chosen)
    if folder is None:
        return 1
    result = follow.follow(folder, path, chosen["wait"], options.until_pid, options.idle)
    run_options.close(folder, result, chosen)
    return result.status
