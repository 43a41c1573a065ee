"""`capture compare RUN RUN...`: what differs between runs, side by side."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capture import runs
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.delivery.stored_run import StoredRun
from capture.errors import UserError
from capture.metrics import better
from capture.page import results
from capture.page.results import Results
from capture.page.text_table import Column, fitted, shown, terminal_width
from capture.records import plain_number
from capture.runs.status import RunStatus
from capture.tracker.closing import clock, short

MOST_PACKAGES = 20


def arguments() -> Arguments:
    """The options of `capture compare`."""
    parser = Arguments(
        prog="capture compare", description="Show what differs between runs: config, results, code, packages."
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="two or more: folders, ids, names, or last")
    parser.add_argument("--all", action="store_true", help="also what is the same in all of them")
    parser.add_argument("--diff", action="store_true", help="the difference of the code in full")
    parser.add_argument("--json", action="store_true", help="as a JSON object")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture compare`."""
    options = arguments().parse_args(argv)
    place = places.to_look_at(options.dir)
    chosen = [place.find(name) for name in options.runs]
    if len(chosen) < 2:
        raise UserError("compare wants two runs or more; `capture runs` lists what there is")
    found = [results.of(one) for one in chosen]
    if options.json:
        print(json.dumps(_object(chosen, found), indent=2, ensure_ascii=False))
        return 0
    for part in (_facts(chosen), _config(found, options.all), _metrics(found)):
        _print(part, [one.run.name for one in chosen])
    _print(_packages(chosen), [one.run.name for one in chosen])
    code = _code(chosen, options.diff)
    if code:
        width = terminal_width()
        print("\n".join(["", "code", *(line[:width] for line in code)]))
    return 0


Rows = list[tuple[str, list[str]]]  # a heading, and what each run has


def _print(rows: Rows, names: Sequence[str]) -> None:
    """Print a part; what is best or differs is marked."""
    if len(rows) < 2:
        return
    title, *body = rows
    columns = [Column(title[0], [name for name, _ in body])]
    for place, name in enumerate(names):
        columns.append(Column(name, [cells[place] for _, cells in body], rank=place))
    lines, left_out = fitted(columns, terminal_width())
    print("\n".join(["", *lines] if title[0] != "run" else lines))
    if left_out:
        print(f"not shown: {', '.join(left_out)} (a wider terminal, or --json)")


def _facts(chosen: Sequence[RunStatus]) -> Rows:
    took = [clock(one.run.end - one.run.start) if one.run.end else "" for one in chosen]
    return [
        ("run", []),
        ("id", [one.run.id for one in chosen]),
        ("state", [one.state for one in chosen]),
        ("took", took),
    ]


def _config(found: Sequence[Results], everything: bool) -> Rows:
    differ = results.differing(each.config for each in found)
    names = list(dict.fromkeys(name for each in found for name in each.config)) if everything else differ
    rows: Rows = [("config", [])]
    for name in names:
        mark = "* " if everything and name in differ else ""
        rows.append((mark + name, [shown(each.config.get(name, "-")) for each in found]))
    return rows


def _metrics(found: Sequence[Results]) -> Rows:
    rows: Rows = [("result", [])]
    for name in results.main_metrics(found):
        direction = better(name)
        values = [each.value(name) for each in found]
        numbers = [value for value in values if value is not None]
        best = (min if direction == "min" else max)(numbers) if direction and len(set(numbers)) > 1 else None
        cells = ["-" if value is None else short(value) + (" *" if value == best else "") for value in values]
        rows.append((f"{direction} {name}".strip(), cells))
    return rows


def _packages(chosen: Sequence[RunStatus]) -> Rows:
    every = [_packages_of(one) for one in chosen]
    if not all(every):
        return []
    differ = results.differing(every)
    rows: Rows = [("package", [])]
    rows += [(name, [str(each.get(name, "-")) for each in every]) for name in differ[:MOST_PACKAGES]]
    if len(differ) > MOST_PACKAGES:
        rows.append((f"and {len(differ) - MOST_PACKAGES} more", [""] * len(chosen)))
    return rows


def _packages_of(one: RunStatus) -> dict[str, Any]:
    python = StoredRun(one.folder, one.run).provenance.get("python")
    packages = python.get("packages") if isinstance(python, dict) else None
    return packages if isinstance(packages, dict) else {}


def _code(chosen: Sequence[RunStatus], in_full: bool) -> list[str]:
    """How the code of each run differs from that of the first."""
    first, *others = chosen
    lines: list[str] = []
    for one in others:
        pair = f"{first.run.name} -> {one.run.name}"
        old, new = first.run.git.get("commit"), one.run.git.get("commit")
        if not old or not new:
            continue
        if old != new:
            diff = _git_diff(Path(one.run.cwd), old, new, in_full)
            lines += [f"  {pair}: {old[:10]} -> {new[:10]}", *(f"    {line}" for line in diff)]
        uncommitted = [StoredRun(each.folder, each.run).diff for each in (first, one)]
        if uncommitted[0] != uncommitted[1]:
            lines.append(f"  {pair}: what is not committed differs: {_where(first)}, {_where(one)}")
        elif old == new:
            lines.append(
                f"  {pair}: the same"
                + (", with the same changes that are not committed" if uncommitted[0] else "")
            )
    return lines


def _where(one: RunStatus) -> str:
    path = one.folder / runs.DIFF
    return os.path.relpath(path) if path.exists() else "none"


def _git_diff(cwd: Path, old: str, new: str, in_full: bool) -> list[str]:
    command = [
        "git",
        "-c",
        "core.pager=cat",
        "diff",
        *([] if in_full else ["--stat"]),
        "--no-ext-diff",
        old,
        new,
        "--",
    ]
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=30, check=False, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        missing = isinstance(error, FileNotFoundError) and error.filename == "git"
        return [f"git can't tell: {'it is not installed' if missing else error}"]
    return (
        done.stdout.splitlines() if done.returncode == 0 else ["these commits are not in the repository here"]
    )


def _object(chosen: Sequence[RunStatus], found: Sequence[Results]) -> dict[str, Any]:
    differ = results.differing(each.config for each in found)
    return {
        "runs": [one.run.id for one in chosen],
        "config": {name: [each.config.get(name) for each in found] for name in differ},
        "metrics": {
            name: [None if (value := each.value(name)) is None else plain_number(value) for each in found]
            for name in results.main_metrics(found)
        },
        "commits": [one.run.git.get("commit") for one in chosen],
    }
