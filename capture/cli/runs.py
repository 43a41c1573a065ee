"""`capture runs`: the runs here; `capture runs rm` removes old ones."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from capture import settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.delivery import registry
from capture.errors import UserError
from capture.runs import status
from capture.runs.find import find
from capture.runs.status import RunStatus
from capture.tracker.closing import clock, short

SHOWN = 3  # metrics in a line
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def arguments() -> Arguments:
    """The options of `capture runs`."""
    parser = Arguments(prog="capture runs", description="List the runs here, or remove old ones.")
    _add_places(parser)
    commands = parser.add_subparsers(dest="command", metavar="list|rm")
    listing = commands.add_parser("list", help="list them: state, age, last values, and what is delivered")
    remove = commands.add_parser(
        "rm", help="remove runs from this disk, also from backends that keep them here"
    )
    for command in (listing, remove):
        _add_places(command, default=argparse.SUPPRESS)  # else it would undo what stands before `list`
    remove.add_argument("runs", nargs="*", metavar="RUN", help="folders, ids or names of runs, or `last`")
    remove.add_argument(
        "--older", metavar="AGE", help="all that ended longer ago than this, such as 12h, 30d or 8w"
    )
    remove.add_argument("--force", action="store_true", help="also runs that are not delivered")
    return parser


def _add_places(parser: argparse.ArgumentParser, **more: Any) -> None:
    parser.add_argument("--project", metavar="PROJECT", help="only the runs of this project", **more)
    run_options.add_dir_option(parser, **more)


def main(argv: list[str]) -> int:
    """Run `capture runs`."""
    options = arguments().parse_args(argv)
    base = Path(settings.load(os.getcwd(), os.environ, {"dir": options.dir})["dir"])
    if options.command == "rm":
        return _remove(options, base)
    found = status.all_runs(base, options.project)
    if not found:
        of_project = f" of the project {options.project!r}" if options.project else ""
        print(f"there are no runs{of_project} in {base}; capture -- COMMAND makes one")
        return 0
    rows = [("ID", "RUN", "STATE", "AGE", "LAST VALUES", "DELIVERED"), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(one: RunStatus) -> tuple[str, ...]:
    values = [f"{name}={_number(value)}" for name, value in list(one.last.items())[:SHOWN]]
    more = len(one.last) - SHOWN
    delivered = [f"{name}{'' if one.delivered.get(name) else ' missing'}" for name in one.run.to]
    return (
        one.run.id,
        one.label,
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
    chosen = {one.folder: one for one in (find(name, base, options.project) for name in options.runs)}
    if options.older:
        limit = time.time() - age(options.older)
        chosen = {
            one.folder: one
            for one in status.all_runs(base, options.project)
            if (one.run.end or one.run.start) < limit
        }
        if not chosen:
            print(f"no run in {base} ended longer than {options.older} ago")
    kept = 0
    for one in chosen.values():
        if one.state == "running":
            print(f"{one.label}: still running, kept")
        elif one.is_missing(one.run.to) and not options.force:
            print(f"{one.label}: not delivered, kept (capture sync {one.run.id}, or --force)")
        elif problems := _remove_run(one):
            print(f"{one.label}: kept, because it can't be removed everywhere: {'; '.join(problems)}")
        else:
            continue
        kept += 1
    return 1 if kept and not options.older else 0


def _remove_run(one: RunStatus) -> list[str]:
    """Remove a run from the backends and then from the disk, and say so.  Returns what went wrong."""
    gone, stays, problems = list[str](), list[str](), list[str]()
    for name in dict.fromkeys([*one.run.to, *one.delivered]):
        try:
            (gone if registry.adapter_class(name).remove(one.run, one.folder) else stays).append(name)
        except Exception as error:
            problems.append(f"{name}: {error}")
    if problems:
        return problems
    try:
        shutil.rmtree(one.folder)
    except OSError as error:
        return [f"{error.filename}: {error.strerror}"]
    stays = [name for name in stays if one.delivered.get(name)]
    also = f", also from {', '.join(gone)}" if one.records and gone else ""
    rest = f"; what {', '.join(stays)} has got stays there" if stays else ""
    print(f"{one.label}: removed{also}{rest}")
    return []


def age(text: str) -> float:
    """Seconds, from `12h`, `30d`, `8w`.  Raises UserError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if not match:
        raise UserError(f"--older {text}: should be a number with m, h, d or w, such as 30d")
    return float(match[1]) * UNITS[match[2]]
