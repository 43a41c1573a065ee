"""`capture runs`: the runs here; `capture runs rm` removes old ones."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from pathlib import Path

from capture import settings
from capture.cli.sync import find, label
from capture.errors import UserError
from capture.runs import status
from capture.runs.status import RunStatus
from capture.tracker.closing import clock, short

SHOWN = 3  # metrics in a line
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def arguments() -> argparse.ArgumentParser:
    """The options of `capture runs`."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--project", help="only the runs of this project")
    shared.add_argument("--dir", metavar="FOLDER", help="the folder that holds all runs")
    parser = argparse.ArgumentParser(
        prog="capture runs", description="List the runs here, or remove old ones.", parents=[shared]
    )
    commands = parser.add_subparsers(dest="command", metavar="list|rm")
    commands.add_parser(
        "list", parents=[shared], help="list them: state, age, last values, and what is delivered"
    )
    remove = commands.add_parser("rm", parents=[shared], help="remove runs from this disk")
    remove.add_argument("runs", nargs="*", metavar="RUN", help="run folders or ids")
    remove.add_argument(
        "--older", metavar="AGE", help="all that ended longer ago than this, such as 12h, 30d or 8w"
    )
    remove.add_argument("--force", action="store_true", help="also runs that are not delivered")
    return parser


def main(argv: list[str]) -> int:
    """Run `capture runs`."""
    options = arguments().parse_args(argv)
    base = Path(settings.load(os.getcwd(), os.environ, {"dir": options.dir})["dir"])
    if options.command == "rm":
        return _remove(options, base)
    found = status.all_runs(base, options.project)
    if not found:
        print(f"there are no runs in {base}; capture -- COMMAND makes one")
        return 0
    rows = [("ID", "RUN", "STATE", "AGE", "LAST VALUES", "DELIVERED"), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for one in found:
        for problem in one.problems:
            print(f"capture runs: {os.path.join(one.folder, problem)}", file=sys.stderr)
    return 0


def _row(one: RunStatus) -> tuple[str, ...]:
    values = [f"{name}={_number(value)}" for name, value in list(one.last.items())[:SHOWN]]
    more = len(one.last) - SHOWN
    delivered = [f"{name}{'' if one.delivered.get(name) else ' missing'}" for name in one.run.to]
    return (
        one.run.id,
        label(one),
        one.state,
        clock(time.time() - one.run.start),
        " ".join(values) + (f" +{more}" if more > 0 else ""),
        ", ".join(delivered) if one.records or not one.tracked else "no metrics",
    )


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else short(value)


def _remove(options: argparse.Namespace, base: Path) -> int:
    if bool(options.runs) == bool(options.older):
        raise UserError("rm: name runs, or say --older AGE, such as --older 30d")
    chosen = [find(name, base) for name in options.runs]
    if options.older:
        limit = time.time() - age(options.older)
        chosen = [
            one for one in status.all_runs(base, options.project) if (one.run.end or one.run.start) < limit
        ]
    kept = 0
    for one in chosen:
        if one.state == "running":
            print(f"{label(one)}: still running, kept")
        elif one.state == "broken" and not options.force:
            print(f"{label(one)}: broken ({'; '.join(one.problems)}), kept (--force)")
        elif one.is_missing(one.run.to) and not options.force:
            print(f"{label(one)}: not delivered, kept (capture sync {one.run.id}, or --force)")
        else:
            shutil.rmtree(one.folder)
            print(f"{label(one)}: removed")
            continue
        kept += 1
    return 1 if kept and not options.older else 0


def age(text: str) -> float:
    """Seconds, from `12h`, `30d`, `8w`.  Raises UserError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if not match:
        raise UserError(f"--older {text}: should be a number with m, h, d or w, such as 30d")
    return float(match[1]) * UNITS[match[2]]
