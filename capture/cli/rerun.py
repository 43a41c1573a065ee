"""`capture rerun RUN [-- OPTIONS...]`: the same command again."""

from __future__ import annotations

import os
import shlex
import sys

from capture import runs
from capture.cli import places, run_options
from capture.cli import run as run_command
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.redaction import MASK
from capture.runs.find import LAST
from capture.runs.git import git_state
from capture.runs.status import RunStatus


def arguments() -> Arguments:
    """The options of `capture rerun`."""
    parser = Arguments(
        prog="capture rerun",
        usage="capture rerun [OPTIONS] [RUN] [-- MORE OPTIONS OF THE COMMAND...]",
        description="Run the command of a run again, in its folder and to the same backends.  What comes "
        "after two dashes is added to the command.",
    )
    parser.add_argument(
        "run", nargs="?", default=LAST, metavar="RUN", help="its folder, id or name (default: last)"
    )
    parser.add_argument("--name", metavar="NAME", help="the new run's name")
    parser.add_argument("--print", action="store_true", help="only print the command")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture rerun`."""
    cut = argv.index("--") if "--" in argv else len(argv)
    options = arguments().parse_args(argv[:cut])
    one = places.here(options.dir).find(options.run)
    run = one.run
    if not run.command:
        raise UserError(f"{one.label} was not started by capture: it has no command to run again")
    if any(MASK in word for word in run.command):
        words = shlex.join(run.command)
        raise UserError(
            f"the command of {one.label} held a secret, which is not kept; type it again: {words}"
        )
    command = [*run.command, *argv[cut + 1 :]]
    if options.print:
        print(f"cd {shlex.quote(run.cwd)} && capture -- {shlex.join(command)}")
        return 0
    try:
        os.chdir(run.cwd)
    except OSError as error:
        raise UserError(f"{run.cwd}: {error.strerror}; {one.label} ran there") from None
    for warning in _warnings(one):
        print(f"capture rerun: {warning}", file=sys.stderr)
    given = ["--project", run.project, "--to", ",".join(run.to), "--dir", str(one.folder.parents[1])]
    given += [word for tag in run.tags for word in ("--tag", tag)]
    given += ["--group", run.group] if run.group else []
    given += ["--name", options.name] if options.name else []
    return run_command.main([*given, "--", *command])


def _warnings(one: RunStatus) -> list[str]:
    """What is not as it was."""
    found = []
    then, now = one.run.git.get("commit"), git_state(one.run.cwd).get("commit")
    if then and now and then != now:
        found.append(f"the code is another: {then[:10]} then, {now[:10]} now")
    if (one.folder / runs.DIFF).exists():
        found.append(
            f"the run had changes that were not committed: {os.path.relpath(one.folder / runs.DIFF)}"
        )
    return found
