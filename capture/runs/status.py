"""How the runs stand: which there are, and what of each has been delivered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs


class RunStatus(NamedTuple):
    """One run: `delivered` holds, for each backend, whether it has all rows for good.

    `last` are the last values of its metrics.
    """

    folder: Path
    run: runs.Run
    records: int
    last: dict[str, Any]
    delivered: dict[str, bool]

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed` (an exit status that is not 0) or `crashed`."""
        if self.run.state == "running" and not runs.is_alive(self.run):
            return "crashed"
        return "failed" if self.run.state == "finished" and self.run.exit_status else self.run.state

    @property
    def tracked(self) -> bool:
        """Whether the tracker came to the end of the recording."""
        return bool(_json(self.folder / runs.STATUS).get("state") == "done")

    def is_missing(self, backends: list[str]) -> bool:
        """Whether one of these backends has not got everything."""
        return not self.tracked or (
            self.records > 0 and not all(self.delivered.get(name) for name in backends)
        )


def all_runs(base: Path, project: str | None = None) -> list[RunStatus]:
    """The runs in the folder that holds all runs, the oldest first."""
    found = [of(path.parent) for path in base.glob("*/*/" + runs.RUN_FILE)]
    known = [one for one in found if one is not None and project in (None, one.run.project)]
    return sorted(known, key=lambda one: one.run.start)


def of(folder: Path) -> RunStatus | None:
    """How the run in this folder stands; None where there is none."""
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
    return RunStatus(folder, run, records, _json(folder / runs.STATUS).get("last") or {}, delivered)


def _json(path: Path) -> dict[str, Any]:
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return item if isinstance(item, dict) else {}
