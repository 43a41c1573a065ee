"""The command line: one module for each command, found here by its name and imported only then.

`capture [OPTIONS] -- COMMAND` is the one that has to start fast, so nothing else is imported for it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from importlib import import_module
from typing import Any

from capture.bare import reason, run_bare
from capture.cli import door_only
from capture.errors import UserError
from capture.printing import make_plain

COMMANDS = {
    "run": "run a command and track what it prints (short: capture -- COMMAND)",
    "follow": "track a growing log",
    "collect": "make one run for each pod, host or job of a stream of many",
    "replay": "make a new run from an old one, or from any log, with today's parsers",
    "sync": "deliver what is not delivered yet",
    "runs": "list the runs here: what differs, last and best values; remove old ones",
    "show": "show one run",
    "compare": "show what differs between runs: config, results, code, packages",
    "plot": "draw a metric of one or several runs in the terminal",
    "page": "write one HTML file that shows runs",
    "tag": "add tags to a run",
    "note": "write a remark on a run",
    "rename": "give a run another name",
    "rerun": "run the command of a run again",
    "sweep": "run a command many times with other values, and find the best",
    "login": "log in to a backend that wants it (wandb)",
    "learn": "write a parser for the lines of a run that no parser reads, and use it",
    "parse": "print the records of a recording or a log as JSON lines",
    "parsers": "list the parsers, show one, test them",
    "doctor": "say what is installed, found and reachable",
    "ui": "open the local dashboard",
    "completion": "print what makes the Tab key complete commands and options",
    "help": "show this, or the help of a command",
    "version": "print the version",
}

UNWRITABLE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
INTERNAL = ("attach",)  # of the Python door


def main(argv: list[str] | None = None) -> int:
    """The entry point of `capture`.  Returns the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    # Closed by the caller (`>&-`): nothing is printed there, and the descriptor stays free.
    name = ""
    sys.stdout, sys.stderr = make_plain(sys.stdout or io.StringIO()), make_plain(sys.stderr or io.StringIO())
    try:
        if "_ARGCOMPLETE" in os.environ:
            from capture.cli.completion import answer  # only for the Tab key

            return answer()
        door_only.check(arguments)
        name, arguments = _command(arguments)
        status: int = _module(name, arguments).main(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered can't be written either
        print(f"capture: standard output: {error.strerror}", file=sys.stderr)
        return 1
    except UserError as error:
        first, *others = str(error).splitlines()
        print(f"capture{name and f' {name}'}: {first}", *others, sep="\n", file=sys.stderr)
        return 2


def _module(name: str, arguments: list[str]) -> Any:
    """The module of a command."""
    try:
        return import_module(f"capture.cli.{name or 'run'}")
    except (ImportError, OSError) as error:  # no file can be opened, say
        if name or "--" not in arguments:
            raise
        run_bare(arguments[arguments.index("--") + 1 :], reason(error))


def _command(arguments: list[str]) -> tuple[str, list[str]]:
    """The command that is meant, empty for the short form of `run`, and its arguments.

    Options may come before its name, too.
    """
    first = arguments[0] if arguments else "help"
    if first in COMMANDS or first in INTERNAL:
        return first, arguments[1:]
    if arguments in (["-h"], ["--help"], ["--version"]):
        return "version" if first == "--version" else "help", []
    if "--" not in arguments and any(word in COMMANDS for word in arguments):
        from capture.cli import run  # slow

        words: list[str] = run.arguments().parse_args(arguments).words
        if words and words[0] in COMMANDS:
            return words[0], [*arguments[: len(arguments) - len(words)], *words[1:]]
    return "", arguments
