"""Any module with wandb's `init`, `log` and `finish`: `--to module:NAME`.

`NAME` is that of an installed module.  `FOLDER/NAME` (`module:./tracking.client`) is a module in that folder.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import runs
from capture.adapters._about import at_the_end
from capture.delivery import install
from capture.delivery.adapter import Adapter
from capture.errors import UserError
from capture.records import Alert, Row
from capture.runs import Run

NEEDED = ("init", "log", "finish")


class ModuleAdapter(Adapter):
    """One run through such a module, of which only what it has is used.

    Each row's step is its ordinal: it only grows, so that a module that wants that, as wandb does, drops
    none, and one that knows a step again keeps a row once.
    """

    def __init__(self, name: str) -> None:
        self._place, self._name = parts(name)
        self._module: Any = None
        self._run: Any = None
        self._about: Run
        self._folder = Path()
        self._defined: set[str] = set()
        self._next = 0  # the ordinal of the row that comes next

    @staticmethod
    def check(name: str) -> None:
        """Raises UserError where there is no such module; it is not imported."""
        place, module = parts(name)
        if not all(part.isidentifier() for part in module.split(".")):
            raise UserError(f"module:{name}: should be the name of a module, such as module:swanlab")
        top = module.partition(".")[0]
        with importable(place):
            found = importlib.util.find_spec(top)
        if found is None and place:
            raise UserError(f"module:{name}: there is no module {module!r} in {place}")
        if found is None:
            with importable(os.getcwd()):
                here = importlib.util.find_spec(top) is not None
            if here:
                raise UserError(
                    f"module:{name}: {module!r} is not installed; if the one in this folder is meant: "
                    f"--to module:./{name}"
                )
            raise UserError(
                f"module:{name}: there is no module {name!r} installed beside capture"
                f"; install it with: {install.command([top])}"
            )

    def open(self, run: Run, folder: Path) -> int:
        """Import the module and start the run."""
        self._about, self._folder = run, folder
        sys.stdin = io.StringIO()  # a module that asks for a key would read the tracker's lifeline
        with importable(self._place):
            try:
                self._module = importlib.import_module(self._name)
            except ImportError:
                raise
            except Exception as error:
                raise UserError(f"module:{self._name}: {type(error).__name__}: {error}") from error
        missing = [name for name in NEEDED if not callable(getattr(self._module, name, None))]
        if missing:
            raise UserError(f"module:{self._name}: it has no {', '.join(missing)}, as wandb has")
        self._run = self._call(
            self._module.init,
            {
                "project": run.project,
                "name": run.name,
                "id": run.id,
                "resume": "allow",
                "tags": run.tags or None,
                "notes": run.notes or None,
                "group": run.group or None,
                "config": dict(run.config),
                "dir": str(folder.parent.parent),
            },
            {"experiment_name": run.name, "description": run.notes, "log_dir": str(folder.parent.parent)},
        )
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Log the rows, each metric over its own x-axis where the module knows such."""
        for row in rows:
            if row.ordinal < self._next:
                continue  # it comes again because a later one failed
            for name, axis in row.axes.items():
                self._define(name, axis)
            self._call(self._module.log, {"step": row.ordinal}, {}, dict(row.metrics))
            self._next = row.ordinal + 1

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Alert, where the run or the module can."""
        alert = getattr(self._run, "alert", None) or getattr(self._module, "alert", None)
        if not callable(alert):
            return
        for one in alerts:
            self._call(alert, {"title": one.title, "text": one.text}, {})

    def config(self, values: Mapping[str, Any]) -> None:
        """Add to the config, where there is one."""
        for owner in (self._run, self._module):
            update = getattr(getattr(owner, "config", None), "update", None)
            if update is not None:
                self._call(update, {}, {"allow_val_change": True}, dict(values))
                return

    def close(self, exit_status: int | None) -> None:
        """Finish the run with the command's exit status."""
        self.config({"run": at_the_end(self._about, self._folder)})
        how = "aborted" if exit_status == runs.INTERRUPTED else "crashed"
        state = {"state": how} if exit_status else {}
        self._call(self._module.finish, {"exit_code": exit_status or 0}, state)

    def _define(self, name: str, axis: str) -> None:
        if name in self._defined or not hasattr(self._module, "define_metric"):
            return
        self._defined.add(name)
        self._call(self._module.define_metric, {"step_metric": axis}, {"x_axis": axis}, name)
        if axis not in self._defined:  # it only counts: no chart of its own, where that can be said
            self._defined.add(axis)
            if "hidden" in accepted(self._module.define_metric, {"hidden": True}, {}):
                self._call(self._module.define_metric, {"hidden": True}, {}, axis)

    def _call(
        self,
        function: Callable[..., Any],
        keywords: Mapping[str, Any],
        others: Mapping[str, Any],
        *values: Any,
    ) -> Any:
        """Call with those of wandb's keywords that the function takes, and those of others that it names."""
        with importable(self._place):
            try:
                return function(*values, **accepted(function, keywords, others))
            except (EOFError, SystemExit) as error:  # the latter would end this thread without a word
                what = "it asks for input" if isinstance(error, EOFError) else f"it exits: {error}"
                raise UserError(f"module:{self._name}: {what}") from error


def accepted(
    function: Callable[..., Any], keywords: Mapping[str, Any], others: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of the keywords that the function takes, and those of the others that it has by name."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C, without a signature
        return dict(keywords)
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    named = {name: value for name, value in {**others, **keywords}.items() if name in parameters}
    return {**keywords, **named} if takes_any else named


def parts(name: str) -> tuple[str, str]:
    """The folder in which a module is looked for, "" for the installed ones, and its name."""
    place, slash, module = name.rpartition("/")
    return os.path.abspath(place or slash) if slash else "", module.removesuffix(".py") if slash else module


@contextlib.contextmanager
def importable(folder: str) -> Iterator[None]:
    """With modules found in this folder, too, after all others: none of them hides another one.

    What is in the working folder is not found, unless that is the folder.
    """
    hidden = [place for place in sys.path if place in ("", os.getcwd())]
    if hidden:
        sys.path[:] = [place for place in sys.path if place not in hidden]
    if folder:
        sys.path.append(folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path[:0] = hidden
