"""The engine of a run, of the parsers that were in effect when it began."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from capture import runs
from capture.language import library, model
from capture.parsing.downsampling import downsampler
from capture.parsing.engine import Engine
from capture.parsing.rule import ReadLine


def engine_of(
    folder: Path, run: runs.Run, on_line: Callable[[ReadLine], None] | None, like: Engine | None = None
) -> Engine:
    """The run's engine, of the parsers in its folder; the built-in ones are put there at its first start.

    With `like` it is of that engine's parsers: one of many runs that are tracked together.
    """
    naming = model.Naming.model_validate(
        {key: run.settings[key] for key in ("rename", "drop", "scale") if key in run.settings}
    )
    every = downsampler(run.settings["every"]) if run.settings.get("every") else None
    if like is not None:
        return like.anew(naming, every, on_line)
    place = folder / runs.PARSERS / library.BUILT_IN
    if not place.exists():
        draft = folder / f".{runs.PARSERS}.{os.getpid()}"
        draft.mkdir()
        for index, (name, text) in enumerate(library.built_in_texts()):
            (draft / f"{index:03}-{name.rpartition('/')[2]}").write_text(text, encoding="utf-8")
        place.parent.mkdir(exist_ok=True)
        draft.replace(place)
    parsers = library.of_run(folder / runs.PARSERS)
    engine = Engine(parsers.built_in, parsers.own, naming, every, on_line)
    engine.events += [f"ignored: {problem}" for problem in parsers.problems]
    return engine
