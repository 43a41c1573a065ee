"""Where trackio's rows can go: each writer takes rows as trackio's own log entries, and raises."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from capture.errors import BadInput
from capture.runs import Run

Entry = dict[str, Any]  # trackio's LogEntry, with a timestamp
Writer = Callable[[list[Entry]], None]

REFUSED = (400, 401, 403)  # HTTP answers that will not change


def load(base: Path) -> Any:
    """The module, its data folder set: it is read once, when trackio is imported."""
    os.environ.setdefault("TRACKIO_DIR", str(base.absolute() / "trackio"))
    import trackio

    return trackio


def store(trackio: Any) -> Writer:
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


def fragments() -> Writer:
    """Writes files that the dashboard takes in: on a network file system, where SQLite is not safe."""
    from trackio.fragments import FragmentWriter, metric_record

    writer = FragmentWriter()

    def write(entries: list[Entry]) -> None:
        writer.write_local([metric_record(entry) for entry in entries])

    return write


def server(trackio: Any, url: str) -> Writer:
    """Writes to a self-hosted server, which gives the rows its own times."""
    from httpx import HTTPStatusError
    from trackio.remote_client import RemoteClient

    plain = trackio.utils.serialize_values
    base, token = trackio.utils.parse_trackio_server_url(url)
    token = token or os.environ.get("TRACKIO_WRITE_TOKEN")
    if not token:
        raise BadInput(
            "trackio: a server wants a write token: TRACKIO_WRITE_TOKEN, or ?write_token= in its URL"
        )
    client = RemoteClient(base, hf_token=None, write_token=token, verbose=False)

    def write(entries: list[Entry]) -> None:
        logs = [{**entry, **{key: plain(entry[key]) for key in ("metrics", "config")}} for entry in entries]
        try:
            client.predict(api_name="/bulk_log", logs=logs, hf_token=None)
        except HTTPStatusError as error:
            if error.response.status_code in REFUSED:
                raise BadInput(f"trackio: {base} answers: {_answer(error.response)}") from error
            raise

    return write


def _answer(response: Any) -> str:
    """What the server says is wrong."""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.reason_phrase}"


def space(trackio: Any, run: Run, config: Mapping[str, Any]) -> tuple[Writer, Callable[[], None]]:
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

    written: set[str] = set()  # the last one: it comes again with a config that came later

    def write(entries: list[Entry]) -> None:
        for entry in entries:
            if entry["config"]:
                made.config.update(entry["config"])
            if entry["log_id"] not in written:
                made.log(entry["metrics"], step=entry["step"])
                written.clear()
                written.add(entry["log_id"])

    return write, made.finish


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without trackio's greetings; warnings still go to stderr."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
