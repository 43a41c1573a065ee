"""Where trackio's rows can go: each writer takes rows as trackio's own log entries, and raises."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from capture.delivery.channels import PROVENANCE
from capture.errors import UserError
from capture.runs import Run

Entry = dict[str, Any]  # trackio's LogEntry, with a timestamp
Writer = Callable[[list[Entry]], None]


class Store(NamedTuple):
    """Writes rows, samples of the load and alerts, and says that there will be no more."""

    rows: Writer
    samples: Writer
    alerts: Writer
    finish: Callable[[], None] = lambda: None
    keep: Callable[[Any, list[str]], None] | None = (
        None  # an artifact and its aliases; None: in the store here
    )


REFUSED = (400, 401, 403)  # HTTP answers that will not change


def load(base: Path) -> Any:
    """The module, its data folder set: it is read once, when trackio is imported."""
    os.environ["TRACKIO_DIR"] = os.environ.get("TRACKIO_DIR") or str(base.absolute() / "trackio")
    import trackio

    return trackio


def store(trackio: Any) -> Store:
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

    def samples(entries: list[Entry]) -> None:
        trackio.SQLiteStorage.bulk_log_system(
            project=entries[0]["project"],
            run=entries[0]["run"],
            run_id=entries[0]["run_id"],
            metrics_list=[entry["metrics"] for entry in entries],
            timestamps=[entry["timestamp"] for entry in entries],
            log_ids=[entry["log_id"] for entry in entries],
        )

    def alerts(entries: list[Entry]) -> None:
        trackio.SQLiteStorage.bulk_alert(
            project=entries[0]["project"],
            run=entries[0]["run"],
            run_id=entries[0]["run_id"],
            titles=[entry["title"] for entry in entries],
            texts=[entry["text"] for entry in entries],
            levels=[entry["level"] for entry in entries],
            steps=[entry["step"] for entry in entries],
            timestamps=[entry["timestamp"] for entry in entries],
            alert_ids=[entry["alert_id"] for entry in entries],
        )

    return Store(write, samples, alerts)


def fragments() -> Store:
    """Writes files that the dashboard takes in: on a network file system, where SQLite is not safe."""
    from trackio.fragments import FragmentWriter, alert_record, metric_record, system_metric_record

    writer = FragmentWriter()

    def write(entries: list[Entry]) -> None:
        writer.write_local([metric_record(entry) for entry in entries])

    def samples(entries: list[Entry]) -> None:
        writer.write_local([system_metric_record(entry) for entry in entries])

    def alerts(entries: list[Entry]) -> None:
        writer.write_local([alert_record(entry) for entry in entries])

    return Store(write, samples, alerts)


def server(trackio: Any, url: str) -> Store:
    """Writes to a self-hosted server, which gives the rows its own times."""
    from httpx import HTTPStatusError
    from trackio.remote_client import RemoteClient

    plain = trackio.utils.serialize_values
    base, token = trackio.utils.parse_trackio_server_url(url)
    token = token or os.environ.get("TRACKIO_WRITE_TOKEN")
    if not token:
        raise UserError(
            "trackio: a server wants a write token: TRACKIO_WRITE_TOKEN, or ?write_token= in its URL"
        )
    client = RemoteClient(base, hf_token=None, write_token=token, verbose=False)

    def send(what: str, argument: str, entries: list[Entry]) -> None:
        logs = [
            {**entry, **{key: plain(entry[key]) for key in ("metrics", "config") if key in entry}}
            for entry in entries
        ]
        try:
            client.predict(api_name=what, hf_token=None, **{argument: logs})
        except HTTPStatusError as error:
            if error.response.status_code in REFUSED:
                raise UserError(f"trackio: {base} answers: {_answer(error.response)}") from error
            raise

    return Store(
        partial(send, "/bulk_log", "logs"),
        partial(send, "/bulk_log_system", "logs"),
        partial(send, "/bulk_alert", "alerts"),
    )


def _answer(response: Any) -> str:
    """What the server says is wrong."""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.reason_phrase}"


def space(trackio: Any, run: Run, config: Mapping[str, Any]) -> Store:
    """Writes to a Hugging Face Space by trackio's public way, which does not know a row again."""
    kept = [PROVENANCE, *(name for name in config if not name.startswith("_"))]
    with quiet():
        made = trackio.init(
            run.project,
            name=run.name,
            group=run.group or None,
            config={name.lstrip("_"): value for name, value in config.items() if name in kept},
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    written: set[str] = set()  # the last one: it comes again with a config that came later

    def write(entries: list[Entry]) -> None:
        for entry in entries:
            if entry["config"]:
                made.config.update(entry["config"])
            if entry["log_id"] not in written:
                made.log(entry["metrics"], step=entry["step"])
                written.clear()
                written.add(entry["log_id"])

    def samples(entries: list[Entry]) -> None:
        for entry in entries:
            made.log_system(entry["metrics"])

    def keep(artifact: Any, aliases: list[str]) -> None:
        made.log_artifact(artifact, aliases=aliases)

    def alerts(entries: list[Entry]) -> None:
        for entry in entries:
            level = trackio.AlertLevel(entry["level"])
            made.alert(entry["title"], entry["text"], level=level, step=entry["step"])

    return Store(write, samples, alerts, made.finish, keep)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without trackio's greetings; warnings still go to stderr."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
