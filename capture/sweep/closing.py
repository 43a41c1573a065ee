"""The end of a sweep: its table, the best run and its command, what mattered, and where to look further."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from capture.page.text_table import fitted, shown
from capture.sweep import commands
from capture.sweep.display import best_lines
from capture.sweep.study import Study
from capture.sweep.summary import Line, Standing, columns, standing
from capture.sweep.trial import Places, command_of

MOST_LINES = 12  # of the table
BAR = 20


def text(study: Study, places: Places, storage: str, width: int) -> Iterator[str]:
    """The lines at the end of a sweep."""
    now = standing(study)
    shown_lines = best_lines(now, MOST_LINES)
    if shown_lines:
        lines, _ = fitted(columns(shown_lines, now), width)
        yield from lines
        if len(shown_lines) < len(now.lines):
            yield f"the best {len(shown_lines)} of {len(now.lines)} trials"
    total = "" if now.total is None else f" of {now.total}"
    yield f"sweep {study.name}: {len(now.lines)}{total} trials, {now.counts()}"
    if now.best is not None:
        yield from _best(study, now, now.best, places)
    shares = study.importance()
    if shares:
        yield ""
        yield f"what {now.metric or 'the result'} depends on (importance, PED-ANOVA):"
        widest = max(map(len, shares))
        for name, share in shares.items():
            yield f"  {name:<{widest}}  {share:4.0%} {'█' * round(share * BAR)}".rstrip()
    if now.lines:
        yield ""
        yield f"to look at them: capture page --project {shlex.quote(places.project)} --group {study.name}"
        dashboard = f"optuna-dashboard {shlex.quote(storage)}"
        yield f"in a browser, also while it runs: {dashboard} (pip install optuna-dashboard)"


def _best(study: Study, now: Standing, best: Line, places: Places) -> Iterator[str]:
    yield ""
    metric = f", {now.metric} {shown(best.best)}" if now.metric else ""
    yield f"best: trial {best.number}{metric}, run {places.run_id(best.number)}"
    yield f"  {commands.pasted(_command(study, best, places))}"


def _command(study: Study, best: Line, places: Places) -> list[str]:
    return command_of(study.definition, best.values, f"{places.files}/{best.number}", write=False)


def as_json(study: Study, places: Places) -> dict[str, Any]:
    """The sweep for programs."""
    now = standing(study)
    best = now.best
    trials = [
        {**line._asdict(), "run": places.run_id(line.number), "folder": str(places.folder(line.number))}
        for line in now.lines
    ]
    return {
        "sweep": study.name,
        "stopped": study.stopped,
        "count": now.total,
        "metric": now.metric or None,
        "goal": ("maximize" if now.maximize else "minimize") if now.metric else None,
        "trials": trials,
        "best": None
        if best is None
        else {**trials[now.lines.index(best)], "command": _command(study, best, places)},
        "importance": study.importance(),
    }
