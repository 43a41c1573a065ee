"""Removing runs from this disk, and from backends that keep them here: `capture runs rm`."""

from __future__ import annotations

import argparse
import re
import shutil
import time

from capture.cli.places import Place
from capture.delivery import registry
from capture.errors import UserError
from capture.runs import status
from capture.runs.status import RunStatus

UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def remove(options: argparse.Namespace, place: Place) -> int:
    if bool(options.runs) == bool(options.older):
        raise UserError("rm: name runs, or say --older AGE, such as --older 30d")
    chosen = {one.folder: one for one in (place.find(name, options.project) for name in options.runs)}
    if options.older:
        limit = time.time() - age(options.older)
        chosen = {
            one.folder: one
            for one in status.all_runs(place.base, options.project)
            if (one.run.end or one.run.start) < limit
        }
        if not chosen:
            print(f"no run in {place.base} ended longer than {options.older} ago")
    kept = 0
    for one in chosen.values():
        if one.state == "running":
            print(f"{one.label}: still running, kept")
        elif one.state == "broken" and not options.force:
            print(f"{one.label}: broken ({'; '.join(one.problems)}), kept (--force)")
        elif one.is_missing(one.run.to) and not options.force:
            print(f"{one.label}: not delivered, kept (capture sync {one.run.id}, or --force)")
        elif problems := _remove_one(one):
            print(f"{one.label}: kept, because it can't be removed everywhere: {'; '.join(problems)}")
        else:
            continue
        kept += 1
    return 1 if kept and not options.older else 0


def _remove_one(one: RunStatus) -> list[str]:
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
