"""What runs came to, to be listed and compared: hyperparameters, and last and best values of each metric.

It is found out from the records once a run has ended, and kept beside the runs in a file that can be thrown
away: a list of a thousand runs reads no records.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs
from capture.facts.config_sources import CONFIG
from capture.metrics import Series, better
from capture.page import rows
from capture.records import NON_FINITE, plain_number
from capture.runs.status import RunStatus

INDEX = ".results.json"
_VERSION = 1  # of the index's form
Place = tuple[float | None, int | None]  # epoch and step


class Metric(NamedTuple):
    """What a metric came to; `best` is None where its name doesn't tell which is better."""

    last: float
    best: float | None
    at: Place  # of the best value
    values: int  # how many
    points: list[float]  # how it went


class Results(NamedTuple):
    """What a run came to."""

    config: dict[str, Any]
    metrics: dict[str, Metric]

    def value(self, metric: str) -> float | None:
        """What the run is judged by: the best value where there is a better, else the last."""
        found = self.metrics.get(metric)
        if found is None:
            return None
        return found.last if found.best is None else found.best


def of(one: RunStatus) -> Results:
    """The results of a run, read from its records."""
    series: dict[str, Series] = {}
    axes: set[str] = set()
    for _, row in rows.read(one.folder, one.run):
        axes |= set(row.axes.values())
        place = (row.epoch, row.step)
        for name, value in row.metrics.items():
            if name not in axes:
                series.setdefault(name, Series()).add(value, place)
    metrics = {
        name: Metric(
            found.last, found.best(name), found.best_at(name) or (None, None), found.count, found.points
        )
        for name, found in series.items()
        if name not in axes
    }
    return Results(config_of(one.folder), metrics)


def of_all(found: Iterable[RunStatus], base: Path) -> dict[Path, Results]:
    """The results of runs by their folders, from the index in `base` where they haven't changed since."""
    index = _read_index(base / INDEX)
    known: dict[Path, Results] = {}
    changed = False
    for one in found:
        key, stamp = str(one.folder), _stamp(one.folder)
        entry = index.get(key)
        if isinstance(entry, dict) and entry.get("stamp") == stamp:
            try:
                known[one.folder] = _from_json(entry)
                continue
            except (KeyError, TypeError, ValueError):
                pass  # of another version, or damaged: it is made again
        known[one.folder] = of(one)
        index[key] = {"stamp": stamp, **_to_json(known[one.folder])}
        changed = True
    if changed:
        kept = {key: entry for key, entry in index.items() if Path(key).exists()}
        try:
            runs.replace_file(
                base / INDEX, json.dumps({"version": _VERSION, "runs": kept}, ensure_ascii=False)
            )
        except OSError:
            pass  # a folder that can't be written: it is found out again next time
    return known


def config_of(folder: Path) -> dict[str, Any]:
    """The hyperparameters of a run, one value for each name."""
    try:
        sources = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    parts = sources.values() if isinstance(sources, dict) else []
    return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}


def differing(configs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names whose values are not the same in all of these configs, in the order in which they come."""
    every = list(configs)
    names = dict.fromkeys(name for config in every for name in config)
    missing = object()
    return [
        name
        for name in names
        if any(config.get(name, missing) != every[0].get(name, missing) for config in every)
    ]


def named(wanted: str, names: Iterable[str]) -> list[str]:
    """The names that are meant: the same, else those with this last part, spaces and underscores alike.

    `val_loss` means `val loss`, and `epoch/val_loss`.
    """
    every = list(names)
    if wanted in every:
        return [wanted]
    plain = wanted.replace("_", " ")
    alike = [name for name in every if name.replace("_", " ") == plain]
    return alike or [name for name in every if name.rpartition("/")[2].replace("_", " ") == plain]


def main_metrics(found: Iterable[Results]) -> list[str]:
    """The metrics of runs, the headline first: validation, then what has a direction, then the rest."""
    from capture.tracker.families import families

    names = dict.fromkeys(name for results in found for name in results.metrics)
    ordered = families(names)
    held_out = [
        member.metric for family in ordered for member in family.members[-1:] if better(member.metric)
    ]
    rest = [member.metric for family in ordered for member in family.members]
    return list(dict.fromkeys([*held_out, *rest]))


def _stamp(folder: Path) -> list[int]:
    stamp = []
    for name in (runs.RECORDS, CONFIG, runs.RUN_FILE):
        try:
            status = (folder / name).stat()
            stamp += [status.st_mtime_ns, status.st_size]
        except OSError:
            stamp += [0, 0]
    return stamp


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = index.get("runs") if isinstance(index, dict) and index.get("version") == _VERSION else None
    return found if isinstance(found, dict) else {}


def _to_json(results: Results) -> dict[str, Any]:
    metrics = {
        name: [
            plain_number(m.last),
            m.best,
            list(m.at),
            m.values,
            [float(f"{point:.4g}") for point in m.points],
        ]
        for name, m in results.metrics.items()
    }
    return {"config": results.config, "metrics": metrics}


def _from_json(entry: Mapping[str, Any]) -> Results:
    metrics = {}
    for name, (last, best, (epoch, step), count, points) in entry["metrics"].items():
        metrics[name] = Metric(NON_FINITE.get(last, last), best, (epoch, step), count, points)
    return Results(dict(entry["config"]), metrics)
