"""The status of runs: which there are, how they ended, and what of each has been delivered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from capture import runs
from capture.runs import ranks


class RunStatus(NamedTuple):
    """A run, and what the tracker has made of it."""

    folder: Path
    run: runs.Run
    records: int  # how many
    last: dict[str, Any]  # the last value of each metric
    delivered: dict[str, bool]  # for each backend, whether it has stored all rows
    offline: frozenset[str] = frozenset()  # of these, those whose rows are on this machine, to be sent later
    tracked: bool = False  # the tracker has read the recording to its end
    problems: Sequence[str] = ()  # what is wrong with the files in its folder
    files: int = 0  # files, tables, images and plots: how many

    @property
    def label(self) -> str:
        """The run's name in lists and messages."""
        return f"{self.run.project}/{self.run.name}"

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed`, `interrupted`, `stopped`, `crashed`, or `broken`.

        Of a broken one, whose `run.json` can't be read, only the folder is known.
        """
        if self.run.state == "running" and not runs.is_alive(self.folder, self.run):
            return "crashed"
        return runs.outcome(self.run)

    @property
    def backends(self) -> list[str]:
        """The run's backends, and those that have got it since."""
        notes = {runs.note_name(name)[: -len(".json")] for name in self.run.to}
        others = [name for name, whole in self.delivered.items() if whole and name not in notes]
        return list(dict.fromkeys([*self.run.to, *others]))

    def is_missing(self, backends: list[str]) -> bool:
        """Whether something is still to be delivered to one of these backends."""
        return not self.tracked or (
            self.records + self.files > 0 and not all(self.delivered.get(name) for name in backends)
        )


def all_runs(base: Path, project: str | None = None) -> list[RunStatus]:
    """Return the runs in the folder that holds all runs, the oldest first.

    With `project`, only those of that project.
    """
    found = [of(path.parent) for path in base.glob("*/*/" + runs.RUN_FILE)]
    known = [one for one in found if one is not None and project in (None, one.run.project)]
    return sorted(known, key=lambda one: _place(one.run))


def identities(base: Path, project: str | None = None) -> list[tuple[Path, runs.Run]]:
    """Return the same runs, each as its folder and who it is."""
    found = []
    for path in base.glob("*/*/" + runs.RUN_FILE):
        try:
            run = runs.read(path.parent)
        except (OSError, ValueError):
            run = _unknown(path.parent)
        if project in (None, run.project):
            found.append((path.parent, run))
    return sorted(found, key=lambda one: _place(one[1]))


def _place(run: runs.Run) -> tuple[float, float]:
    """Where a run stands among others: a replay comes after the run that it was made from."""
    return run.start, run.made


def of(folder: Path) -> RunStatus | None:
    """Return the status of the run in this folder; None if there is none."""
    problems: list[str] = []
    try:
        run = runs.read(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        return RunStatus(folder, _unknown(folder), 0, {}, {}, problems=[_why(error)])
    records, files = _lines(folder / runs.RECORDS), _lines(folder / runs.FILES)
    status = _object(folder / runs.STATUS, problems)
    whole = status.get("state") == "done"
    delivered, offline = {}, []
    for path in sorted((folder / runs.DELIVERED).glob("*.json")):
        note = _object(path, problems)
        state = note.get("state")
        got = (note.get("rows"), note.get("files", 0))
        delivered[path.stem] = whole and state in ("closed", "offline") and got == (records, files)
        if delivered[path.stem] and state == "offline":
            offline.append(path.stem)
    for name in run.to:  # a name may hold what a file's can't
        delivered.setdefault(name, delivered.get(runs.note_name(name)[: -len(".json")], False))
    last = status.get("last") or {}
    if not isinstance(last, dict):
        problems.append(f"{runs.STATUS}: 'last' should be an object")
        last = {}
    last = {name: value for name, value in last.items() if isinstance(value, (int, float, str))}
    return RunStatus(folder, run, records, last, delivered, frozenset(offline), whole, problems, files)


def ranks_of(folder: Path) -> dict[int, RunStatus]:
    """How the ranks but 0 are that have recorded for themselves, by their number."""
    found = {}
    for rank in ranks.present(folder):
        place = Path(ranks.folder_of(folder, rank))
        try:
            found[rank] = RunStatus(place, runs.read(place), 0, {}, {})
        except (OSError, ValueError):
            continue  # it is just beginning, or says nothing any more
    return found


def unlike_rank_0(folder: Path, first: runs.Run) -> list[str]:
    """Which ranks have failed or crashed otherwise than rank 0, and how; what most have come to first."""
    ended: dict[str, list[int]] = {}
    for rank, one in ranks_of(folder).items():
        status = one.run.exit_status
        if one.state == "crashed":
            ended.setdefault("crashed", []).append(rank)
        elif status and status != first.exit_status:
            ended.setdefault(f"ended with exit status {status}", []).append(rank)
    return [
        f"{ranks.named(numbers)} {how}" for how, numbers in sorted(ended.items(), key=lambda e: -len(e[1]))
    ]


def progress(folder: Path) -> list[Any]:
    """What changes as long as a tracker gets on: how much is read, and what each backend has got."""
    ignored: list[str] = []
    notes = [_object(path, ignored) for path in sorted((folder / runs.DELIVERED).glob("*.json"))]
    got = [note.get(key) for note in notes for key in ("rows", "lines", "samples", "files")]
    return [_object(folder / runs.STATUS, ignored).get("position"), *got]


def note_sent(folder: Path, backend: str, sent: bool) -> None:
    """Note that a run which was offline has been sent; not `sent`: that there is nothing of it to be sent."""
    path = folder / runs.DELIVERED / f"{backend}.json"
    state = {"state": "closed"} if sent else {"state": "open", "rows": 0, "files": 0}
    runs.replace_file(path, json.dumps({**_object(path, []), **state}) + "\n")


def _lines(path: Path) -> int:
    """How many whole lines a file has."""
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0


def state_of(folder: runs.PathLike) -> str:
    """What the tracker says that it is doing: "done" when it has read the recording to its end."""
    return str(_object(Path(folder) / runs.STATUS, []).get("state", ""))


def _unknown(folder: Path) -> runs.Run:
    """What stands for a run whose `run.json` can't be read."""
    place = folder.absolute()
    try:
        start = place.stat().st_mtime
    except OSError:
        start = 0.0
    return runs.Run(place.name, place.parent.name, place.name, [], "", "", start, state="broken", to=[])


def _object(path: Path, problems: list[str]) -> dict[str, Any]:
    """Return the JSON object in a file; empty if there is none, and then the problem is added."""
    try:
        return runs.read_object(path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        problems.append(_why(error))
    return {}


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(error.filename or '').name}: {error.strerror}"
    return str(error)
