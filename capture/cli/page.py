"""`capture page RUN...`: one HTML file that shows runs, to look at, mail or publish."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from capture import runs
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.cli.places import Place
from capture.errors import UserError
from capture.runs import status
from capture.runs.find import LAST
from capture.runs.status import RunStatus

WATCH_INTERVAL = 5.0  # seconds
MOST_CONSOLES = 12  # runs on a page whose console it holds


def arguments() -> Arguments:
    """The options of `capture page`."""
    parser = Arguments(
        prog="capture page",
        description="Write one HTML file that shows runs: charts with their console lines, config, load, and "
        "where there are several, how they compare.  It needs no server and no network.",
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="run folders, ids, names, or last (default: last)"
    )
    parser.add_argument("--project", metavar="PROJECT", help="all runs of this project")
    parser.add_argument("--group", metavar="GROUP", help="all runs of this group, such as a sweep's")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file (default: NAME.html in this folder)")
    parser.add_argument("--title", help="its heading (default: the name of the run or the project)")
    parser.add_argument(
        "--redact",
        action="store_true",
        help="leave out console, command, machine and environment: to publish",
    )
    parser.add_argument(
        "--watch", action="store_true", help="write it again while the runs go on; an open page follows"
    )
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture page`."""
    options = arguments().parse_args(argv)
    chosen = _chosen(options, places.to_look_at(options.dir))
    several = options.group or chosen[0].run.project
    title = options.title or (chosen[0].run.name if len(chosen) == 1 else several)
    output = Path(options.output or f"{_file_name(title)}.html")
    size = write(output, title, chosen, options.redact, WATCH_INTERVAL * (options.watch and _go_on(chosen)))
    if options.watch and _go_on(chosen):
        print(f"{output}: is written again while the runs go on; Ctrl-C ends it", flush=True)
        try:
            while _go_on(chosen):
                time.sleep(WATCH_INTERVAL)
                chosen = [status.of(one.folder) or one for one in chosen]
                size = write(output, title, chosen, options.redact, WATCH_INTERVAL * _go_on(chosen))
        except KeyboardInterrupt:
            size = write(output, title, chosen, options.redact, 0)
    print(f"{output}: {len(chosen)} run{'s' if len(chosen) > 1 else ''}, {size / 1024:,.0f} KB")
    return 0


def _go_on(chosen: Sequence[RunStatus]) -> bool:
    return any(one.state == "running" for one in chosen)


def write(output: Path, title: str, chosen: Sequence[RunStatus], public: bool, watch: float) -> int:
    """Write the page of runs to a file, in one step; returns its size in bytes.

    `public` leaves out what is nobody else's business; `watch` lets an open page load itself again every so
    many seconds.  Raises UserError if the file can't be written.
    """
    from capture import __version__
    from capture.page import document, run_data  # slow

    consoles = len(chosen) <= MOST_CONSOLES
    data = {
        "title": title,
        "version": __version__,
        "watch": watch,
        "runs": [run_data.of(one, public, consoles) for one in chosen],
    }
    text = document.render(title, data)
    try:
        runs.replace_file(output, text)
    except OSError as error:
        raise UserError(f"{output}: {error.strerror}") from None
    return len(text.encode())


def _chosen(options: argparse.Namespace, place: Place) -> list[RunStatus]:
    if (options.project or options.group) and not options.runs:
        found = status.all_runs(place.base, options.project)
        if options.group:
            found = [one for one in found if one.run.group == options.group]
        if not found:
            which = [f"the {key} {name!r}" for key in ("project", "group") if (name := getattr(options, key))]
            raise UserError(f"there are no runs of {' and '.join(which)} in {place.base}")
        return found
    named = [place.find(name, options.project) for name in options.runs or [LAST]]
    return list({one.folder: one for one in named}.values())


def _file_name(title: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.=" else "-" for c in title).strip("-.") or "page"
