"""`capture ui`: open the local dashboard on the runs here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from capture import settings
from capture.delivery import registry


def arguments() -> argparse.ArgumentParser:
    """The options of `capture ui`."""
    parser = argparse.ArgumentParser(
        prog="capture ui", description="Open the local dashboard in the browser; Ctrl-C ends it."
    )
    parser.add_argument("--project", help="the project to show first (default: the folder's name)")
    parser.add_argument(
        "--dir", metavar="FOLDER", help="the folder that holds all runs (default: capture-runs)"
    )
    parser.add_argument("--port", type=int, help="the port on this machine (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    return parser


def main(argv: list[str]) -> int:
    """Run `capture ui`."""
    options = arguments().parse_args(argv)
    given = {"project": options.project, "dir": options.dir}
    chosen = settings.load(os.getcwd(), os.environ, given)
    base = Path(chosen["dir"])
    if not base.is_dir():
        print(f"capture ui: there are no runs in {base}; capture -- COMMAND makes one", file=sys.stderr)
        return 1
    project = chosen.get("project") or Path.cwd().name
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # the address is needed now, also through a pipe
    dashboard = registry.adapter_class(settings.DEFAULTS["to"][0]).dashboard
    try:
        dashboard(project, base, options.port, not options.no_browser)
    except KeyboardInterrupt:
        print()
    return 0
