"""The state of a sweep: its trials as people see them, and which is best."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

from capture.metrics import better
from capture.page.text_table import Column, shown
from capture.sweep import study as agreed
from capture.sweep.study import Result, Study
from capture.tracker.closing import clock

RUNNING, FINISHED, EARLY, FAILED, WAITING = "running", "finished", "ended early", "failed", "waiting"
_STATES = {
    TrialState.RUNNING: RUNNING,
    TrialState.COMPLETE: FINISHED,
    TrialState.PRUNED: EARLY,
    TrialState.FAIL: FAILED,
    TrialState.WAITING: WAITING,
}


class Line(NamedTuple):
    """A trial, for a table."""

    number: int
    state: str
    values: dict[str, Any]
    best: float | None
    last: float | None
    observed: int  # values of the metric
    seconds: float | None
    reason: str
    host: str


class Standing(NamedTuple):
    """A sweep as it is now."""

    lines: list[Line]  # one for each point that is being or was tried, by number
    total: int | None  # points; None: no end
    metric: str
    maximize: bool
    varied: list[str]  # the parameters that are not the same everywhere

    def number(self, state: str) -> int:
        """How many trials are in this state."""
        return sum(line.state == state for line in self.lines)

    @property
    def ranked(self) -> list[Line]:
        """The trials that have ended with a value, the best first."""
        ended = [line for line in self.lines if line.state in (FINISHED, EARLY) and line.best is not None]
        return sorted(ended, key=lambda line: -(line.best or 0) if self.maximize else (line.best or 0))

    @property
    def best(self) -> Line | None:
        """The best trial."""
        return next(iter(self.ranked), None)

    def counts(self) -> str:
        """`2 running, 17 finished, 3 ended early, 1 failed`."""
        states = [(state, self.number(state)) for state in (RUNNING, FINISHED, EARLY, FAILED)]
        return ", ".join(f"{count} {state}" for state, count in states if count) or "none has ended"


def standing(study: Study, live: Mapping[int, Result] | None = None) -> Standing:
    """The sweep as it is now; `live` is what is known better of trials that run here."""
    trials = agreed.counted(study.trials()).values()
    metric = study.definition.file.metric
    guessed = study.guess() or ""
    name = metric.name if metric is not None else guessed
    maximize = metric.maximize if metric is not None else better(guessed) == "max"
    lines = [_line(trial, live) for trial in trials if trial.state != TrialState.WAITING]
    written = list(study.definition.file.parameters)
    varied = [p for p in study.definition.file.leaves() if p.kind != "constant"]
    varied.sort(key=lambda parameter: written.index(parameter.path[0]))
    return Standing(sorted(lines), study.count, name, maximize, [p.name for p in varied])


def _line(trial: FrozenTrial, live: Mapping[int, Result] | None) -> Line:
    attributes = trial.user_attrs
    came = attributes.get(agreed.RESULT) or attributes.get(agreed.ALIVE) or {}
    if trial.state == TrialState.RUNNING and live and trial.number in live:
        came = live[trial.number]._asdict()
    start, end = trial.datetime_start, trial.datetime_complete
    seconds = None
    if start is not None:
        seconds = (end.timestamp() if end is not None else time.time()) - start.timestamp()
    return Line(
        trial.number,
        _STATES[trial.state],
        attributes.get(agreed.VALUES) or {},
        came.get("best"),
        came.get("last"),
        came.get("observed") or 0,
        seconds,
        came.get("reason") or ("its worker died" if agreed.LOST in attributes else ""),
        (attributes.get(agreed.WORKER) or {}).get("host", ""),
    )


def columns(lines: Sequence[Line], standing: Standing) -> list[Column]:
    """The table of these trials."""
    best = standing.best
    found = [
        Column("TRIAL", [f"{line.number}{'*' if line == best else ''}" for line in lines]),
        Column("STATE", [line.state for line in lines]),
    ]
    for rank, name in enumerate(standing.varied):
        found.append(Column(name, [value(line.values.get(name)) for line in lines], 2 + rank, True))
    metric = standing.metric
    if metric:
        direction = "max" if standing.maximize else "min"
        found.append(Column(f"{metric} ({direction})", [shown(line.best) for line in lines], 0, True))
        found.append(Column("last", [shown(line.last) for line in lines], 30, True))
        found.append(Column("values", [str(line.observed or "") for line in lines], 31, True))
    found.append(
        Column("TIME", ["" if line.seconds is None else clock(line.seconds) for line in lines], 29, True)
    )
    if len({line.host for line in lines}) > 1:
        found.append(Column("HOST", [line.host for line in lines], 32))
    return found


def value(item: Any) -> str:
    """A parameter's value in a cell."""
    return f"{item:.4g}" if isinstance(item, float) else "" if item is None else str(item)
