"""What all commands that make a run share: options, settings, closing block.

On the way of every start: imports only what is needed, when it is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from capture import runs, settings
from capture.runs import Result

NOT_SETTINGS = ("parser", "config", "lenient", "file", "files", "until_pid", "idle")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who the run is and where it goes."""
    add = parser.add_argument
    add("--project", help="the run's project (default: the folder's name)")
    add("--name", help="the run's name (default: the script's name and the time)")
    add("--tag", action="append", dest="tags", metavar="TAG", help="a tag; may be repeated")
    add("--notes", help="a remark, shown with the run")
    add("--group", help="the group of runs it belongs to")
    add("--config", action="append", metavar="KEY=VALUE", help="a hyperparameter; may be repeated")
    add(
        "--to",
        metavar="NAMES",
        help="where to send it: trackio (default), wandb, tensorboard, mlflow, jsonl, module:NAME, or "
        "several, separated by commas",
    )
    add(
        "--parser",
        action="append",
        default=[],
        metavar="FILE",
        help="a parser of your own (YAML); may be repeated",
    )
    add(
        "--every",
        metavar="TIME|STEPS",
        help="keep fewer records of progress bars: one every 10s, or every 50 steps",
    )
    add("--dir", metavar="FOLDER", help="the folder that holds all runs (default: capture-runs)")
    add("--wait", type=float, metavar="SECONDS", help="wait for the backends at the end (default: 30)")
    add(
        "--summary",
        choices=settings.CHOICES["summary"],
        help="print the closing block (default: auto, if stderr is a terminal)",
    )
    add(
        "--lenient",
        action="store_true",
        help="leave out what is wrong in the configuration and run anyway, for jobs that nobody watches",
    )


def choose(options: argparse.Namespace) -> settings.Settings:
    """All settings put together.

    Raises UserError with a line for each mistake; with `--lenient` prints them and leaves those parts out.
    """
    problems = settings.Problems()
    given = {key: value for key, value in vars(options).items() if key not in NOT_SETTINGS}
    if options.to is not None:
        given["to"] = [name.strip() for name in options.to.split(",") if name.strip()]
    layers = settings.layers_of(os.getcwd(), os.environ, problems)
    chosen = settings.assemble(layers, given, options.parser, problems)
    chosen["config"] = {**chosen.get("config", {}), **_config(options.config or [], problems)}
    if not (options.lenient or os.environ.get("CAPTURE_LENIENT", "") not in ("", "0")):
        problems.raise_any()
    if problems.lines:
        chosen["ignored"] = problems.lines
        print(f"capture: ignored because of --lenient: {'; '.join(problems.lines)}", file=sys.stderr)
    return chosen


def _config(pairs: list[str], problems: settings.Problems) -> dict[str, Any]:
    """The hyperparameters in KEY=VALUE pairs."""
    config: dict[str, Any] = {}
    if pairs:
        from capture.language.literals import argument  # not on the way of every start
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals and key:
            config[key] = argument(value)
        else:
            problems.add(f"--config {pair}: should be KEY=VALUE, such as lr=3e-4")
    return config


def close(folder: str | None, result: Result, when: str) -> None:
    """Print the closing block, if there is somebody to read it."""
    if folder is None or when == "never" or (when == "auto" and not _is_terminal(sys.stderr)):
        return
    text = closing_text(folder, result)
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # the terminal is gone


def closing_text(folder: str, result: Result) -> str:
    """The closing block, and what the tracker can't know."""
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
    return text


def _is_terminal(file: Any) -> bool:
    return file is not None and not file.closed and bool(file.isatty())
