"""trackio: a dashboard in the browser, on this machine and without an account.

`trackio.log` gives every row a random id and the present time, hands it to a thread that drops what
it can't write, and keeps no config after the first row.  So rows go straight to trackio's own
writers, which raise: each row under an id made of the run's and its ordinal, of which trackio stores
one only, so that a row may be sent again, and with the time at which it was printed.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from capture.errors import BadInput
from capture.records import Row
from capture.runs import Run

Entry = dict[str, Any]  # trackio's LogEntry, with a timestamp

# trackio keeps these for itself, and shows no column called so.
RESERVED = frozenset(["project", "run", "timestamp", "step", "time", "metrics"])


class TrackioAdapter:
    """One run in trackio's store, beside the runs unless TRACKIO_DIR says otherwise.

    The step of trackio's default x-axis is the program's own step, so that runs of different verbosity
    lie over each other; it may repeat and go back.  The frameworks' own axes are metrics beside it.
    """

    def __init__(self) -> None:
        self._write: Callable[[list[Entry]], None] = lambda entries: None
        self._finish: Callable[[], None] = lambda: None
        self._run: Run | None = None
        self._config: dict[str, Any] = {}
        self._config_due = True
        self._step = 0
        self._last: Entry | None = None

    def open(self, run: Run, folder: Path) -> int:
        """Find out where trackio keeps its runs.  Rows that are there already are known by their ids."""
        trackio = load(folder.parent.parent)
        self._run = run
        self._config = _config(run)
        server = os.environ.get("TRACKIO_SERVER_URL")
        try:
            trackio.SQLiteStorage.validate_project_name(run.project)
        except ValueError as error:
            raise BadInput(f"trackio: {error}") from None
        if os.environ.get("TRACKIO_SPACE_ID"):
            self._write, self._finish = _space(trackio, run, self._config)
        elif server:
            self._write = _server(server)
        else:
            with quiet():
                network = trackio.utils.get_storage_mode() == "jsonl"
            self._write = _fragments() if network else _store(trackio)
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows; one without a step stands beside the last one that had one."""
        step, entries = self._step, []
        for row in rows:
            step = step if row.step is None else row.step
            entries.append(self._entry(row, step))
        if self._config_due:
            entries[0]["config"] = self._config
        self._write(entries)
        self._step, self._last, self._config_due = step, entries[-1], False

    def config(self, values: Mapping[str, Any]) -> None:
        """Replace the config by the whole: it travels with a row, if need be with one that is known."""
        self._config |= _plain(values)
        if self._last is not None:
            self._write([{**self._last, "config": self._config}])
        else:
            self._config_due = True

    def close(self, exit_status: int | None) -> None:
        """Every row is stored when `log` returns; trackio has no place for an exit status."""
        self._finish()

    def links(self) -> list[str]:
        """What opens the dashboard."""
        return [f"capture ui --project {shlex.quote(self._run.project)}"] if self._run else []

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """Where runs are kept."""
        if os.environ.get("TRACKIO_SPACE_ID"):
            return f"sends to the Space {os.environ['TRACKIO_SPACE_ID']}", "https://huggingface.co"
        if server := os.environ.get("TRACKIO_SERVER_URL"):
            return "sends to TRACKIO_SERVER_URL", server
        return f"keeps runs in {os.environ.get('TRACKIO_DIR') or 'the runs folder'}; no network", None

    @staticmethod
    def dashboard(project: str | None, base: Path, port: int | None, browser: bool) -> None:
        """Serve the dashboard on this machine until Ctrl-C."""
        show(project, base, port, browser)

    def _entry(self, row: Row, step: int) -> Entry:
        assert self._run is not None  # noqa: S101  opened before
        time = None if row.time is None else datetime.fromtimestamp(row.time, timezone.utc).isoformat()
        return {
            "project": self._run.project,
            "run": self._run.name,
            "run_id": self._run.id,
            "step": step,
            "metrics": {
                f"{name}_" if name in RESERVED else name: value
                for name, value in row.metrics.items()
                if name != "step"
            },
            "timestamp": time or datetime.now(timezone.utc).isoformat(),
            "config": None,
            "log_id": f"{self._run.id}/{row.ordinal}",
        }


def show(project: str | None, base: Path, port: int | None = None, browser: bool = True) -> None:
    """Serve the dashboard on the runs of the folder `base` until Ctrl-C, to this machine only."""
    trackio = load(base)
    with quiet():
        server, address, _, with_token = trackio.show(
            project, open_browser=False, server_port=port, block_thread=False, host="127.0.0.1"
        )
    print(f"{address.rstrip('/')}/{f'?project={project}' if project else ''}", flush=True)
    if browser and (
        sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        webbrowser.open(with_token)
    try:
        trackio.utils.block_main_thread_until_keyboard_interrupt()
    finally:
        server.close()


def load(base: Path) -> Any:
    """The module, its data folder set: it is read once, when trackio is imported."""
    os.environ.setdefault("TRACKIO_DIR", str(base.absolute() / "trackio"))
    import trackio

    return trackio


def _store(trackio: Any) -> Callable[[list[Entry]], None]:
    """Writes to the project's SQLite file."""

    def write(entries: list[Entry]) -> None:
        trackio.SQLiteStorage.bulk_log(
            project=entries[0]["project"],
            run=entries[0]["run"],
            run_id=entries[0]["run_id"],
            metrics_list=[entry["metrics"] for entry in entries],
            steps=[entry["step"] for entry in entries],
            timestamps=[entry["timestamp"] for entry in entries],
            log_ids=[entry["log_id"] for entry in entries],
            config=entries[0]["config"],
        )

    return write


def _fragments() -> Callable[[list[Entry]], None]:
    """Writes files that the dashboard takes in: on a network file system, where SQLite is not safe."""
    from trackio.fragments import FragmentWriter, metric_record

    writer = FragmentWriter()

    def write(entries: list[Entry]) -> None:
        writer.write_local([metric_record(entry) for entry in entries])

    return write


def _server(url: str) -> Callable[[list[Entry]], None]:
    """Writes to a self-hosted server, which gives the rows its own times."""
    from trackio.remote_client import RemoteClient
    from trackio.utils import parse_trackio_server_url, serialize_values

    base, token = parse_trackio_server_url(url)
    token = token or os.environ.get("TRACKIO_WRITE_TOKEN")
    if not token:
        raise BadInput(
            "trackio: a server wants a write token: TRACKIO_WRITE_TOKEN, or ?write_token= in its URL"
        )
    client = RemoteClient(base, hf_token=None, write_token=token, verbose=False)

    def write(entries: list[Entry]) -> None:
        logs = [{**entry, "metrics": serialize_values(entry["metrics"])} for entry in entries]
        client.predict(api_name="/bulk_log", logs=logs, hf_token=None)

    return write


def _space(
    trackio: Any, run: Run, config: Mapping[str, Any]
) -> tuple[Callable[[list[Entry]], None], Callable[[], None]]:
    """Writes to a Hugging Face Space by trackio's public way, which does not know a row again."""
    with quiet():
        made = trackio.init(
            run.project,
            name=run.name,
            group=run.group or None,
            config={name: value for name, value in config.items() if not name.startswith("_")},
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def write(entries: list[Entry]) -> None:
        for entry in entries:
            made.log(entry["metrics"], step=entry["step"])

    return write, made.finish


def _config(run: Run) -> dict[str, Any]:
    """What the dashboard shows of the run; the names with an underscore are trackio's own."""
    about = {"command": shlex.join(run.command), "host": run.host, **run.git}
    created = datetime.fromtimestamp(run.start, timezone.utc).isoformat()
    return {
        **about,
        **_plain(run.config),
        "_Username": None,
        "_Created": created,
        "_Group": run.group or None,
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Config without names that trackio keeps for itself, and as JSON can hold it."""
    return {f"{name.lstrip('_')}_" if name.startswith("_") else name: value for name, value in values.items()}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without trackio's greetings; warnings still go to stderr."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
