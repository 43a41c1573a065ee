"""Weights & Biases: online where there is a login, else offline, to be sent later with `capture sync`.

Online the server is asked how far it is, so that a run that is opened again gets only what is missing.
An offline run is derived from the records, and written anew.
"""

from __future__ import annotations

import logging
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from capture import runs
from capture.adapters import _wandb_settings, _wandb_shared, _wandb_sync
from capture.adapters._about import about
from capture.adapters._wandb_start import command_line, exit_code, started_at
from capture.adapters.wandb_files import WandbFiles
from capture.delivery.adapter import Adapter, Gone
from capture.errors import UserError
from capture.metrics import Series, better, only_counts
from capture.records import Alert, ConsoleLine, File, Row
from capture.runs import Run

SUMMARY = {"exit_status", "duration_s", "stopped_by"}  # of how it ended
OWN = ("_step", "_runtime", "_timestamp")  # W&B's own columns
log = logging.getLogger(__name__)
_REFUSED = re.compile(r"returned error (401|403|404)\b")
_FATAL = re.compile(rb'"level":"ERROR\+4","msg":"([^"]*fatal error[^"]*)')


class WandbAdapter(Adapter):
    """One run in W&B.  Each row's own step is its ordinal, which only grows, so that none is dropped."""

    options = ("entity", "job_type")
    shows = ("file", "table", "image", "plot")

    def __init__(self) -> None:
        self._run: Any = None
        self._folder = Path()
        self._files: Any = None
        self._next = 0  # ordinal of the row that comes next
        self._offline = False
        self._shared = False  # other ranks send a part of this run by themselves ...
        self._second = False  # ... and rank 0, which says what the run is, is another one
        self._corrected: set[str] = set()  # metrics whose best value wandb would get wrong
        self._defined: dict[str, str | None] = {}  # what a metric is drawn over
        self._series: dict[str, Series] = {}
        self._log_file = Path()  # of wandb's own process
        self._log_read = 0
        self._lost = ""

    def open(self, run: Run, folder: Path) -> int:
        """Start the run, or go on with it where the server has it already."""
        import wandb

        self._folder = folder
        self._offline = not logged_in()
        self._shared = not self._offline and _wandb_shared.is_shared(run, folder)
        self._second = self._shared and _wandb_shared.rank_of(run) > 0
        base = Path(os.environ.get("WANDB_DIR") or folder.parent.parent)
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it looks for a host even when offline
        if self._offline:
            for old in (base / "wandb").glob(f"offline-run-*-{run.id}*"):
                shutil.rmtree(old, ignore_errors=True)
        try:
            with command_line(_wandb_settings.words(run)), started_at(run.start):
                self._run = wandb.init(
                    **_wandb_settings.identity(run, self._shared),
                    id=run.id,
                    resume=None if self._offline or self._shared else "allow",
                    reinit="create_new",
                    config={} if self._second else run.config,
                    dir=str(base),
                    mode="offline" if self._offline else "shared" if self._shared else "online",
                    settings=_wandb_settings.settings(wandb, run, self._shared),
                )
        except Exception as error:
            _tear_down()  # wandb's process may have died, or be busy with this attempt
            raise _explained(error) from None
        if self._shared:
            for name in _wandb_shared.others(run):
                self._run.define_metric(name, step_metric="step")
        self._log_file = Path(getattr(self._run.settings, "log_internal", "") or os.devnull)
        self._files = WandbFiles(self._run)
        if self._shared:
            self._next = _wandb_shared.stored(folder)
        elif self._run.resumed:
            self._next = max(0, int(self._run.starting_step) - self._files.rows)
        else:
            self._next = 0
        return self._next

    def held(self, rows: Sequence[Row]) -> None:
        """Define again what these rows have defined: a resumed run has lost it."""
        for row in rows:
            self._notice(row)
        self._corrected |= self._series.keys()

    def log(self, rows: Sequence[Row]) -> None:
        """Log the rows, each metric over its own x-axis."""
        with self._connected():
            for row in rows:
                self._notice(row)
                item: dict[str, Any] = {k: v for k, v in row.metrics.items() if k not in OWN}
                if row.time is not None:
                    item["_timestamp"] = row.time
                step = None if self._shared else row.ordinal + self._files.rows
                self._run.log(item, step=step, commit=True)
                self._next = row.ordinal + 1
            self._correct_summary({name for row in rows for name in row.metrics})

    def file(self, file: File) -> None:
        """Make a version of an artifact, or log a table, an image or a chart."""
        with self._connected():
            self._files.add(file, self._next + self._files.rows, self._defined)

    def files_held(self, noted: int) -> int:
        """Of a run that W&B has; an offline one begins anew."""
        return noted if self._run.resumed else 0

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Add to the Logs tab."""
        with self._connected():
            self._run.write_logs("".join(f"{line.text}\n" for line in lines))

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Alert as the user's settings at W&B say: by mail or Slack; thinned they are already."""
        with self._connected():
            for alert in alerts:
                text = alert.text if alert.step is None else f"{alert.text} (step {alert.step})"
                self._run.alert(alert.title, text, level=alert.level.upper(), wait_duration=0)

    def config(self, values: Mapping[str, Any]) -> None:
        """Add to the config."""
        if self._second:
            return
        with self._connected():
            self._run.config.update(dict(values), allow_val_change=True)

    def close(self, exit_status: int | None) -> None:
        """Finish the run with the command's exit status."""
        run = runs.read(self._folder)
        with self._connected():
            if not self._second:
                self._run.summary.update({k: v for k, v in about(run).items() if k in SUMMARY})
            self._run.finish(exit_code=exit_code(exit_status, run))

    def links(self) -> list[str]:
        """The run's page, or how to send it."""
        if self._run is None:
            return []
        if not self._offline:
            return [str(self._run.url)]
        return [f"to send it: {_wandb_sync.LOGIN}"]

    def kept_offline(self) -> bool:
        """Without a login, or with WANDB_MODE=offline."""
        return self._offline

    @staticmethod
    def send(run: Run, folder: Path, limit: float) -> bool:
        """Send an offline run by wandb's own `sync`."""
        return _wandb_sync.send(run, folder, limit)

    @staticmethod
    def login_command() -> list[str]:
        """wandb's own `login`."""
        return _wandb_sync.command("login")

    @staticmethod
    def remove(run: Run, folder: Path) -> bool:
        """Remove the local copy; a run that W&B's server has got stays there."""
        place = Path(os.environ.get("WANDB_DIR") or folder.parent.parent) / "wandb"
        offline = list(place.glob(f"offline-run-*-{run.id}*"))
        for copy in (*offline, *place.glob(f"run-*-{run.id}*")):
            shutil.rmtree(copy)
        for link in place.glob("*"):  # wandb's to the last run
            if link.is_symlink() and not link.exists():
                link.unlink()
        return bool(offline)

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """Whether a run would be online."""
        if not logged_in():
            return f"offline: no login or WANDB_MODE; to send runs later: {_wandb_sync.LOGIN}", None
        return "online", os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Notice that wandb's own process has died or has given up sending, which it says nowhere else."""
        if self._lost:
            raise Gone(self._lost)
        try:
            yield
        except (TypeError, ValueError):
            raise
        except Exception as error:
            self._lost = f"wandb's own process does not answer: {error}"
        else:
            self._lost = self._gave_up()
        if self._lost:
            _tear_down()
            raise Gone(self._lost)

    def _gave_up(self) -> str:
        try:
            with self._log_file.open("rb") as file:
                file.seek(self._log_read)
                text = file.read()
        except OSError:
            return ""
        self._log_read += text.rfind(b"\n") + 1
        found = _FATAL.search(text)
        return found[1].decode("utf-8", "replace").partition(" url=")[0] if found else ""

    def _notice(self, row: Row) -> None:
        axes = set(row.axes.values())
        for name, value in row.metrics.items():
            if name not in axes:
                self._series.setdefault(name, Series()).add(value)
                if not math.isfinite(value):
                    self._corrected.add(name)
            axis = row.axes.get(name)
            if name not in OWN and self._defined.get(name, "") != axis:
                self._define(
                    name,
                    axis or ("_step" if name in self._defined else None),
                    name in axes or only_counts(name),
                )
                self._defined[name] = axis

    def _define(self, name: str, axis: str | None, hidden: bool) -> None:
        """Say what the metric is drawn over, and whether its best value is the lowest or the highest.

        A dot in a name would be taken for nesting; the axis is in each row, so it need not be added.
        """
        import wandb

        best = better(name)
        for known in _wandb_shared.defined(name) if self._second else [name]:
            try:
                self._run.define_metric(
                    known.replace(".", r"\."),
                    step_metric=axis,
                    step_sync=False if axis else None,
                    hidden=hidden or None,
                    summary=f"{best},last" if best else None,
                )
            except wandb.Error as error:
                log.warning("%s: drawn over W&B's own step: %s", known, error)

    def _correct_summary(self, logged: set[str]) -> None:
        """The best value: wandb knows only the rows since the run was resumed, and a NaN stays for good."""
        found = {name: self._series[name] for name in logged & self._corrected}
        values = {
            name: {better(name): best, "last": series.last}
            for name, series in found.items()
            if (best := series.best(name)) is not None
        }
        if values and not self._second:
            self._run.summary.update(values)


def logged_in() -> bool:
    """Whether wandb may go online: asked without a prompt and without the network.

    The key may be in a variable, in .netrc or in wandb's own settings.  Raises UserError for one that
    can't be a key.
    """
    import wandb

    mode = os.environ.get("WANDB_MODE") or "online"
    if mode == "disabled":
        raise UserError("WANDB_MODE=disabled: nothing is sent to W&B")
    if mode in ("offline", "dryrun"):
        return False
    os.environ["WANDB_SILENT"] = "true"  # else `login` asks the server whom to greet
    try:
        return bool(wandb.login(prompt=False, verify=False))
    except (wandb.Error, ValueError) as error:
        raise UserError(f"W&B: {error}") from None


def _explained(error: Exception) -> Exception:
    """What went wrong in one sentence; a refusal is not tried again."""
    last = str(error).rpartition("while retrying: ")[2].splitlines()[-1:]
    text = last[0] if last else type(error).__name__
    if _REFUSED.search(text):
        return UserError(f"W&B refuses: {text}; check the key, WANDB_BASE_URL, entity and project")
    return ConnectionError(f"W&B can't be reached: {text}")


def _tear_down() -> None:
    """End wandb's own process, or forget the dead one: the next `open` starts another."""
    import wandb

    try:
        wandb.teardown()
    except Exception:  # noqa: S110  it tells that the process is dead
        pass
