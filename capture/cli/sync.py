"""`capture sync [RUN...]`: deliver what is not delivered yet, and send what was kept offline."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from capture import runs, settings
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.delivery import registry
from capture.errors import UserError
from capture.runs import status
from capture.runs.status import RunStatus
from capture.tracker.supervisor import Supervisor

WAIT = 60.0  # seconds
INTERRUPTED = 130  # exit status, as a shell's


def arguments() -> Arguments:
    """The options of `capture sync`."""
    parser = Arguments(
        prog="capture sync",
        description="Deliver what is missing: a backend was down, the machine died, there was no login, or "
        "the backend is a new one for the run.",
    )
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="folders, ids or names of runs, or `last` (default: all runs here)",
    )
    parser.add_argument("--to", metavar="BACKENDS", help="the backends (default: those of the run)")
    parser.add_argument("--project", metavar="PROJECT", help="only the runs of this project")
    run_options.add_dir_option(parser)
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
    place = places.of_settings(chosen)
    found = [place.find(name, options.project) for name in options.runs]
    if not options.runs and not (found := status.all_runs(place.base, options.project)):
        print(f"there are no runs in {place.base}")
    outcomes, refused = list[bool | None](), dict[str, str]()
    try:
        for one in found:
            backends = chosen["to"] if options.to else registry.allowed(one.run.to, chosen["to"])
            for name in [] if options.to else set(one.run.to) - set(backends):
                print(
                    f"{one.label}: {name}: a run's folder names it, so it is not imported (--to {name} does)"
                )
            outcomes.append(_sync(one, backends, options.wait, refused))
    except KeyboardInterrupt:
        print("capture sync: interrupted; call it again to go on", file=sys.stderr)
        return INTERRUPTED
    if found and all(outcome is None for outcome in outcomes):
        print(f"nothing is missing in {f'{len(found)} runs' if len(found) > 1 else found[0].label}")
    return 1 if False in outcomes else 0


def _sync(one: RunStatus, backends: list[str], wait: float, refused: dict[str, str]) -> bool | None:
    """Bring one run to its backends, and say what that came to in a line.

    `refused` keeps why a backend takes no run that was kept offline: one that wants a login is asked once.
    Returns False if something is still missing, None if nothing was.
    """
    if one.state == "running":
        print(f"{one.label}: still running")
        return True
    if one.state == "broken":
        print(f"{one.label}: broken: {'; '.join(one.problems)}")
        return False
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
            print(f"{one.label}: {name} (offline): {problem}")
            kept += 1
    gained = [name for name in backends if not one.delivered.get(name) and name not in now.offline]
    gained = [name for name in backends if name in sent or (missing and name in gained)]
    if missing and not now.records:
        print(f"{one.label}: read to its end; it holds no metrics")
    elif gained:
        print(f"{one.label}: {now.records:,} records delivered to {', '.join(gained)}")
    elif missing and not kept:
        print(f"{one.label}: read to its end; nothing was missing in {', '.join(backends)}")
    return not kept if missing or sent or kept else None


def _deliver(one: RunStatus, backends: list[str], wait: float) -> bool:
    """Let a tracker read the run and deliver it.  Returns whether that is done; if not, says so."""
    _announce(f"{one.label}: delivering to {', '.join(backends)} ...")
    supervisor = Supervisor(one.folder, "--to", ",".join(backends))
    supervisor.start()
    done = supervisor.finish(wait, lambda: status.progress(one.folder))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it was caught meanwhile
    if supervisor.interrupted:
        raise KeyboardInterrupt
    now = status.of(one.folder)
    if done and now is not None and not now.is_missing(backends):
        return True
    print(f"{one.label}: not complete; see {os.path.relpath(one.folder / runs.TRACKER_LOG)}")
    for line in _notes(one.folder):
        print(f"  {line}")
    return False


def _send(one: RunStatus, backend: str, wait: float, refused: dict[str, str]) -> str | None:
    """Send a run that is kept offline.  Returns what is in the way, None if it is there now."""
    _announce(f"{one.label}: sending to {backend} ...")
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
