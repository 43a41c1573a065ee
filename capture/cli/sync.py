"""`capture sync [RUN...]`: deliver what is not delivered yet, and send what was kept offline."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from capture import runs, settings
from capture.delivery import registry
from capture.errors import UserError
from capture.runs import status
from capture.runs.status import RunStatus
from capture.tracker.supervisor import Supervisor

WAIT = 60.0  # seconds
INTERRUPTED = 130  # exit status, as a shell's


def arguments() -> argparse.ArgumentParser:
    """The options of `capture sync`."""
    parser = argparse.ArgumentParser(
        prog="capture sync",
        description="Deliver what is missing: a backend was down, the machine died, there was no login, or "
        "the backend is a new one for the run.",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run folders or ids (default: all runs here)")
    parser.add_argument("--to", metavar="NAMES", help="the backends (default: those of the run)")
    parser.add_argument("--project", help="only the runs of this project")
    parser.add_argument("--dir", metavar="FOLDER", help="the folder that holds all runs")
    parser.add_argument(
        "--wait",
        type=float,
        default=WAIT,
        metavar="SECONDS",
        help=f"give a run up when nothing has moved for so long (default: {WAIT:g})",
    )
    return parser


def main(argv: list[str]) -> int:
    """Sync runs, one after the other."""
    options = arguments().parse_args(argv)
    given = {"dir": options.dir, "to": options.to.split(",") if options.to else None}
    chosen = settings.load(os.getcwd(), os.environ, given)
    base = Path(chosen["dir"])
    found = [find(name, base) for name in options.runs] or status.all_runs(base, options.project)
    complete, refused = True, dict[str, str]()
    try:
        for one in found:
            backends = chosen["to"] if options.to else one.run.to
            complete = _sync(one, backends, options.wait, refused) and complete
    except KeyboardInterrupt:
        print("capture sync: interrupted; call it again to go on", file=sys.stderr)
        return INTERRUPTED
    if not found:
        print(f"there are no runs in {base}")
    return 0 if complete else 1


def _sync(one: RunStatus, backends: list[str], wait: float, refused: dict[str, str]) -> bool:
    """Bring one run to its backends, and say so in a line.  Returns False if something is still missing.

    `refused` keeps why a backend takes no run that was kept offline: one that wants a login is asked once.
    """
    if one.state == "running":
        print(f"{label(one)}: still running")
        return True
    missing = one.is_missing(backends)
    if missing and not _deliver(one, backends, wait):
        return False
    now = status.of(one.folder) or one
    sent, kept = [], 0
    for name in [name for name in backends if name in now.offline]:
        problem = refused.get(name) or _send(now, name, wait, refused)
        if problem is None:
            sent.append(name)
        else:
            print(f"{label(one)}: {name} (offline): {problem}")
            kept += 1
    delivered = [name for name in backends if name in sent or (missing and name not in now.offline)]
    if delivered:
        print(f"{label(one)}: delivered to {', '.join(delivered)}")
    elif not kept:
        print(f"{label(one)}: nothing is missing")
    return not kept


def _deliver(one: RunStatus, backends: list[str], wait: float) -> bool:
    """Let a tracker read the run and deliver it.  Returns whether that is done; if not, says so."""
    _announce(f"{label(one)}: delivering to {', '.join(backends)} ...")
    supervisor = Supervisor(one.folder, "--to", ",".join(backends))
    supervisor.start()
    done = supervisor.finish(wait, lambda: status.progress(one.folder))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it was caught meanwhile
    if supervisor.interrupted:
        raise KeyboardInterrupt
    now = status.of(one.folder)
    if done and now is not None and not now.is_missing(backends):
        return True
    print(f"{label(one)}: not complete; see {os.path.relpath(one.folder / runs.TRACKER_LOG)}")
    for line in _notes(one.folder):
        print(f"  {line}")
    return False


def _send(one: RunStatus, backend: str, wait: float, refused: dict[str, str]) -> str | None:
    """Send a run that is kept offline.  Returns what is in the way, None if it is there now."""
    _announce(f"{label(one)}: sending to {backend} ...")
    for _ in range(2):
        try:
            sent = registry.adapter_class(backend).send(one.run, one.folder, wait)
        except (UserError, ImportError) as error:
            refused[backend] = str(error)
            return refused[backend]
        except OSError as error:
            return str(error)
        status.note_sent(one.folder, backend, sent)
        if sent:
            return None
        # What was kept is gone: all of it is delivered again, from the run's folder.
        if not _deliver(one, [backend], wait):
            break
        if backend not in (status.of(one.folder) or one).offline:
            return None
    return "not sent"


def _announce(text: str) -> None:
    """Say what is going on, to who waits for it."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def _notes(folder: Path) -> list[str]:
    """What the closing block says about backends that lack something, and about what was not read."""
    try:
        lines = (folder / runs.SUMMARY).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if " delivered: " in line or line.startswith("  stopped after ")]


def label(one: RunStatus) -> str:
    """The run's name in lists and messages."""
    return f"{one.run.project}/{one.run.name}"


def find(name: str, base: Path) -> RunStatus:
    """The run of this folder or id.  Raises UserError where there is none."""
    candidates = [Path(name), *base.glob(f"*/{name}")]
    for folder in candidates:
        if (found := status.of(folder)) is not None:
            return found._replace(folder=folder.absolute())
    raise UserError(f"there is no run {name!r}, neither as a folder nor as an id in {base}")
