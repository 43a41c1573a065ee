"""Weights & Biases: online where there is a login, else offline, to be sent later with `wandb sync`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from capture.adapter import Line
from capture.records import Row
from capture.runs import Run

# Private settings of wandb, which may change: an unknown one is left out.
PRIVATE = {
    "x_transaction_log_flush_interval": 1,  # a kill loses a second, not half a minute
    "x_disable_stats": True,  # it would watch this process, not the command
    "x_disable_meta": True,
}


class WandbAdapter:
    """One run in W&B.  Each row's own step is its ordinal, which only grows, so that none is dropped."""

    def __init__(self) -> None:
        self._run: Any = None
        self._defined: set[str] = set()
        self._cwd = Path()
        self._offline = False

    def open(self, run: Run, folder: Path) -> int:
        """Start the run.  An offline run is derived from the records: after a crash it is written anew."""
        base = Path(os.environ.get("WANDB_DIR") or folder.parent.parent)
        self._cwd = Path(run.cwd)
        self._offline = not logged_in()
        if self._offline:
            os.environ["WANDB_ERROR_REPORTING"] = "false"  # it would look for a host on the network
            for old in (base / "wandb").glob(f"offline-run-*-{run.id}"):
                shutil.rmtree(old, ignore_errors=True)
        import wandb

        self._run = wandb.init(
            project=run.project,
            name=run.name,
            id=run.id,
            resume="allow" if not self._offline else None,
            tags=run.tags or None,
            notes=run.notes or None,
            group=run.group or None,
            config=run.config,
            dir=str(base),
            mode="offline" if self._offline else "online",
            settings=_settings(wandb, run),
        )
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Log the rows, each metric over its own x-axis."""
        for row in rows:
            for name, axis in row.axes.items():
                if name not in self._defined:
                    self._define(axis, None)
                    self._define(name, axis)
            self._run.log(dict(row.metrics), step=row.ordinal)

    def console(self, lines: Sequence[Line]) -> None:
        """Add to the Logs tab."""
        self._run.write_logs("".join(f"{line.text}\n" for line in lines))

    def config(self, values: Mapping[str, Any]) -> None:
        """Add to the config."""
        self._run.config.update(dict(values), allow_val_change=True)

    def close(self, exit_status: int | None) -> None:
        """Finish the run with the command's exit status."""
        self._run.finish(exit_code=exit_status or 0)

    def links(self) -> list[str]:
        """The run's page, or how to send it."""
        if not self._offline:
            return [str(self._run.url)]
        path = Path(self._run.dir).parent
        shown = path.relative_to(self._cwd) if path.is_relative_to(self._cwd) else path
        return [f"kept offline; to send it: wandb sync {shown}"]

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """Whether a run would be online."""
        if not logged_in():
            return "offline: no login or WANDB_MODE; runs are kept for `wandb sync`", None
        return "online", os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"

    def _define(self, name: str, axis: str | None) -> None:
        if name not in self._defined:
            self._defined.add(name)
            self._run.define_metric(name, step_metric=axis)


def logged_in() -> bool:
    """Whether wandb may go online: asked without a prompt and without the network."""
    if os.environ.get("WANDB_MODE", "online") != "online":
        return False
    import wandb

    return bool(wandb.login(prompt=False, verify=False))


def _settings(wandb: Any, run: Run) -> Any:
    settings = wandb.Settings(console="off", silent=True, quiet=True, program=run.command[0])
    for name, value in PRIVATE.items():
        try:
            setattr(settings, name, value)
        except (AttributeError, ValueError):
            continue
    return settings
