"""The engine of a run, of the parsers that were in effect when its first line was read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from capture import runs
from capture.delivery import axes
from capture.language import installed, model, run_parsers
from capture.parsing.downsampling import downsampler
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline
from capture.parsing.rule import ReadLine
from capture.tracker.unread import Unread


class RunEngine:
    """What reads a run's console.

    With `like` it is of that engine's parsers: one of many runs that are tracked together.

    `pipeline` is fed what was printed, `axes` are those of the parsers by their names, and `unread` knows
    what no parser has read.
    """

    def __init__(self, folder: Path, run: runs.Run, like: Engine | None) -> None:
        self.unread = Unread()
        self.engine = _engine(folder, run, self.unread.note, like)
        how, job = run.settings.get("ranks", "all"), run.settings.get("job")
        self.pipeline = Pipeline(self.engine, how, job, lambda: _engine(folder, run, None, self.engine))
        self.axes = axes.of_all(rule.parser for rule in self.engine.rules)


def _engine(
    folder: Path, run: runs.Run, on_line: Callable[[ReadLine], None] | None, like: Engine | None
) -> Engine:
    """The run's engine, of the parsers in its folder; the built-in ones are put there if none are."""
    named = {key: run.settings[key] for key in ("rename", "drop", "scale") if key in run.settings}
    naming = model.Naming.model_validate(named) if named else None
    every = downsampler(run.settings["every"]) if run.settings.get("every") else None
    if like is not None:
        return like.anew(naming, every, on_line)
    place = folder / runs.PARSERS / run_parsers.BUILT_IN
    if not place.exists():
        draft = folder / f".{runs.PARSERS}.{os.getpid()}"
        draft.mkdir()
        for index, (name, text) in enumerate(installed.texts()):
            (draft / f"{index:03}-{name.rpartition('/')[2]}").write_text(text, encoding="utf-8")
        place.parent.mkdir(exist_ok=True)
        draft.replace(place)
    parsers = run_parsers.of_run(folder / runs.PARSERS)
    engine = Engine(parsers.built_in, parsers.own, naming, every, on_line)
    engine.events += [f"ignored: {problem}" for problem in parsers.problems]
    return engine
