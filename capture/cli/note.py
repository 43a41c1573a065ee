"""`capture note RUN TEXT`: a remark on a run, afterwards."""

from __future__ import annotations

from collections.abc import Callable

from capture import runs
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError


def arguments() -> Arguments:
    """The options of `capture note`."""
    parser = Arguments(
        prog="capture note", description="Write a remark on a run; it replaces the one before."
    )
    parser.add_argument("run", metavar="RUN", help="its folder, id or name, or last")
    parser.add_argument("text", metavar="TEXT", help="the remark")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture note`."""
    options = arguments().parse_args(argv)
    return change(options.run, options.dir, lambda run: run._replace(notes=options.text), lambda run: "noted")


def change(
    wanted: str, folder: str | None, changed: Callable[[runs.Run], runs.Run], said: Callable[[runs.Run], str]
) -> int:
    """Change who a run is, in `run.json`, and say so.  Backends keep what they have got.

    Raises UserError if there is no such run, or its folder can't be written.
    """
    one = places.here(folder).find(wanted)
    run = changed(runs.read(one.folder))
    try:
        runs.write(one.folder, run)
    except OSError as error:
        raise UserError(f"{one.folder}: {error.strerror}") from None
    print(f"{run.project}/{run.name}: {said(run)}")
    return 0
