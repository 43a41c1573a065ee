"""The status of runs: which there are, how they ended, and what of each has been delivered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs


class RunStatus(NamedTuple):
    """A run, and what the tracker has made of it."""

    folder: Path
    run: runs.Run
    records: int  # how many
    last: dict[str, Any]  # the last value of each metric
    delivered: dict[str, bool]  # for each backend, whether it has stored all rows

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed` (an exit status that is not 0) or `crashed`."""
        if self.run.state == "running" and not runs.is_alive(self.run):
            return "crashed"
        return "failed" if self.run.state == "finished" and self.run.exit_status else self.run.state

    @property
    def tracked(self) -> bool:
        """Whether the tracker has read the recording to its end."""
        return bool(_json(self.folder / runs.STATUS).get("state") == "done")

    def is_missing(self, backends: list[str]) -> bool:
        """Whether something is still to be delivered to one of these backends."""
        return not self.tracked or (
            self.records > 0 and not all(self.delivered.get(name) for name in backends)
        )


def all_runs(base: Path, project: str | None = None) -> list[RunStatus]:
    """Return the runs in the folder that holds all runs, the oldest first.

    With `project`, only those of that project.
    """
    found = [of(path.parent) for path in base.glob("*/*/" + runs.RUN_FILE)]
    known = [one for one in found if one is not None and project in (None, one.run.project)]
    return sorted(known, key=lambda one: one.run.start)


def of(folder: Path) -> RunStatus | None:
    """Return the status of the run in this folder; None if there is none."""
    try:
        run = runs.read(folder)
    except (OSError, ValueError, TypeError):
        return None
    try:
        with (folder / runs.RECORDS).open("rb") as file:
            records = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        records = 0
    delivered = {}
    for path in sorted((folder / runs.DELIVERED).glob("*.json")):
        note = _json(path)
        delivered[path.stem] = note.get("state") == "closed" and note.get("rows") == records
    for name in run.to:  # a name may hold what a file's can't
        delivered.setdefault(name, delivered.get(runs.note_name(name)[: -len(".json")], False))
    return RunStatus(folder, run, records, _json(folder / runs.STATUS).get("last") or {}, delivered)


def _json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if it can't be read."""
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return item if isinstance(item, dict) else {}
