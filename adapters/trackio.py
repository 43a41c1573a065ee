"""trackio: a dashboard in the browser, on this machine and without an account.

`trackio.log` gives every row a random id and the present time, hands it to a thread that drops what
it can't write, and keeps no config after the first row.  So rows go straight to trackio's own
writers, which raise: each row under an id made of the run's and its ordinal, of which trackio stores
one only, so that a row may be sent again, and with the time at which it was printed.
"""

from __future__ import annotations

import math
import os
import shlex
import sys
import webbrowser
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from capture.adapters import trackio_files
from capture.adapters import trackio_writers as writers
from capture.adapters._about import about, at_the_end
from capture.adapters.trackio_writers import Entry, Store
from capture.delivery.adapter import Adapter
from capture.delivery.channels import PROVENANCE
from capture.errors import UserError
from capture.records import Alert, ConsoleLine, File, Row, SystemSample
from capture.runs import Run

# trackio keeps these for itself, and shows no column called so.
RESERVED = frozenset(["project", "run", "timestamp", "step", "time", "metrics"])

VIEW = {
    "smoothing": "0"
}  # the values as they are: its default draws a mean of ten, of ten epochs a straight line

MOST_LINES = 1000  # of the console
INTEGERS = range(-(2**63), 2**63)  # that JSON and SQLite have a place for


class TrackioAdapter(Adapter):
    """One run in trackio's store, beside the runs unless TRACKIO_DIR says otherwise.

    The step of trackio's default x-axis is the program's own step, so that runs of different verbosity
    lie over each other, without one the epoch, and else the row's place in the run.  trackio draws every
    column, so what only counts is no column there.
    """

    shows: Collection[str] = ("file", "table", "image", "plot")

    def __init__(self) -> None:
        self._trackio: Any = None
        self._place = Store(lambda entries: None, lambda entries: None, lambda entries: None)
        self._run: Run | None = None
        self._folder = Path()
        self._config: dict[str, Any] = {}
        self._config_due = True
        self._last: Entry | None = None
        self._durable = True
        self._stored = 0
        self._lines: deque[ConsoleLine] = deque(maxlen=MOST_LINES)

    def open(self, run: Run, folder: Path) -> int:
        """Find out where trackio keeps its runs.  Rows that are there already are known by their ids."""
        trackio = self._trackio = writers.load(folder.parent.parent)
        self._run, self._folder = run, folder
        self._config = _config(run)
        server = os.environ.get("TRACKIO_SERVER_URL")
        try:
            trackio.SQLiteStorage.validate_project_name(run.project)
        except ValueError as error:
            raise UserError(f"trackio: {error}") from None
        if os.environ.get("TRACKIO_SPACE_ID"):
            self._place = writers.space(trackio, run, self._config)
            self._durable = False
            self.shows = ("file", "table", "plot")
        elif server:
            self._place = writers.server(trackio, server)
            self.shows = ("table", "plot")  # the rest is not sent over trackio's own protocol by us
        else:
            with writers.quiet():
                network = trackio.utils.get_storage_mode() == "jsonl"
            self._place = writers.fragments() if network else writers.store(trackio)
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows."""
        entries = [entry for row in rows for entry in self._entries(row)]
        if self._config_due:
            entries[0]["config"] = self._config
        self._place.rows(entries)
        self._last, self._config_due = entries[-1], False
        if self._durable:
            self._stored = rows[-1].ordinal + 1

    def stored(self) -> int:
        """A row is stored when `log` returns; on its way to a Space it is not before the end."""
        return self._stored

    def config(self, values: Mapping[str, Any]) -> None:
        """Replace the config by the whole: it travels with a row, if need be with one that is known."""
        apart = {**self._config[PROVENANCE], **values.get(PROVENANCE, {})}
        self._config |= _plain({k: v for k, v in values.items() if k != PROVENANCE}) | {PROVENANCE: apart}
        if self._last is not None:
            self._place.rows([{**self._last, "config": self._config}])
        else:
            self._config_due = True

    def file(self, file: File) -> None:
        """Store a version of an artifact, or a table or picture as the value of a row of its own."""
        names = self._names()
        if file.kind == "file" and self._place.keep is not None:
            self._place.keep(trackio_files.artifact(self._trackio, file), list(file.aliases))
        elif file.kind == "file":
            trackio_files.commit(self._trackio, names["project"], names["run"], names["run_id"], file)
        elif file.kind == "table" or "image" not in self.shows:
            self._show(file, trackio_files.table(file))
        else:
            self._show(file, trackio_files.media(self._trackio, names["project"], names["run"], file))

    def _show(self, file: File, value: Mapping[str, Any]) -> None:
        entry = {
            **self._names(),
            "step": self._last["step"] if self._last else 0,
            "metrics": {_column(file.name): value},
            "timestamp": _iso(file.time),
            "config": self._config if self._config_due else None,
            "log_id": f"{self._names()['run_id']}/file/{file.number}",
        }
        self._place.rows([entry])
        self._last, self._config_due = self._last or entry, False

    def files_held(self, noted: int) -> int:
        """A file is stored when `file` returns."""
        return noted if self._durable else 0

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Add to the System Metrics page."""
        self._place.samples(
            [
                {
                    **self._names(),
                    "metrics": dict(sample.values),
                    "timestamp": _iso(sample.time),
                    "log_id": f"{self._names()['run_id']}/system/{sample.time}",
                }
                for sample in samples
            ]
        )

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Add to the Alerts, where one is known again by its id."""
        self._place.alerts(
            [
                {
                    **self._names(),
                    "title": alert.title,
                    "text": alert.text,
                    "level": alert.level,
                    "step": alert.step,
                    "timestamp": _iso(alert.time),
                    "alert_id": f"{self._names()['run_id']}/alert/{alert.number}",
                }
                for alert in alerts
            ]
        )

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Keep the last lines for the end: a table is a whole table."""
        self._lines.extend(lines)

    def close(self, exit_status: int | None) -> None:
        """Add the console, and how the run ended."""
        assert self._run is not None  # noqa: S101  opened before
        self.config({"run": at_the_end(self._run, self._folder)})
        if self._lines and self._last is not None:
            rows = [{"time": _clock(line.time), "console": line.text} for line in self._lines]
            table = {"_type": "trackio.table", "_value": rows}
            about = {"metrics": {"console": table}, "log_id": f"{self._last['run_id']}/console"}
            self._place.rows([{**self._last, **about}])
            self._lines.clear()
        self._place.finish()

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
    def remove(run: Run, folder: Path) -> bool:
        """Remove it from the store on this machine."""
        if os.environ.get("TRACKIO_SPACE_ID") or os.environ.get("TRACKIO_SERVER_URL"):
            return False
        with writers.quiet():
            trackio = writers.load(folder.parent.parent)
            trackio.SQLiteStorage.delete_run(run.project, run.name, run.id)
        return True

    @staticmethod
    def dashboard(project: str | None, base: Path, port: int | None, browser: bool) -> None:
        """Serve the dashboard on this machine until Ctrl-C."""
        show(project, base, port, browser)

    def _entries(self, row: Row) -> Iterator[Entry]:
        """An entry for each place on the x-axis: nearly always one."""
        by_place: dict[float, dict[str, float]] = {}
        counting = {"step", *row.axes.values()}
        for name, value in row.metrics.items():
            if name not in counting:
                by_place.setdefault(_place(row, name), {})[_column(name)] = _number(value)
        names = self._names()
        for index, (place, metrics) in enumerate(by_place.items() or [(_place(row, ""), {})]):
            yield {
                **names,
                "step": place,
                "metrics": metrics,
                "timestamp": _iso(row.time),
                "config": None,
                "log_id": f"{names['run_id']}/{row.ordinal}{f'/{index}' if index else ''}",
            }

    def _names(self) -> dict[str, str]:
        assert self._run is not None  # noqa: S101  opened before
        return {"project": self._run.project, "run": self._run.name, "run_id": self._run.id}


def show(project: str | None, base: Path, port: int | None = None, browser: bool = True) -> None:
    """Serve the dashboard on the runs of the folder `base` until Ctrl-C, to this machine only."""
    trackio = writers.load(base)
    with writers.quiet():
        server, address, _, with_token = trackio.show(
            project, open_browser=False, server_port=port, block_thread=False, host="127.0.0.1"
        )
    view = urlencode({"project": project, **VIEW} if project else VIEW)
    print(f"{address.rstrip('/')}/?{view}", flush=True)
    if browser and (
        sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        webbrowser.open(f"{with_token}{'&' if '?' in with_token else '?'}{urlencode(VIEW)}")
    try:
        trackio.utils.block_main_thread_until_keyboard_interrupt()
    finally:
        server.close()


def _config(run: Run) -> dict[str, Any]:
    """What the dashboard shows of the run; the names with an underscore are trackio's own."""
    config = {name: value for name, value in run.config.items() if name != PROVENANCE}
    origin = {"command": shlex.join(run.command), "host": run.host, **run.git}
    return {
        **_plain(config),
        "run": about(run),
        PROVENANCE: {**origin, **run.config.get(PROVENANCE, {})},
        "_Username": None,
        "_Created": _iso(run.start),
        "_Group": run.group or None,
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Config without names that trackio keeps for itself, and as its JSON can hold it."""
    return {
        f"{name.lstrip('_')}_" if name.startswith("_") else name: _storable(value)
        for name, value in values.items()
    }


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return str(value) if isinstance(value, int) and value not in INTEGERS else value


def _place(row: Row, name: str) -> float:
    """Where on the x-axis a metric is."""
    if isinstance(row.step, int) and row.step in INTEGERS:  # to look for a float there takes for ever
        return row.step
    place = row.metrics[row.axes[name]] if name in row.axes else row.ordinal
    if not math.isfinite(place) or abs(place) >= INTEGERS.stop:
        return row.ordinal
    return int(place) if place == int(place) else place


def _column(name: str) -> str:
    return f"{name}_" if name in RESERVED or name.startswith("__") else name


def _number(value: float) -> float:
    if isinstance(value, float) or value in INTEGERS:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _iso(time: float | None) -> str:
    """The time as trackio writes it; now where nothing tells it, or nothing that a calendar has."""
    try:
        if time is not None:
            return datetime.fromtimestamp(time, timezone.utc).isoformat()
    except (OverflowError, ValueError, OSError):
        pass
    return datetime.now(timezone.utc).isoformat()


def _clock(time: float | None) -> str:
    return "" if time is None else datetime.fromtimestamp(time).strftime("%H:%M:%S")
