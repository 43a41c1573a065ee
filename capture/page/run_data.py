"""All that a page shows of one run, as JSON: who it is, its rows in columns, its load, console and files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

from capture.delivery.stored_run import StoredRun
from capture.metrics import better
from capture.page import console_text, kept_files
from capture.page.console_text import ConsoleText
from capture.records import plain_number
from capture.redaction import Redactor
from capture.runs.status import RunStatus
from capture.tracker.families import families

MOST_POINTS = 200_000  # of a metric; of more, the extremes of neighbours are shown
MOST_DIFF = 200_000  # characters of `git.diff`
_IDENTITY = ("id", "project", "name", "start", "end", "exit_status", "tags", "notes", "group", "parent",
             "resumed")  # fmt: skip
_PRIVATE = ("command", "cwd", "host")

JsonObject = dict[str, Any]


def of(one: RunStatus, public: bool = False, console: bool = True) -> JsonObject:
    """The data of one run.

    Args:
        one: the run.
        public: leave out the console, the command, the machine and its environment.
        console: whether the console is shown, where it is not left out anyway.
    """
    run, folder = one.run, one.folder
    stored = StoredRun(folder, run)
    redactor = Redactor(os.environ, run.settings.get("redact", []))
    identity = run._asdict()
    data: JsonObject = {name: identity[name] for name in _IDENTITY} | {"state": one.state}
    text = console_text.read(folder) if console and not public else ConsoleText([], [])
    data |= _series(stored, text)
    data |= {
        "config": _config(stored),
        "system": _system(stored),
        "files": kept_files.on_page(stored, redactor, public),
        "alerts": stored.alerts,
    }
    if not public:
        data |= {name: identity[name] for name in _PRIVATE} | {"folder": os.path.abspath(folder)}
        data["provenance"] = stored.provenance | ({"commit": run.git} if run.git else {})
        data["diff"] = redactor.text(stored.diff[:MOST_DIFF])
        data["console"] = [redactor.text(line) for line in text.lines]
        data["gap"] = text.gap and [text.gap.before, text.gap.missing]
    return data


def _series(stored: StoredRun, text: ConsoleText) -> JsonObject:
    """The rows as columns, and for each metric the rows that it is in, its values and its axis."""
    columns: dict[str, list[Any]] = {"time": [], "step": [], "epoch": [], "line": []}
    metrics: dict[str, JsonObject] = {}
    for record, row in stored.records():
        if not row.metrics:
            continue
        place = len(columns["time"])
        columns["time"].append(None if row.time is None else round(row.time - stored.run.start, 3))
        columns["step"].append(row.step)
        columns["epoch"].append(row.epoch)
        shown = record.logged is None and not record.recorded_by  # the page has the console of rank 0
        columns["line"].append(text.line_at(record.at[0]) if shown else None)
        for name, value in row.metrics.items():
            metric = metrics.get(name)
            if metric is None:
                metric = metrics[name] = {"rows": [], "values": [], "axis": row.axes.get(name)}
            metric["rows"].append(place)
            metric["values"].append(plain_number(value))
    axes = {metric["axis"] for metric in metrics.values()} - {None}
    charts = _families(metrics)
    for name, metric in metrics.items():
        metric |= {"is_axis": name in axes, "family": charts[name]} | _result(name, metric)
        if len(metric["rows"]) > MOST_POINTS:
            kept = _thinned(metric["values"], MOST_POINTS)
            metric["rows"] = [metric["rows"][i] for i in kept]
            metric["values"] = [metric["values"][i] for i in kept]
    ordered = {name: metrics[name] for name in charts}
    return {"rows": columns, "metrics": ordered}


def _families(names: Iterable[str]) -> dict[str, str]:
    """For each metric the chart that it is in, the headline's first: `epoch/loss` of `epoch/val_loss`."""
    charts: dict[str, str] = {}
    for found in families(names):
        members = [member.metric for member in found.members]
        prefixes = {name.rpartition("/")[0] for name in members}
        prefix = prefixes.pop() if len(prefixes) == 1 else ""
        title = found.title if "/" in found.title or not prefix else f"{prefix}/{found.title}"
        charts |= dict.fromkeys(members, title)
    return charts


def _result(name: str, metric: JsonObject) -> JsonObject:
    """What a metric came to: its last value, and the best one with its row, where the name tells which is."""
    direction = better(name)
    numbers = [(value, row) for value, row in zip(metric["values"], metric["rows"], strict=True)
               if not isinstance(value, str)]  # fmt: skip
    best: tuple[Any, Any] = (None, None)
    if direction and numbers:
        best = (min if direction == "min" else max)(numbers, key=lambda item: item[0])
    return {"better": direction, "last": metric["values"][-1], "best": best[0], "best_row": best[1]}


def _thinned(values: list[Any], most: int) -> list[int]:
    """The places of at most `most` values that show the shape of all: the extremes of as many neighbours."""
    size = math.ceil(len(values) * 2 / most)
    kept: list[int] = []
    for start in range(0, len(values), size):
        part = range(start, min(start + size, len(values)))
        numbers = [i for i in part if isinstance(values[i], (int, float))]
        odd = [i for i in part if isinstance(values[i], str)][:1]
        extremes = [pick(numbers, key=values.__getitem__) for pick in (min, max) if numbers]
        kept += sorted({*extremes, *odd})
    return kept


def _config(stored: StoredRun) -> list[tuple[str, Any, str]]:
    """Each hyperparameter with its value and where that comes from; of several sources the one that wins."""
    found: dict[str, tuple[str, Any, str]] = {}
    for source, values in stored.sources.items():
        found |= {name: (name, value, source) for name, value in values.items()}
    return list(found.values())


def _system(stored: StoredRun) -> JsonObject:
    """The load: a list of times, and for each figure its values, null where it is missing."""
    samples = [sample for sample in stored.system() if isinstance(sample.get("time"), (int, float))]
    names = dict.fromkeys(name for sample in samples for name in sample if name != "time")
    return {
        "time": [sample["time"] for sample in samples],
        "values": {name: [sample.get(name) for sample in samples] for name in names},
    }
