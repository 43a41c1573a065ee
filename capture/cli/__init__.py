"""The command line: one module for each command, found here by its name and imported only then.

`capture [OPTIONS] -- COMMAND` is the one that has to start fast, so nothing else is imported for it.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module

from capture.errors import UserError

COMMANDS = {
    "run": "run a command and track what it prints (short: capture -- COMMAND)",
    "follow": "track a growing log",
    "replay": "make a new run from an old one, or from any log, with today's parsers",
    "sync": "deliver what is not delivered yet",
    "runs": "list the runs here; remove old ones",
    "parse": "print the records of a recording or a log as JSON lines",
    "parsers": "list the parsers, show one, test them",
    "doctor": "say what is installed, found and reachable",
    "ui": "open the local dashboard",
}

INTERNAL = ("attach",)  # of the Python door

USAGE = """\
usage: capture [OPTIONS] -- COMMAND [ARGS...]
       COMMAND 2>&1 | capture [OPTIONS] -
       capture {follow,replay,sync,runs,parse,parsers,doctor,ui} ...

Experiment tracking for training programs that can't be changed.

"""


def main(argv: list[str] | None = None) -> int:
    """The entry point of `capture`.  Returns the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    # Closed by the caller (`>&-`): nothing is printed there, and the descriptor stays free.
    sys.stdout, sys.stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
    try:
        status = _command(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _command(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name == "--help" or name == "-h":
        width = max(map(len, COMMANDS)) + 2
        print(USAGE + "commands:\n" + "\n".join(f"  {n:{width}}{text}" for n, text in COMMANDS.items()))
        print("\n`capture run --help` lists the options, `capture COMMAND --help` those of another command.")
        return 0
    if name == "--version":
        from capture import __version__  # only for this

        print(f"capture {__version__}")
        return 0
    if name in COMMANDS or name in INTERNAL:
        arguments = arguments[1:]
    else:
        name = "run"
    try:
        status: int = import_module(f"capture.cli.{name}").main(arguments)
        return status
    except UserError as error:
        print(f"capture{'' if name == 'run' else f' {name}'}: {error}", file=sys.stderr)
        return 2
