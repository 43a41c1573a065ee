"""The run that a user means: by its folder, its id, its name, or as the last one."""

from __future__ import annotations

from pathlib import Path

from capture import runs
from capture.errors import UserError, nearest
from capture.runs import status
from capture.runs.status import RunStatus

LAST = "last"
MOST = 5  # ids in a message


def find(wanted: str, base: Path, project: str | None = None) -> RunStatus:
    """The run that is meant; `base` is the folder that holds all runs.

    A name may have its project before it, as in lists: `mnist/baseline`.  With `project` only that one is
    searched.  Raises UserError where there is no such run, or more than one.
    """
    if (found := status.of(Path(wanted))) is not None:
        return found._replace(folder=found.folder.absolute())
    if Path(wanted).name == wanted:  # an id needs no look at all runs
        for folder in base.glob(f"*/{_literal(wanted)}"):
            if (found := status.of(folder)) is not None and project in (None, found.run.project):
                return found._replace(folder=found.folder.absolute())
    everything = status.identities(base, project)
    named = [folder for folder, run in everything if wanted in (run.name, f"{run.project}/{run.name}")]
    if not named and wanted == LAST and everything:
        named = [everything[-1][0]]
    if len(named) > 1:
        ids = [folder.name for folder in reversed(named)]
        more = f" and {len(ids) - MOST} more" if len(ids) > MOST else ""
        raise UserError(
            f"{len(ids)} runs are called {wanted!r}; say which by its id: {', '.join(ids[:MOST])}{more}"
        )
    found = status.of(named[0]) if named else None
    if found is None:
        raise UserError(_missing(wanted, base, [run for _, run in everything]))
    return found._replace(folder=found.folder.absolute())


def _literal(name: str) -> str:
    """The name, for `glob`, where nothing in it stands for anything else."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _missing(wanted: str, base: Path, there: list[runs.Run]) -> str:
    if not there:
        return f"there is no run {wanted!r}: there are no runs in {base}"
    near = nearest(wanted, {run.name for run in there} | {run.id for run in there} | {LAST})
    hint = f"did you mean {near!r}?" if near else "`capture runs` lists what there is"
    return f"there is no run {wanted!r} in {base}, by folder, id or name; {hint}"
