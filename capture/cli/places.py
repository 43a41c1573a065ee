"""Where runs are, for the commands that look at them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from capture import settings
from capture.runs.find import find
from capture.runs.start import project_of
from capture.runs.status import RunStatus


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


def of_settings(chosen: settings.Settings) -> Place:
    """Where these settings say that runs are."""
    return Place(Path(chosen["dir"]), project_of(chosen))
