"""`capture rename RUN NAME`: another name for a run."""

from __future__ import annotations

from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.cli.note import change
from capture.errors import UserError


def arguments() -> Arguments:
    """The options of `capture rename`."""
    parser = Arguments(prog="capture rename", description="Give a run another name.")
    parser.add_argument("run", metavar="RUN", help="its folder, id or name, or last")
    parser.add_argument("name", metavar="NAME", help="the new name")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture rename`."""
    options = arguments().parse_args(argv)
    if not options.name.strip():
        raise UserError("a name should not be empty")
    return change(
        options.run, options.dir, lambda run: run._replace(name=options.name), lambda run: "is its name now"
    )
