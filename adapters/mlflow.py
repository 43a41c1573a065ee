"""MLflow: a tracking server, or a database beside the runs."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import re
import shlex
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import runs
from capture.adapters._about import about
from capture.adapters._axis import Steps
from capture.adapters._flat import ABOUT, flat
from capture.adapters.mlflow_files import MlflowFiles
from capture.adapters.mlflow_names import LONGEST_NAME, Names, cut, legal
from capture.delivery.adapter import Adapter
from capture.errors import UserError
from capture.records import Alert, ConsoleLine, File, Row, SystemSample, said
from capture.runs import Run

# MLflow's limits
MOST_METRICS = 999  # of one call, which takes 1000 things; one is the tag that says how far it is
MOST_PARAMS = 100
LONGEST_PARAM, LONGEST_TAG = 6000, 5000

# Tags: MLflow knows no interrupted run, nor a pause.
ENDED = ("state", "exit_status", "duration_s", "stopped_by")
MOST_LINES = 10_000  # of the console
ID, ROWS = "capture.id", "capture.rows"  # tags
REFUSED = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
CLOSED = ("PERMISSION_DENIED", "UNAUTHENTICATED", "ENDPOINT_NOT_FOUND", "RESOURCE_DOES_NOT_EXIST")

# Unless the user says otherwise: nothing is told to third parties, and delivery tries again by itself.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}

log = logging.getLogger(__name__)


class MlflowAdapter(Adapter):
    """One run in MLflow, which keeps every point that it gets.

    So the run itself says how far it is, in a tag that is set together with the points, and is asked
    when it is opened again.
    """

    options = ("tracking_uri", "registered_model")
    shows = ("file", "table", "image", "plot")
    needs = ("mlflow",)

    def __init__(self) -> None:
        self._client: Any = None
        self._id = ""
        self._rows = 0
        self._steps = Steps()
        self._names = Names()
        self._params: dict[str, str] = {}
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._folder = Path()
        self._time = self._start = 0.0
        self._link = ""
        self._registered: str | None = None

    def open(self, run: Run, folder: Path) -> int:
        """Find the run by its id, or make it."""
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise UserError(f"mlflow: {error}; `capture doctor` says how to install it") from None
        uri = tracking_uri(run, folder.parent.parent)
        try:
            with answers():
                self._client = MlflowClient(uri)
                self._open(run, folder.parent.parent, uri)
        except UserError:
            raise
        except (ImportError, ValueError) as error:
            raise UserError(_without_password(f"mlflow: {uri}: {error}")) from None
        self._registered = (run.settings.get("mlflow") or {}).get("registered_model")
        self._folder, self._time, self._start = folder, run.start, run.start
        self.config(run.config)
        return self._rows

    def _open(self, run: Run, base: Path, uri: str) -> None:
        experiment = self._experiment(run.project, base if uri.startswith("sqlite:") else None)
        found = self._client.search_runs([experiment], f"tags.`{ID}` = '{run.id}'", max_results=1)
        if found:
            self._id = found[0].info.run_id
            self._rows = int(found[0].data.tags.get(ROWS, 0))
            self._params = dict(found[0].data.params)
            self._client.update_run(self._id, status="RUNNING")
        else:
            start = int(run.start * 1000)
            made = self._client.create_run(experiment, start, tags=_tags(run), run_name=run.name)
            self._id = made.info.run_id
        place = _without_password(uri).replace(f"sqlite:///{run.cwd.rstrip('/')}/", "sqlite:///", 1)
        if uri.startswith("http"):
            self._link = f"{place.rstrip('/')}/#/experiments/{experiment}/runs/{self._id}"
        else:
            self._link = f"mlflow ui --backend-store-uri {shlex.quote(place)}"

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows, each metric at the value of its own axis."""
        from mlflow.entities import Metric

        metrics: list[Any] = []
        done = self._rows
        for row in rows:
            if row.ordinal < self._rows:
                continue  # it comes again because a later one failed
            self._time = row.time or self._time
            now = max(0, int(self._time * 1000))
            points = [Metric(self._names.of(n), value, now, step) for n, step, value in self._steps.of(row)]
            if metrics and len(metrics) + len(points) > MOST_METRICS:
                self._send(metrics, done)
                metrics = []
            metrics += points
            while len(metrics) > MOST_METRICS:  # one row is more than a call takes
                self._send(metrics[:MOST_METRICS], done)
                metrics = metrics[MOST_METRICS:]
            done = row.ordinal + 1
        self._send(metrics, done)

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Write the load where MLflow's page for it looks, over the seconds since the start."""
        from mlflow.entities import Metric

        metrics = [
            Metric(legal(f"system/{name}"), value, int(sample.time * 1000), int(sample.time - self._start))
            for sample in samples
            for name, value in sample.values.items()
        ]
        with answers():
            for start in range(0, len(metrics), MOST_METRICS):
                self._client.log_batch(self._id, metrics[start : start + MOST_METRICS])

    def config(self, values: Mapping[str, Any]) -> None:
        """Add parameters.  MLflow refuses to change one: the later value becomes a tag."""
        from mlflow.entities import Param, RunTag

        params, tags = [], []
        for name, value in flat(values):
            key, text = legal(name), cut(str(value), LONGEST_PARAM)
            if name.startswith(ABOUT):
                tags.append(RunTag(key.lstrip("_"), cut(text, LONGEST_TAG)))
            elif self._params.setdefault(key, text) == text:
                params.append(Param(key, text))
            else:
                tags.append(RunTag(cut(f"config.{key}", LONGEST_NAME), cut(str(value), LONGEST_TAG)))
        with answers():
            for start in range(0, max(len(params), len(tags)), MOST_PARAMS):
                part = slice(start, start + MOST_PARAMS)
                self._client.log_batch(self._id, params=params[part], tags=tags[part])

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Add tags: MLflow knows no alerts."""
        with answers():
            for alert in alerts:
                at = "" if alert.step is None else f" (step {alert.step})"
                text = f"{alert.level}: {said(alert.title, alert.text)}{at}"
                self._client.set_tag(self._id, f"alert.{alert.number}", cut(text, LONGEST_TAG))

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Keep the last lines for the end: an artifact is a whole file."""
        self._lines.extend(line.text for line in lines)

    def file(self, file: File) -> None:
        """Store an artifact."""
        with answers():
            MlflowFiles(self._client, self._id, self._registered).add(file)

    def files_held(self, noted: int) -> int:
        """An artifact is stored when `file` returns."""
        return noted

    def stored(self) -> int:
        """Every call is stored when it returns."""
        return self._rows

    def close(self, exit_status: int | None) -> None:
        """Say how the run ended."""
        run = runs.read(self._folder)
        if self._lines:
            try:
                self._client.log_text(self._id, "".join(f"{line}\n" for line in self._lines), "console.log")
            except Exception as error:  # artifacts have a store and a password of their own
                log.warning("mlflow: no console.log: %s", error)
        with answers():
            end = int((run.end or self._time) * 1000)
            ended = {name: str(value) for name, value in about(run).items() if name in ENDED}
            for name, value in ended.items():
                self._client.set_tag(self._id, name, value)
            self._client.set_terminated(self._id, _status(exit_status, run.state), end)

    def links(self) -> list[str]:
        """The run's page, or what opens it."""
        return [self._link]

    @staticmethod
    def remove(run: Run, folder: Path) -> bool:
        """Put it into the trash of the database on this machine, which `mlflow gc` empties."""
        uri = tracking_uri(run, folder.parent.parent)
        path = uri.removeprefix("sqlite:///").removeprefix("file://")
        if not os.path.isabs(path):
            return False  # a server
        if os.path.exists(path):
            from mlflow import MlflowClient

            with answers():
                client = MlflowClient(uri)
                experiment = client.get_experiment_by_name(run.project)
                where = [experiment.experiment_id] if experiment else []
                for found in client.search_runs(where, f"tags.`{ID}` = '{run.id}'") if where else ():
                    client.delete_run(found.info.run_id)
        return True

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """Whether it is installed, and where runs go."""
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            return "keeps runs in a database beside them, unless `mlflow:` in capture.yaml says more", None
        return "sends to MLFLOW_TRACKING_URI", _without_password(uri) if uri.startswith("http") else None

    def _experiment(self, name: str, base: Path | None) -> str:
        """The experiment's id; where `base` is given its artifacts lie there."""
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            place = (base.absolute() / "mlartifacts" / legal(name)).as_uri() if base else None
            try:
                return str(self._client.create_experiment(name, place))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._client.get_experiment_by_name(name)  # another run was faster
        if found.lifecycle_stage == "deleted":
            raise UserError(
                f"mlflow: the experiment {name!r} is deleted; restore it, or take another --project"
            )
        return str(found.experiment_id)

    def _send(self, metrics: Sequence[Any], done: int) -> None:
        """Write points, and that all rows before the ordinal `done` are there."""
        from mlflow.entities import RunTag

        if metrics:
            with answers():
                self._client.log_batch(self._id, metrics, tags=[RunTag(ROWS, str(done))])
        self._rows = done


def tracking_uri(run: Run, base: Path) -> str:
    """Where the run goes: what the user says, relative to the command's folder, or beside the runs."""
    options = run.settings.get("mlflow") or {}
    chosen = os.environ.get("MLFLOW_TRACKING_URI") or options.get("tracking_uri")
    if not chosen:
        return f"sqlite:///{base.absolute()}/mlflow.db"
    scheme, _, path = chosen.partition(":///")
    if scheme == "sqlite":
        return f"sqlite:///{Path(run.cwd) / path}"
    is_path = ":" not in chosen and not chosen.startswith("databricks")
    return str(Path(run.cwd) / chosen) if is_path else str(chosen)


@contextlib.contextmanager
def answers() -> Iterator[None]:
    """MLflow's errors, said as an adapter says them."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        message = _without_password(str(error).split("\n")[0])
        if error.error_code in REFUSED:
            raise ValueError(message) from error
        if error.error_code in CLOSED:
            raise UserError(f"mlflow: {message}") from error
        raise


def _status(exit_status: int | None, state: str) -> str:
    if state == "crashed" or (exit_status is not None and 128 < exit_status <= 128 + 64):
        return "KILLED"
    return "FAILED" if exit_status else "FINISHED"


def _tags(run: Run) -> dict[str, str]:
    """What MLflow's pages show of the run; the user's own tags are true."""
    tags = {
        ID: run.id,
        "mlflow.user": _user(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": shlex.join(run.command),
        "mlflow.source.git.commit": run.git.get("commit", ""),
        "mlflow.source.git.branch": run.git.get("branch", ""),
        "mlflow.note.content": run.notes,
        "host": run.host,
        "group": run.group,
    }
    tags |= {legal(tag): "true" for tag in run.tags}
    return {name: cut(value, LONGEST_TAG) for name, value in tags.items() if value}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""


def _without_password(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)
