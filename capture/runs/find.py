"""The run that a user means: by its folder, its id, its name or the beginning of it, or as the last one.

The last one is the one that was made last, also as a replay of an older one.  A name that a run shares with
its replays means the last of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from capture import runs
from capture.errors import UserError, nearest
from capture.runs import status
from capture.runs.status import RunStatus

LAST = "last"
MOST = 5  # ids in a message
Known = tuple[Path, runs.Run]  # a run's folder, and who it is


def find(wanted: str, base: Path, project: str | None = None, present: str | None = None) -> RunStatus:
    """The run that is meant; `base` is the folder that holds all runs.

    A name may have its project before it, as in lists: `mnist/baseline`.  What comes behind a space in a name
    can be left out: `train-3` is `train-3 lr=0.1`.  With `project` only that one is searched; what is called
    so in the project `present` comes before the runs of others.  Raises UserError where there is no such run,
    or more than one.
    """
    if (found := status.of(Path(wanted))) is not None:
        return found._replace(folder=found.folder.absolute())
    if Path(wanted).name == wanted:  # an id needs no look at all runs
        for folder in base.glob(f"*/{_literal(wanted)}"):
            if (found := status.of(folder)) is not None and project in (None, found.run.project):
                return found._replace(folder=found.folder.absolute())
    everything = status.identities(base, project)
    named = _without_older_readings(_called(wanted, everything, present), everything)
    if len(named) > 1:
        raise UserError(_several(wanted, named))
    found = status.of(named[0][0]) if named else None
    if found is None:
        raise UserError(_missing(wanted, base, [run for _, run in everything]))
    return found._replace(folder=found.folder.absolute())


def _literal(name: str) -> str:
    """The name, for `glob`, where nothing in it stands for anything else."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _called(wanted: str, everything: Sequence[Known], present: str | None) -> list[Known]:
    """The runs that are called so, if possible in the present project, and there by their whole names."""
    if wanted == LAST:
        made = sorted(everything, key=lambda one: one[1].made or one[1].start)
        return [one for one in everything if _has_name(wanted, one[1])] or made[-1:]
    here = [one for one in everything if one[1].project == present]
    fits: tuple[Callable[[str, runs.Run], bool], ...] = (_has_name, _begins_so)
    for place in (here, everything):
        for fit in fits:
            if found := [one for one in place if fit(wanted, one[1])]:
                return found
    return []


def _without_older_readings(named: Sequence[Known], everything: Sequence[Known]) -> list[Known]:
    """Of the replays of one run, and the run itself, only the last; `named` are in the order of `status`."""
    known = {run.id: run for _, run in everything}
    newest: dict[tuple[str, float], Known] = {}
    for one in named:
        origin = one[1]
        while (older := known.get(origin.parent or "")) is not None and older.made < origin.made:
            origin = older
        first = origin.parent if origin.made and origin.parent else origin.id
        newest[first, one[1].start] = one
    return list(newest.values())


def _has_name(wanted: str, run: runs.Run) -> bool:
    return wanted in (run.name, f"{run.project}/{run.name}")


def _begins_so(wanted: str, run: runs.Run) -> bool:
    """Whether this is what the name says before a space: `train-3` of `train-3 lr=0.1`."""
    return run.name.startswith(f"{wanted} ") or f"{run.project}/{run.name}".startswith(f"{wanted} ")


def _several(wanted: str, named: Sequence[Known]) -> str:
    """That several runs are called so, and which: the newest first."""
    newest = named[: -MOST - 1 : -1]
    more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
    if all(_has_name(wanted, run) for _, run in named):
        ids = ", ".join(folder.name for folder, _ in newest)
        return f"{len(named)} runs are called {wanted!r}; say which by its id: {ids}{more}"
    listed = ", ".join(f"{run.name!r} ({folder.name})" for folder, run in newest)
    return f"{len(named)} runs are called {wanted!r} and more; say which by its name or id: {listed}{more}"


def _missing(wanted: str, base: Path, there: list[runs.Run]) -> str:
    if not there and wanted == LAST:
        return f"there are no runs in {base}; capture -- COMMAND makes one"
    if not there:
        return f"there is no run {wanted!r}: there are no runs in {base}"
    near = nearest(wanted, {run.name for run in there} | {run.id for run in there} | {LAST})
    hint = f"did you mean {near!r}?" if near else "`capture runs` lists what there is"
    return f"there is no run {wanted!r} in {base}, by folder, id or name; {hint}"
