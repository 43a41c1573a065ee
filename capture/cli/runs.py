"""`capture runs`: the runs here, what differs between them, what they came to; `rm` removes old ones."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from capture.cli import places, removal, run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError, did_you_mean
from capture.metrics import better
from capture.page import query, results
from capture.page.results import Results
from capture.page.text_table import Column, fitted, shown, terminal_width
from capture.runs import status
from capture.runs.status import RunStatus
from capture.tracker.closing import clock, short

MOST_NAMES = 12  # in a message
MOST = 30  # runs that are listed unless all are asked for
Value = Callable[[RunStatus, Results], Any]
FACTS: dict[str, Value] = {
    "id": lambda one, _: one.run.id,
    "run": lambda one, _: one.label,
    "name": lambda one, _: one.run.name,
    "project": lambda one, _: one.run.project,
    "state": lambda one, _: one.state,
    "status": lambda one, _: one.run.exit_status,
    "age": lambda one, _: time.time() - one.run.start,
    "duration": lambda one, _: (one.run.end or time.time()) - one.run.start,
    "start": lambda one, _: one.run.start,
    "group": lambda one, _: one.run.group,
    "tags": lambda one, _: ", ".join(one.run.tags),
    "notes": lambda one, _: one.run.notes,
    "host": lambda one, _: one.run.host,
    "command": lambda one, _: " ".join(one.run.command),
    "records": lambda one, _: one.records,
    "delivered": lambda one, _: _delivered(one),
}


def arguments() -> Arguments:
    """The options of `capture runs`."""
    parser = Arguments(prog="capture runs", description="List the runs here, or remove old ones.")
    _add_place_options(parser)
    _add_listing(parser)
    commands = parser.add_subparsers(dest="command", metavar="list|rm")
    listing = commands.add_parser(
        "list", help="list them: state, age, config that differs, last and best values"
    )
    remove = commands.add_parser(
        "rm", help="remove runs from this disk, also from backends that keep them here"
    )
    for command in (listing, remove):
        _add_place_options(command, default=argparse.SUPPRESS)  # else it would undo what comes before `list`
    _add_listing(listing, default=argparse.SUPPRESS)
    remove.add_argument("runs", nargs="*", metavar="RUN", help="folders, ids or names of runs, or `last`")
    remove.add_argument(
        "--older", metavar="AGE", help="all that ended longer ago than this, such as 12h, 30d or 8w"
    )
    remove.add_argument("--force", action="store_true", help="also runs that are not delivered")
    return parser


def _add_place_options(parser: argparse.ArgumentParser, **more: Any) -> None:
    parser.add_argument("--project", metavar="PROJECT", help="only the runs of this project", **more)
    run_options.add_dir_option(parser, **more)


def _add_listing(parser: argparse.ArgumentParser, **more: Any) -> None:
    add = parser.add_argument
    add(
        "--where",
        metavar="CONDITION",
        help="only runs for which it holds: 'lr < 0.1 and state == finished'",
        **more,
    )
    add(
        "--sort",
        metavar="COLUMN",
        help="sort by a metric (the best run last), a hyperparameter, age, duration",
        **more,
    )
    add("--best", metavar="METRIC", help="only the run that is best at this metric", **more)
    add("--columns", metavar="NAMES", help="these columns, separated by commas", **more)
    add("--all", action="store_true", help=f"all runs, not only the newest {MOST}", **more)
    add("--json", action="store_true", help="as a list of JSON objects, with all values", **more)
    add("--csv", action="store_true", help="as CSV, with all values", **more)


def main(argv: list[str]) -> int:
    """Run `capture runs`."""
    options = arguments().parse_args(argv)
    if options.command == "rm":
        return removal.remove(options, places.here(options.dir))
    base = places.to_look_at(options.dir).base
    found = status.all_runs(base, options.project)
    machine_readable = options.json or options.csv
    if not found and not machine_readable:
        of_project = f" of the project {options.project!r}" if options.project else ""
        print(f"there are no runs{of_project} in {base}; capture -- COMMAND makes one")
        return 0
    for one in found:
        for problem in one.problems:
            print(f"capture runs: {os.path.join(one.folder, problem)}", file=sys.stderr)
    known = results.of_all(found, base)
    chosen = _chosen(found, known, options)
    hidden = 0
    if not (options.all or machine_readable or options.where or options.sort or options.best):
        hidden = max(0, len(chosen) - MOST)
        chosen = chosen[hidden:]
    if options.json:
        json.dump(
            [_object(one, known[one.folder]) for one in chosen], sys.stdout, indent=2, ensure_ascii=False
        )
        print()
    elif options.csv:
        _print_csv([_object(one, known[one.folder]) for one in chosen])
    elif not chosen:
        print(f"none of {len(found)} runs fits")
    else:
        _print_table(chosen, known, options.columns, hidden)
    return 0


def _chosen(
    found: list[RunStatus], known: dict[Path, Results], options: argparse.Namespace
) -> list[RunStatus]:
    """The runs that are asked for, in their order."""
    names = _names(found, known)
    config = _hyperparameters(known.values())
    if options.where:
        holds = query.condition(options.where, names)
        found = [one for one in found if holds(_values(one, known[one.folder], config))]
    if options.sort or options.best:
        name = _known(options.sort or options.best, names)
        pairs = [(_values(one, known[one.folder], config).get(name), one) for one in found]
        present = [(value, one) for value, one in pairs if value is not None]
        try:
            present.sort(key=lambda pair: pair[0], reverse=better(name) == "min")
        except TypeError:  # numbers beside words
            present.sort(key=lambda pair: str(pair[0]))
        found = [one for value, one in pairs if value is None] + [one for _, one in present]
        if options.best:
            if not better(name):
                raise UserError(
                    f"--best {name}: its name doesn't tell whether high or low is good; use --sort {name}"
                )
            found = found[-1:] if present else []
    return found


def _names(found: list[RunStatus], known: dict[Path, Results]) -> list[str]:
    """What runs can be asked for by."""
    every = [known[one.folder] for one in found]
    return list(
        dict.fromkeys(
            [*FACTS, *results.main_metrics(every), *(name for each in every for name in each.config)]
        )
    )


def _hyperparameters(found: Iterable[Results]) -> set[str]:
    """The names that mean a hyperparameter.

    Of those that a metric has as well it is the ones that don't tell which values are good: `lr`, and not the
    `loss` of a program that is started with `--loss mse`.
    """
    every = list(found)
    metrics = {name for each in every for name in each.metrics}
    return {name for each in every for name in each.config if name not in metrics or not better(name)}


def _known(wanted: str, names: list[str]) -> str:
    """The name that is meant.  Raises UserError where there is none."""
    if found := results.named(wanted, names):
        return found[0]
    alike = [name for name in names if wanted in name]
    known = alike or [name for name in names if name not in FACTS]
    listed = f"there are {', '.join(known[:MOST_NAMES])}" + ", ..." * (len(known) > MOST_NAMES)
    if len(alike) == 1:
        hint = f"did you mean {alike[0]!r}?"
    else:
        hint = listed if alike else did_you_mean(wanted, names, listed if known else "they have no metrics")
    raise UserError(f"no run has {wanted!r}; {hint}")


def _values(one: RunStatus, found: Results, config: set[str]) -> dict[str, Any]:
    """Everything by which a run can be asked for; `config` are the names that mean a hyperparameter."""
    metrics = {name: found.value(name) for name in found.metrics if name not in config}
    own = {name: value for name, value in found.config.items() if name in config}
    facts = {name: value(one, found) for name, value in FACTS.items()}
    return {**metrics, **own, **facts}


def _object(one: RunStatus, found: Results) -> dict[str, Any]:
    facts = {name: value(one, found) for name, value in FACTS.items() if name not in ("run", "age", "tags")}
    folder = str(one.folder)
    values = {"config": found.config, "metrics": results.as_json(found)}
    return {**facts, "tags": one.run.tags, "folder": folder, **values}


def _print_csv(objects: list[dict[str, Any]]) -> None:
    flat = []
    for item in objects:
        row = {key: value for key, value in item.items() if key not in ("config", "metrics", "tags")}
        row["tags"] = ", ".join(item["tags"])
        row |= {f"config/{name}": value for name, value in item["config"].items()}
        for name, metric in item["metrics"].items():
            row |= {f"{name} last": metric["last"], f"{name} best": metric["best"]}
        flat.append(row)
    writer = csv.DictWriter(sys.stdout, list(dict.fromkeys(name for row in flat for name in row)), restval="")
    writer.writeheader()
    writer.writerows(flat)


def _print_table(
    chosen: list[RunStatus], known: dict[Path, Results], wanted: str | None, hidden: int
) -> None:
    every = [known[one.folder] for one in chosen]
    if wanted:
        names = [_known(name.strip(), _names(chosen, known)) for name in wanted.split(",")]
        columns = [_column(name, chosen, every, 0) for name in names]
        lines, _ = fitted(columns, 10_000)
        print("\n".join(lines))
        return
    columns = [
        _column(name, chosen, every, rank)
        for name, rank in (("run", 0), ("state", 0), ("age", 3), ("duration", 2))
    ]
    config = results.differing(each.config for each in every) if len(every) > 1 else []
    columns += [_config_column(name, every, 2 + place) for place, name in enumerate(config)]
    metrics = results.main_metrics(every)
    columns += [_metric_column(name, every, 1 + 2 * place) for place, name in enumerate(metrics)]
    columns += [_column("delivered", chosen, every, 4), _column("id", chosen, every, 4)]
    lines, left_out = fitted(columns, terminal_width())
    print("\n".join(lines))
    if hidden:
        print(f"{hidden} older ones: capture runs --all")
    if left_out:
        print(
            f"not shown: {', '.join(left_out[:8])}{', ...' if len(left_out) > 8 else ''} (--columns, --json)"
        )


def _column(name: str, chosen: list[RunStatus], every: list[Results], rank: int) -> Column:
    """What stands in the table under a name: a fact, a hyperparameter, or a metric."""
    if name in FACTS:
        values = [FACTS[name](one, each) for one, each in zip(chosen, every, strict=True)]
        cells = [clock(value) if name in ("age", "duration") else shown(value) for value in values]
        return Column(name.upper(), cells, rank)
    if name in _hyperparameters(every):
        return _config_column(name, every, rank)
    return _metric_column(name, every, rank)


def _config_column(name: str, every: list[Results], rank: int) -> Column:
    """A column of a hyperparameter."""
    return Column(name, [shown(each.config.get(name)) for each in every], rank)


def _metric_column(name: str, every: list[Results], rank: int) -> Column:
    """A column of a metric's last and best value."""
    direction = better(name)
    cells = []
    for each in every:
        metric = each.metrics.get(name)
        if metric is None:
            cells.append("")
        elif metric.best is None or metric.best == metric.last:
            cells.append(short(metric.last))
        else:
            cells.append(f"{short(metric.last)} ({direction} {short(metric.best)})")
    return Column(name, cells, rank)


def _delivered(one: RunStatus) -> str:
    if one.tracked and not one.records:
        return "no metrics"
    return ", ".join(f"{name}{_how(one, name)}" for name in one.backends)


def _how(one: RunStatus, backend: str) -> str:
    if backend in one.offline:
        return " (offline)"
    return "" if one.delivered.get(backend) else " missing"
