"""Send an offline run by wandb's own `sync`.

Our own interpreter runs it: where `capture` is a tool of its own (pipx, uv), there is no `wandb` on PATH.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

from capture import runs
from capture.errors import UserError
from capture.runs import Run

FORGOTTEN = ("WANDB_MODE", "WANDB_RUN_ID")  # variables that are meant for the making of runs
LOGIN = "capture login wandb, then capture sync"


def command(*arguments: str) -> list[str]:
    """wandb's own command line; what lies in the working folder is not imported."""
    isolated = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *isolated, "-m", "wandb", *arguments]


def places(run: Run, folder: Path) -> list[Path]:
    """The folders in which wandb keeps this run's offline data, the oldest first."""
    base = Path(os.environ.get("WANDB_DIR") or folder.parent.parent).absolute()
    return sorted((base / "wandb").glob(f"offline-run-*-{run.id}"))


def send(run: Run, folder: Path, limit: float) -> bool:
    """Send the run, which wandb does once.  Returns False where nothing is kept of it.

    Raises TimeoutError if wandb says nothing new for `limit` seconds, OSError or UserError if it can't send.
    """
    found = places(run, folder)
    if not found:
        return False
    environ = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    environ["WANDB_ERROR_REPORTING"] = "false"
    said: deque[str] = deque(maxlen=20)
    late = threading.Event()
    with subprocess.Popen(
        command("sync", *map(str, found)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=found[0].parent.parent,  # where it has its own log already
        env=environ,
        text=True,
        errors="replace",
        start_new_session=True,  # to be ended together with the process that it starts
    ) as process:
        try:
            _listen(process, said, limit, late)
            status = process.wait()
        finally:
            _kill(process)
    with (folder / runs.TRACKER_LOG).open("a", encoding="utf-8") as log:
        log.writelines(said)
    if late.is_set():
        raise TimeoutError(f"wandb sync said nothing new for {limit:g} s")
    if status:
        lines = [line.removeprefix("wandb: ").strip() for line in said if line.strip()]
        raise _explained(
            next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "")
        )
    return True


def _listen(process: subprocess.Popen[str], said: deque[str], limit: float, late: threading.Event) -> None:
    """Take what is printed, and end the process when nothing more comes for so long."""
    assert process.stdout is not None  # noqa: S101  a pipe

    def end() -> None:
        late.set()
        _kill(process)

    while True:
        timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), end)
        timer.daemon = True  # Ctrl-C may come while it is being started: then nobody waits for it at the end
        try:
            timer.start()
            line = process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            return
        said.append(line)


def _kill(process: subprocess.Popen[str]) -> None:
    """End wandb and the process that it has started, if they are still there."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _explained(error: str) -> Exception:
    if "API key" in error:
        return UserError(f"no login; {LOGIN}")
    return ConnectionError(error or "wandb sync failed, and did not say why")
