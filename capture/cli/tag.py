"""`capture tag RUN TAG...`: tags of a run, afterwards."""

from __future__ import annotations

from capture import runs
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.cli.note import change
from capture.errors import UserError


def arguments() -> Arguments:
    """The options of `capture tag`."""
    parser = Arguments(prog="capture tag", description="Add tags to a run, or take them away.")
    parser.add_argument("run", metavar="RUN", help="its folder, id or name, or last")
    parser.add_argument("tags", nargs="*", metavar="TAG", help="the tags")
    parser.add_argument("--remove", action="store_true", help="take them away")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture tag`."""
    options = arguments().parse_args(argv)
    if not options.tags:
        raise UserError("name a tag, such as: capture tag last baseline")

    def tagged(run: runs.Run) -> runs.Run:
        kept = [tag for tag in run.tags if tag not in options.tags]
        return run._replace(tags=kept if options.remove else [*kept, *options.tags])

    return change(options.run, options.dir, tagged, lambda run: f"tags {', '.join(run.tags) or 'none'}")
