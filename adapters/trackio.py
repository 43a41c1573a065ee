"""trackio: a dashboard in the browser, on this machine and without an account."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from capture.records import Row
from capture.runs import Run

# trackio keeps these for itself: it would rename a metric called so, with a warning.
RESERVED = frozenset(["project", "run", "timestamp", "step", "time", "metrics"])


class TrackioAdapter:
    """One run in trackio's store, beside the runs unless TRACKIO_DIR says otherwise.

    A row is one `log` call, so the number of rows in the store is how far it got.
    """

    def __init__(self) -> None:
        self._run: Any = None
        self._step = 0
        self._project = ""

    def open(self, run: Run, folder: Path) -> int:
        """Start the run, or go on with it after a crash."""
        trackio = load(folder.parent.parent)
        self._project = run.project
        resume = "allow" if (folder / "delivered" / "trackio.json").exists() else "never"
        with quiet():
            self._run = trackio.init(
                run.project,
                name=run.name,
                group=run.group or None,
                config=_config(run),
                resume=resume,
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        if resume == "never":
            return 0
        return int(trackio.SQLiteStorage.get_log_count(run.project, run.name, run_id=self._run.id))

    def log(self, rows: Sequence[Row]) -> None:
        """Log the rows; a row without a step stands beside the last one that had one."""
        for row in rows:
            self._step = self._step if row.step is None else row.step
            metrics = {
                f"{name}_" if name in RESERVED else name: value
                for name, value in row.metrics.items()
                if name != "step"
            }
            self._run.log(metrics, step=self._step)

    def close(self, exit_status: int | None) -> None:
        """Finish the run; trackio has no place for an exit status."""
        with quiet():
            self._run.finish()

    def links(self) -> list[str]:
        """What opens the dashboard."""
        return [f"capture ui --project {shlex.quote(self._project)}"]

    @staticmethod
    def dashboard(project: str | None, base: Path, port: int | None, browser: bool) -> None:
        """Serve the dashboard on this machine until Ctrl-C."""
        trackio = load(base)
        trackio.show(project, open_browser=browser, server_port=port, block_thread=True)


def load(base: Path) -> Any:
    """The module, its data folder set: it is read once, when trackio is imported."""
    os.environ.setdefault("TRACKIO_DIR", str(base.absolute() / "trackio"))
    import trackio

    return trackio


def _config(run: Run) -> dict[str, Any]:
    return {**run.config, "command": shlex.join(run.command), "host": run.host, **run.git}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without trackio's greetings; warnings still go to stderr."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
    sys.stdout.flush()
