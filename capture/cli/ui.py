"""`capture ui`: open the local dashboard on the runs here."""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter
from pathlib import Path

from capture import settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.delivery import registry
from capture.errors import UserError, did_you_mean
from capture.runs import status


def arguments() -> Arguments:
    """The options of `capture ui`."""
    parser = Arguments(
        prog="capture ui", description="Open the local dashboard in the browser; Ctrl-C ends it."
    )
    parser.add_argument(
        "--project",
        metavar="PROJECT",
        help="the project to show first (default: the folder's name, else the one of the last run)",
    )
    run_options.add_dir_option(parser)
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="the port on this machine (default: a free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    return parser


def main(argv: list[str]) -> int:
    """Run `capture ui`."""
    options = arguments().parse_args(argv)
    given = {"project": options.project, "dir": options.dir}
    chosen = settings.load(os.getcwd(), os.environ, given)
    base = Path(chosen["dir"])
    here = [run for _, run in status.identities(base)]
    if not here:
        print(f"capture ui: there are no runs in {base}; capture -- COMMAND makes one", file=sys.stderr)
        return 1
    counts = Counter(run.project for run in here)
    project = chosen.get("project")
    if project is not None and project not in counts:
        hint = did_you_mean(project, counts, f"there are {', '.join(sorted(counts))}")
        raise UserError(f"there is no project {project!r} in {base}; {hint}")
    if project is None:
        name = Path.cwd().name
        project = name if name in counts else here[-1].project
    _check_port(options.port)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # the address is needed now, also through a pipe
    print(_what(counts, project, base))
    dashboard = registry.adapter_class(settings.DEFAULTS["to"][0]).dashboard
    try:
        dashboard(project, base, options.port, not options.no_browser)
    except KeyboardInterrupt:
        print()
    return 0


def _what(counts: Counter[str], project: str, base: Path) -> str:
    """What is served, and how that ends."""
    number, others = counts[project], len(counts) - 1
    runs = f"{number} run{'s' * (number != 1)} of {project}"
    rest = f" and {others} other project{'s' * (others != 1)}" if others else ""
    return f"serving {runs}{rest} from {base}; Ctrl-C ends it"


def _check_port(port: int | None) -> None:
    """Raises UserError where nothing can listen on this port."""
    if port is None:
        return
    if not 0 < port < 65536:
        raise UserError(f"--port {port}: should be a number from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(
                f"--port {port}: {(error.strerror or str(error)).lower()}; without --port a free one is taken"
            ) from None
