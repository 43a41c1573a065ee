"""The state of a run, for backends that have no place of their own for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from capture import runs
from capture.runs import Run


def about(run: Run) -> dict[str, Any]:
    """State, exit status, duration in seconds, tags, notes and group, as far as there are such."""
    item = {
        "state": runs.outcome(run),
        "stopped_by": run.stopped_by or None,
        "exit_status": run.exit_status,
        "duration_s": round(runs.duration(run, time.time()), 1) if run.state != "running" else None,
        "tags": ", ".join(run.tags) or None,
        "notes": run.notes or None,
        "group": run.group or None,
    }
    return {name: value for name, value in item.items() if value is not None}


def at_the_end(run: Run, folder: Path) -> dict[str, Any]:
    """The same when nothing more comes: `run.json` knows how the run ended, unless its folder is gone."""
    try:
        return about(runs.read(folder))
    except (OSError, ValueError, TypeError):
        return about(run)
