"""Where runs are, for the commands that look at them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from capture import settings
from capture.runs.find import find
from capture.runs.start import project_of
from capture.runs.status import RunStatus

_OF_FOLDER = re.compile(r"(^|: )dir: |^CAPTURE_DIR")  # in a message


class Place(NamedTuple):
    """Where a command looks for runs."""

    base: Path  # the folder that holds all runs
    project: str  # the one that a run started here would belong to

    def find(self, wanted: str, project: str | None = None) -> RunStatus:
        """The run that is meant, with `project` one of that project.  Raises UserError."""
        return find(wanted, self.base, project, self.project)


def here(folder: str | None) -> Place:
    """Where runs are; `folder` is what `--dir` says.  Raises UserError for wrong settings."""
    return of_settings(settings.load(os.getcwd(), os.environ, {"dir": folder}))


def to_look_at(folder: str | None) -> Place:
    """The same for a command that changes nothing: wrong settings are said and left out.

    Raises UserError where the one that is wrong is the folder.
    """
    problems = settings.Problems()
    layers = settings.layers_of(os.getcwd(), os.environ, problems)
    chosen = settings.assemble(layers, {"dir": folder}, (), problems)
    if folder is None and any(_OF_FOLDER.search(line) for line in problems.lines):
        problems.raise_any()
    for line in problems.notes + [f"ignored here: {line}" for line in problems.lines]:
        print(f"capture: {line}", file=sys.stderr)
    return of_settings(chosen)


def of_settings(chosen: settings.Settings) -> Place:
    """Where these settings say that runs are."""
    return Place(Path(chosen["dir"]), project_of(chosen))
