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
    offline: frozenset[str] = frozenset()  # of these, those whose rows are on this machine, to be sent later

    @property
    def label(self) -> str:
        """The run's name in lists and messages."""
        return f"{self.run.project}/{self.run.name}"

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed`, `interrupted` or `crashed`."""
        return runs.outcome(self.run)

    @property
    def tracked(self) -> bool:
        """Whether the tracker has read the recording to its end."""
        return state_of(self.folder) == "done"

    def is_missing(self, backends: list[str]) -> bool:
        """Whether something is still to be delivered to one of these backends."""
        return not self.tracked or (
            self.records > 0 and not all(self.delivered.get(name) for name in backends)
        )


def all_runs(base: Path, project: str | None = None) -> list[RunStatus]:
    """Return the runs in the folder that holds all runs, the oldest first.

    With `project`, only those of that project.
    """
    found = [of(folder) for folder, _ in identities(base, project)]
    return [one for one in found if one is not None]


def identities(base: Path, project: str | None = None) -> list[tuple[Path, runs.Run]]:
    """Return the same runs, each as its folder and who it is."""
    found = []
    for path in base.glob("*/*/" + runs.RUN_FILE):
        try:
            run = runs.read(path.parent)
        except (OSError, ValueError, TypeError):
            continue
        if project in (None, run.project):
            found.append((path.parent, run))
    return sorted(found, key=lambda one: one[1].start)


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
    delivered, offline, whole = {}, [], state_of(folder) == "done"
    for path in sorted((folder / runs.DELIVERED).glob("*.json")):
        note = _json(path)
        state = note.get("state")
        delivered[path.stem] = whole and state in ("closed", "offline") and note.get("rows") == records
        if delivered[path.stem] and state == "offline":
            offline.append(path.stem)
    last = _json(folder / runs.STATUS).get("last") or {}
    return RunStatus(folder, run, records, last, delivered, frozenset(offline))


def progress(folder: Path) -> list[Any]:
    """What changes as long as a tracker gets on: how much is read, and what each backend has got."""
    notes = [_json(path) for path in sorted((folder / runs.DELIVERED).glob("*.json"))]
    got = [note.get(key) for note in notes for key in ("rows", "lines", "samples")]
    return [_json(folder / runs.STATUS).get("position"), *got]


def note_sent(folder: Path, backend: str, sent: bool) -> None:
    """Note that a run which was offline has been sent; not `sent`: that there is nothing of it to be sent."""
    path = folder / runs.DELIVERED / f"{backend}.json"
    state = {"state": "closed"} if sent else {"state": "open", "rows": 0}
    runs.replace_file(path, json.dumps({**_json(path), **state}) + "\n")


def state_of(folder: runs.PathLike) -> str:
    """What the tracker says that it is doing: "done" when it has read the recording to its end."""
    return str(_json(Path(folder) / runs.STATUS).get("state", ""))


def _json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if it can't be read."""
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return item if isinstance(item, dict) else {}
