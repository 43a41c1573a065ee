"""`capture show RUN`: everything of one run on one screen."""

from __future__ import annotations

import json
import os
import shlex
import time
from typing import Any

from capture import runs
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.delivery.stored_run import StoredRun
from capture.page import kept_files, results
from capture.page.kept_files import KeptFile
from capture.page.results import Metric, Results
from capture.page.text_table import Column, fitted, terminal_width
from capture.runs.find import LAST
from capture.runs.status import RunStatus, ranks_of, unlike_rank_0
from capture.tracker.closing import clock, short, sparkline


def arguments() -> Arguments:
    """The options of `capture show`."""
    parser = Arguments(prog="capture show", description="Show one run: what it was, and what it came to.")
    parser.add_argument(
        "run", nargs="?", default=LAST, metavar="RUN", help="its folder, id or name (default: last)"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON object")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture show`."""
    options = arguments().parse_args(argv)
    one = places.to_look_at(options.dir).find(options.run)
    found = results.of(one)
    if options.json:
        print(json.dumps(_object(one, found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(one, found)))
    return 0


def _lines(one: RunStatus, found: Results) -> list[str]:
    run = one.run
    width = terminal_width()
    status = "" if run.exit_status is None else f", exit status {run.exit_status}"
    took = clock((run.end or time.time()) - run.start)
    started = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.start))
    to = [] if one.tracked and not one.records else one.backends  # nothing was there to deliver
    facts = {
        "command": shlex.join(run.command) if run.command else "",
        "state": f"{one.state}{status}, {took}, started {started}",
        "ranks": "; ".join(unlike_rank_0(one.folder, run)),
        "id": run.id,
        "in": f"{run.cwd} on {run.host}",
        "git": _git(one),
        "group": run.group,
        "tags": ", ".join(run.tags),
        "notes": run.notes,
        "delivered": ", ".join(f"{name}{'' if one.delivered.get(name) else ' (missing)'}" for name in to),
        "kept in": os.path.relpath(one.folder),
    }
    lines = [one.label, *(f"  {name:10} {value}"[:width] for name, value in facts.items() if value)]
    if found.config:
        lines += ["", "config", *_pairs(found.config, width)]
    kept = kept_files.of(StoredRun(one.folder, run))
    if kept:
        lines += ["", *_files(kept, width)]
    if found.metrics:
        lines += ["", *_metrics(found, width)]
    else:
        lines += ["", "no metrics"]
    return lines


def _files(kept: list[KeptFile], width: int) -> list[str]:
    """What the run has kept beside its metrics."""
    columns = [
        Column("kept", [f"  {file.name}" for file in kept]),
        Column("", [file.type if file.kind == "file" else file.kind for file in kept], 1),
        Column("versions", [str(file.versions) for file in kept], 2, right=True),
        Column("size", [kept_files.size_of(file.size) for file in kept], 1, right=True),
        Column("aliases", [", ".join(file.aliases) for file in kept], 1),
        Column("digest", [file.digest[:19] for file in kept], 3),
    ]
    return fitted(columns, width)[0]


def _git(one: RunStatus) -> str:
    commit = str(one.run.git.get("commit", ""))[:12]
    if not commit:
        return ""
    changed = ", with changes that are not committed" if (one.folder / runs.DIFF).exists() else ""
    return f"{commit} on {one.run.git.get('branch', 'no branch')}{changed}"


def _pairs(config: dict[str, Any], width: int) -> list[str]:
    """`name=value` side by side, as many as fit on a line."""
    lines, line = [], " "
    for name, value in config.items():
        pair = f" {name}={value if isinstance(value, str) else json.dumps(value, default=str)}"[: width - 2]
        if len(line) + len(pair) > width and line.strip():
            lines.append(line)
            line = " "
        line += pair
    return [*lines, line]


def _metrics(found: Results, width: int) -> list[str]:
    names = results.main_metrics([found])
    metrics = [found.metrics[name] for name in names]
    columns = [
        Column("metric", [f"  {name}" for name in names]),
        Column("last", [short(metric.last) for metric in metrics], right=True),
        Column("best", ["" if metric.best is None else short(metric.best) for metric in metrics], right=True),
        Column("at", [_place(metric) for metric in metrics], 1),
        Column("values", [str(metric.values) for metric in metrics], 3, right=True),
        Column("", [sparkline(metric.points) for metric in metrics], 2),
    ]
    return fitted(columns, width)[0]


def _place(metric: Metric) -> str:
    epoch, step = metric.at
    if metric.best is None:
        return ""
    return f"epoch {short(epoch)}" if epoch is not None else "" if step is None else f"step {step}"


def _object(one: RunStatus, found: Results) -> dict[str, Any]:
    left_out = ("settings", "config", "pid")
    identity = {name: value for name, value in one.run._asdict().items() if name not in left_out}
    state: dict[str, Any] = {"state": one.state, "folder": str(one.folder), "delivered": one.delivered}
    if others := ranks_of(one.folder):
        state["ranks"] = {
            rank: {"state": other.state, "exit_status": other.run.exit_status}
            for rank, other in others.items()
        }
    values: dict[str, Any] = {"config": found.config, "metrics": results.as_json(found)}
    values["files"] = [file._asdict() for file in kept_files.of(StoredRun(one.folder, one.run))]
    return {**identity, **state, **values, "provenance": StoredRun(one.folder, one.run).provenance}
