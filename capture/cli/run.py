"""`capture -- COMMAND`: run a command and track what it prints; `... | capture -`: what another one prints.

On the way of every start: imports only what is needed, when it is needed.
"""

from __future__ import annotations

import argparse
import os
import time

from capture import runs, settings
from capture.bare import reason, run_bare
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.relay import loop
from capture.relay.command import NotStarted, die_of_signal
from capture.runs import names, start


def arguments(with_words: bool = True) -> Arguments:
    """The options of `capture run`, and `words` for what comes before or without the two dashes."""
    parser = Arguments(
        prog="capture",
        usage="capture [OPTIONS] -- COMMAND [ARGS...]\n       COMMAND 2>&1 | capture [OPTIONS] -",
        description="Run a command unchanged and turn what it prints into metrics.  With a single dash: "
        "read what another command prints from standard input, and pass it on.",
    )
    run_options.add_options(parser)
    run_options.add_file_options(parser)
    add = parser.add_argument
    add("--id", metavar="ID", help="the run's id (default: the time and a few random letters)")
    add(
        "--resume",
        choices=settings.CHOICES["resume"],
        help="continue the run with this --id: if there is one (allow), fail if there is none (must), or "
        "never (default)",
    )
    add(
        "--join",
        metavar="ID",
        help="where a launcher starts capture for each rank: the one run that they make (default: auto, by "
        "what the launcher says of its job; never: each makes its own)",
    )
    add(
        "--tty",
        choices=settings.CHOICES["tty"],
        help="give the command a terminal (default: auto, if capture has one)",
    )
    add("--unbuffer", action=argparse.BooleanOptionalAction, default=None, help="set PYTHONUNBUFFERED")
    add(
        "--linger",
        type=run_options.seconds,
        metavar="SECONDS",
        help="wait for output of processes that the command leaves running (default: 1)",
    )
    if with_words:
        add("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: list[str]) -> int:
    """Run a command, and end as it ended."""
    piped = argv[-1:] == ["-"] and "--" not in argv
    cut = argv.index("--") if "--" in argv else len(argv) - piped
    options = arguments().parse_args(argv[:cut])
    command = argv[cut + 1 :]
    if options.words or not (command or piped):
        from capture.cli import no_command  # only for its message

        raise no_command.error(argv[: cut - len(options.words)], options.words, command)
    try:
        chosen, run, folder = _begin(options, command)
    except UserError:
        raise
    except Exception as error:  # nothing that goes wrong here may keep the command from running
        if piped:
            raise
        run_bare(command, _reason(error))
    since = time.time() - run.start if run.resumed else 0.0
    is_part = bool(chosen.get("job", {}).get("rank"))  # of the run of a rank 0
    if piped:
        from capture.relay import stdin  # not on the way of a command's start

        result = stdin.pass_on(folder, chosen["wait"], since)
    else:
        how = loop.Options(chosen["tty"], chosen["unbuffer"], chosen["linger"], chosen["wait"], since)
        if is_part:
            above = os.path.dirname(os.path.dirname(folder or ""))
            how = how._replace(part_of=above, tracked=bool(run.to))
        try:
            result = loop.run(command, folder, how)
        except NotStarted as error:
            runs.note_crash(folder)
            run_bare(command, str(error))
    if is_part:
        run_options.close_rank(folder, result, chosen)
    else:
        run_options.close(folder, result, chosen)
    if result.signal is not None:
        die_of_signal(result.signal)
    return result.status


def _begin(options: argparse.Namespace, command: list[str]) -> tuple[settings.Settings, runs.Run, str | None]:
    """The settings, the run and its folder, None if it can't be recorded.  Raises UserError."""
    chosen = start.join(run_options.choose(options), os.environ)
    if chosen["resume"] == "must" and not chosen.get("id"):
        raise UserError("--resume must: say which run, with --id ID")
    if rank := chosen.get("job", {}).get("rank"):
        # The run is rank 0's; where the ranks share no folder, each sends to W&B by itself.
        chosen |= {"name": f"rank {rank}", "to": [name for name in chosen["to"] if name == "wandb"]}
    run = start.new_run(command, names.called(command) if command else "stdin", chosen)
    run, folder = start.open_run(run, chosen)
    return chosen, run, folder


def _reason(error: Exception) -> str:
    try:
        os.getcwd()
    except OSError:
        return "the current folder has been removed"
    return reason(error)
