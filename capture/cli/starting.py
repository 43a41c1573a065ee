"""What every command that makes a run shares: its options, its settings, its folder, its closing block.

On the way of every start, so only what is needed is imported, and that when it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from capture import runs, settings
from capture.redaction import Redactor
from capture.runs import Result

# What is told elsewhere in `run.json`, or is of no use to the tracker.
NOT_KEPT = (
    *("config", "to", "tags", "notes", "group", "id", "resume"),
    *("dir", "tty", "unbuffer", "summary", "parser_files"),
)
NOT_SETTINGS = ("parser", "config", "lenient", "file", "files", "until_pid", "idle")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Who the run is, and where it goes."""
    add = parser.add_argument
    add("--project", help="the project it belongs to (default: the folder's name)")
    add("--name", help="the run's name (default: the script's name and the time)")
    add("--tag", action="append", dest="tags", metavar="TAG", help="a tag; can be given several times")
    add("--notes", help="a remark, shown with the run")
    add("--group", help="the group of runs that it belongs to")
    add("--config", action="append", metavar="KEY=VALUE", help="a hyperparameter; can be given several times")
    add(
        "--to",
        metavar="NAMES",
        help="where to send it: trackio (default), wandb, tensorboard, mlflow, jsonl, module:NAME, or "
        "several with commas",
    )
    add("--parser", action="append", default=[], metavar="FILE", help="a console format of your own (YAML)")
    add("--every", metavar="TIME|STEPS", help="fewer records of bars: one every 10s, or every 50 steps")
    add("--dir", metavar="FOLDER", help="the folder that holds all runs (default: capture-runs)")
    add("--wait", type=float, metavar="SECONDS", help="wait for the backends at the end (30)")
    add(
        "--summary",
        choices=settings.CHOICES["summary"],
        help="print the closing block (default: to a terminal)",
    )
    add(
        "--lenient",
        action="store_true",
        help="ignore what is wrong in the configuration and run, for jobs that nobody watches",
    )


def choose(options: argparse.Namespace) -> settings.Settings:
    """All settings put together.  Raises ValueError with a message for the user."""
    lenient = options.lenient or os.environ.get("CAPTURE_LENIENT", "") not in ("", "0")
    ignored: list[str] | None = [] if lenient else None
    given = {key: value for key, value in vars(options).items() if key not in NOT_SETTINGS}
    if options.to is not None:
        given["to"] = [name.strip() for name in options.to.split(",") if name.strip()]
    chosen = settings.load(os.getcwd(), os.environ, given, options.parser, ignored)
    config = dict(chosen.get("config", {}))
    if options.config:
        from capture.values import argument  # not on the way of every start
    for pair in options.config or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError(f"--config {pair}: should be KEY=VALUE, such as lr=3e-4")
        config[key] = argument(value)
    chosen["config"] = config
    if ignored:
        chosen["ignored"] = ignored
        print(f"capture: ignored, since --lenient: {'; '.join(ignored)}", file=sys.stderr)
    return chosen


def new_run(command: Sequence[str], called: str, chosen: settings.Settings) -> runs.Run:
    """The run that begins now; `called` is what its name begins with, unless it was given one."""
    start, cwd = time.time(), os.getcwd()
    run_id = chosen.get("id") or runs.new_id(start)
    parent = os.environ.get("CAPTURE_RUN_DIR")
    redactor = Redactor(os.environ, chosen.get("redact", []))
    return runs.Run(
        id=run_id,
        project=chosen.get("project") or os.path.basename(cwd) or "default",
        name=chosen.get("name") or f"{called}-{time.strftime('%H%M%S', time.localtime(start))}",
        command=redactor.command(command),
        cwd=cwd,
        host=os.uname().nodename if hasattr(os, "uname") else "",
        start=start,
        pid=os.getpid(),
        tags=chosen.get("tags") or [],
        notes=redactor.text(chosen.get("notes") or ""),
        group=chosen.get("group") or "",
        to=chosen["to"],
        config=redactor.values(chosen["config"]),
        git=runs.git_state(cwd),
        parent=os.path.basename(parent) if parent else None,
        settings={key: value for key, value in chosen.items() if key not in NOT_KEPT},
    )


def open_run(run: runs.Run, chosen: settings.Settings) -> tuple[runs.Run, str | None]:
    """Make the run's folder, or go on in the one of `--id`; gives the run as it is now.

    Where no folder can be made it says so and gives None.  Raises ValueError where `--resume` forbids it.
    """
    folder = runs.folder_of(os.path.abspath(chosen["dir"]), run.project, run.id)
    if chosen.get("id"):
        from capture import resuming  # not on the way of every start

        if (resumed := resuming.resume(run, folder, chosen["resume"])) is not None:
            return resumed, folder
    try:
        runs.create(folder, run)
    except OSError as error:
        print(f"capture: not recorded: {folder}: {error.strerror}", file=sys.stderr)
        return run, None
    return run, folder


def close(folder: str | None, result: Result, when: str) -> None:
    """Print the closing block, where somebody is there to read it."""
    if folder is None or when == "never" or (when == "auto" and not _is_terminal(sys.stderr)):
        return
    text = ""
    if result.tracker_ok:
        try:
            with open(os.path.join(folder, runs.SUMMARY), encoding="utf-8") as file:
                text = file.read()
        except OSError:
            pass
    if not text:
        place = os.path.relpath(folder)
        text = f"capture: the tracker did not finish; the recording is kept in {place}\n"
        text += f"  to deliver what is missing: capture sync {place}\n"
    if result.recording_error:
        text += f"  the recording ended early: {result.recording_error}\n"
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody is there any more


def _is_terminal(file: Any) -> bool:
    return file is not None and not file.closed and bool(file.isatty())
