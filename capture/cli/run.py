"""`capture -- COMMAND`: run a command and track what it prints.

On the way of every start, so only what is needed is imported, and that when it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from capture import launch, relay, runs, settings


def arguments() -> argparse.ArgumentParser:
    """The options of `capture run`."""
    parser = argparse.ArgumentParser(
        prog="capture",
        usage="capture [OPTIONS] -- COMMAND [ARGS...]",
        description="Run a command as it is, and turn what it prints into metrics.",
    )
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
        help="where to send it: trackio (default), wandb, tensorboard, mlflow, jsonl, module:NAME, or several"
        " with commas",
    )
    add("--parser", action="append", default=[], metavar="FILE", help="a console format of your own (YAML)")
    add("--dir", metavar="FOLDER", help="the folder that holds all runs (default: capture-runs)")
    add("--tty", choices=settings.CHOICES["tty"], help="give the command a terminal (default: as outside)")
    add("--unbuffer", action=argparse.BooleanOptionalAction, default=None, help="set PYTHONUNBUFFERED")
    add(
        "--linger",
        type=float,
        metavar="SECONDS",
        help="wait for output of what the command leaves behind (1)",
    )
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
    return parser


def main(argv: list[str]) -> int:
    """Run a command.  Ends as the command ended."""
    parser = arguments()
    cut = argv.index("--") if "--" in argv else len(argv)
    options, rest = parser.parse_known_args(argv[:cut])
    command = argv[cut + 1 :]
    if rest or not command:
        parser.error("the command comes after two dashes, for example: capture -- python train.py")
    lenient = options.lenient or os.environ.get("CAPTURE_LENIENT", "") not in ("", "0")
    ignored: list[str] | None = [] if lenient else None
    try:
        chosen = _settings(options, ignored)
    except ValueError as error:
        print(f"capture: {error}", file=sys.stderr)
        return 2
    if ignored:
        chosen["ignored"] = ignored
        print(f"capture: ignored, since --lenient: {'; '.join(ignored)}", file=sys.stderr)
    run = _run(command, chosen)
    folder = _create(run, chosen["dir"])
    result = relay.run(
        command,
        folder,
        relay.Options(chosen["tty"], chosen["unbuffer"], chosen["linger"], chosen["wait"]),
    )
    _close(folder, result, chosen["summary"])
    launch.end_like(result.signal)
    return result.status


def _settings(options: argparse.Namespace, ignored: list[str] | None) -> settings.Settings:
    """All settings put together.  Raises ValueError with a message for the user, or says it in `ignored`."""
    given = {key: value for key, value in vars(options).items() if key not in ("parser", "config", "lenient")}
    if options.to is not None:
        given["to"] = [name.strip() for name in options.to.split(",") if name.strip()]
    chosen = settings.load(os.getcwd(), os.environ, given, options.parser, ignored)
    config = dict(chosen.get("config", {}))
    for pair in options.config or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError(f"--config {pair}: should be KEY=VALUE, such as lr=3e-4")
        config[key] = settings.typed(value)
    chosen["config"] = config
    return chosen


def _run(command: list[str], chosen: settings.Settings) -> runs.Run:
    start, cwd = time.time(), os.getcwd()
    run_id = runs.new_id(start)
    parent = os.environ.get("CAPTURE_RUN_DIR")
    kept = ["rename", "drop", "scale", "parsers", "linger", "wait", "ignored"]
    kept += ["jsonl", "tensorboard", "mlflow"]  # adapters' options
    return runs.Run(
        id=run_id,
        project=chosen.get("project") or os.path.basename(cwd) or "default",
        name=chosen.get("name") or f"{_script(command)}-{run_id[9:15]}",
        command=command,
        cwd=cwd,
        host=os.uname().nodename if hasattr(os, "uname") else "",
        start=start,
        pid=os.getpid(),
        tags=chosen.get("tags") or [],
        notes=chosen.get("notes") or "",
        group=chosen.get("group") or "",
        to=chosen["to"],
        config=chosen["config"],
        git=runs.git_state(cwd),
        parent=os.path.basename(parent) if parent else None,
        settings={key: chosen[key] for key in kept if key in chosen},
    )


def _script(command: list[str]) -> str:
    """What the command is called: the script's name where there is one, else the program's."""
    for word in command[1:]:
        if word.endswith((".py", ".sh", ".R", ".jl", ".lua")):
            return os.path.splitext(os.path.basename(word))[0]
    return os.path.basename(command[0])


def _create(run: runs.Run, base: str) -> str | None:
    folder = runs.folder_of(os.path.abspath(base), run.project, run.id)
    try:
        runs.create(folder, run)
    except OSError as error:
        print(f"capture: not recorded: {folder}: {error.strerror}", file=sys.stderr)
        return None
    return folder


def _close(folder: str | None, result: relay.Result, when: str) -> None:
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
        text = f"capture: the tracker did not finish; the recording is kept in {os.path.relpath(folder)}\n"
    if result.recording_error:
        text += f"  the recording ended early: {result.recording_error}\n"
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody is there any more


def _is_terminal(file: Any) -> bool:
    return file is not None and not file.closed and bool(file.isatty())
