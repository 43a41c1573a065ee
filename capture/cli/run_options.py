"""What all commands that make a run share: options, settings, closing block.

On the way of every start: imports only what is needed, when it is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from capture import runs, settings
from capture.bare import write
from capture.printing import plain
from capture.runs import Result, ranks

# Options that are no settings of the run.
NOT_SETTINGS = (
    *("parser", "config", "alert", "stop_if", "lenient", "words", "file", "files"),
    *("until_pid", "idle", "wait_for", "jobs", "json", "by", "end", "source"),
    *("save", "table", "image"),  # they add to what the configuration keeps
)
KEPT = {"save": "artifacts", "table": "tables", "image": "images"}

NOT_STARTED = (126, 127)  # exit statuses of a shell
BRIEF = 10.0  # seconds; a longer run is kept even if nothing was printed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who the run is and where it goes."""
    add_main_options(parser)
    add = parser.add_argument
    add("--notes", metavar="TEXT", help="a remark, shown with the run")
    add("--group", metavar="GROUP", help="the group of runs it belongs to")
    add(
        "--every",
        metavar="TIME|STEPS",
        help="keep fewer records of progress bars: one every 10s, or every 50 steps",
    )
    add(
        "--alert",
        action="append",
        default=[],
        metavar="RULE",
        help="say so when this becomes true, such as 'loss is nan' or 'silent for 15m'; may be repeated",
    )
    add(
        "--stop-if",
        action="append",
        default=[],
        metavar="RULE",
        help="stop the command when this becomes true; may be repeated",
    )
    add(
        "--ranks",
        choices=settings.CHOICES["ranks"],
        help="of a program of many processes: chart all ranks (default), rank 0, or their mean, min and max",
    )
    add("--wait", type=seconds, metavar="SECONDS", help="wait for the backends at the end (default: 30)")
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


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add those that say what is kept beside the metrics."""
    for name, what in (
        ("save", "keep a file, a folder or all that a pattern fits, such as 'ckpt/*.pt', once it is whole"),
        ("table", "show a CSV, TSV or JSON file as a table"),
        ("image", "show images that a pattern fits, such as 'plots/*.png'"),
    ):
        parser.add_argument(f"--{name}", action="append", metavar="PATTERN", help=f"{what}; may be repeated")


def add_main_options(parser: argparse.ArgumentParser) -> None:
    """Add those of them that most runs need."""
    add = parser.add_argument
    add("--project", metavar="PROJECT", help="the run's project (default: the folder's name)")
    add("--name", metavar="NAME", help="the run's name (default: such as `train-3 lr=0.1`)")
    add("--tag", action="append", dest="tags", metavar="TAG", help="a tag; may be repeated")
    add("--config", action="append", metavar="KEY=VALUE", help="a hyperparameter; may be repeated")
    add(
        "--to",
        metavar="BACKENDS",
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
    add_dir_option(parser)
    add(
        *("-q", "--quiet"),
        action="store_const",
        const="never",
        dest="summary",
        help="no closing block: the same as --summary never",
    )


def add_dir_option(parser: argparse.ArgumentParser, **settings: Any) -> None:
    """Add the option that says where the runs are."""
    parser.add_argument(
        "--dir",
        metavar="FOLDER",
        help="the folder that holds all runs (default: the nearest capture-runs, here or above)",
        **settings,
    )


def seconds(text: str) -> float:
    """The type of an option that is a time: a number from 0 on, "inf" for no limit.

    Raises ArgumentTypeError.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number >= 0:  # nan is not either
        raise argparse.ArgumentTypeError(f"{text!r}: should be a number of seconds, such as 2.5")
    return number


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
    for option, key in KEPT.items():
        if patterns := getattr(options, option, None):
            kept = [{"path": pattern, "anywhere": True} for pattern in patterns if pattern]
            chosen[key] = [*chosen.get(key, []), *kept]
    if options.alert or options.stop_if:
        from capture.watch import rules  # not on the way of every start

        own = rules.check_options(options.alert, options.stop_if, problems.add)
        chosen["alerts"] = [*chosen.get("alerts", []), *own]
    if not (options.lenient or os.environ.get("CAPTURE_LENIENT", "") not in ("", "0")):
        problems.raise_any()
    for note in problems.notes:
        print(f"capture: {note}", file=sys.stderr)
    if problems.notes or problems.lines:
        chosen["ignored"] = [*problems.notes, *problems.lines]
    if problems.lines:
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


def close(folder: str | None, result: Result, chosen: settings.Settings) -> None:
    """Remove a run that holds nothing; print the closing block, if there is somebody to read it."""
    if folder is None:
        return
    removed = result.tracker_ok and result.status in (0, *NOT_STARTED) and _holds_nothing(folder, chosen)
    if removed:
        import shutil  # slow

        shutil.rmtree(folder, ignore_errors=True)
    when = chosen["summary"]
    if when == "never" or (when == "auto" and not _is_terminal(sys.stderr)):
        return
    if removed:
        text = "capture: nothing was printed, so no run is kept (--name NAME keeps it)\n"
        text = "" if result.status in NOT_STARTED else text  # that has been said
    else:
        text = closing_text(folder, result)
    write(plain(text))


def close_rank(folder: str | None, result: Result, chosen: settings.Settings) -> None:
    """What a rank but 0 says at its end: nothing, unless what it has recorded is no part of a run."""
    if folder is None or chosen["summary"] == "never":
        return
    text, whole = "", os.path.dirname(os.path.dirname(folder))
    if not result.tracker_ok and not _rank_0_begins(whole, folder):
        rank, place = chosen["job"]["rank"], os.path.relpath(folder)
        text = (
            f"capture: rank {rank} is recorded in {place}, without rank 0: do all ranks share this folder?\n"
        )
    if result.recording_error:
        text += f"capture: the recording ended early: {result.recording_error}\n"
    write(plain(text))


def _rank_0_begins(whole: str, folder: str) -> bool:
    """Whether there is a rank 0, which may begin a little later than the rank that records in `folder`."""
    try:
        latest = runs.read(folder).start + ranks.LATE
    except (OSError, ValueError):
        latest = 0.0
    while not os.path.exists(os.path.join(whole, runs.RUN_FILE)):
        if time.time() >= latest:
            return False
        time.sleep(0.05)
    return True


def _holds_nothing(folder: str, chosen: settings.Settings) -> bool:
    """Whether this is a short run without a word, which no name asks for: a typing error, or `true`."""
    try:
        if chosen.get("id") or chosen.get("name") or os.path.getsize(os.path.join(folder, runs.CONSOLE_LOG)):
            return False
        if any(os.path.exists(os.path.join(folder, name)) for name in (runs.FILES, runs.LOGGED)):
            return False
        run = runs.read(folder)
        return (run.end or run.start) - run.start < BRIEF
    except (OSError, ValueError):
        return False


def closing_text(folder: str, result: Result) -> str:
    """The closing block, and what the tracker can't know."""
    text = ""
    if result.tracker_ok or _stopped(folder):
        try:
            with open(os.path.join(folder, runs.SUMMARY), encoding="utf-8") as file:
                text = file.read()
        except OSError:
            pass
    if not text:
        text = _unfinished(folder)
    if result.recording_error:
        text += f"  the recording ended early: {result.recording_error}\n"
    return text


def _stopped(folder: str) -> bool:
    """Whether the tracker was stopped before the end of the recording, and says so in the closing block."""
    from capture.runs import status  # not on the way of every start

    return status.state_of(folder) == "stopped"


def _unfinished(folder: str) -> str:
    """What is said where the tracker has not finished its work."""
    try:
        place = os.path.relpath(folder)
    except OSError:  # the current folder has been removed
        place = folder
    if not os.path.exists(os.path.join(folder, runs.CONSOLE_LOG)):
        return f"capture: the run's folder has been removed, nothing is kept: {place}\n"
    return (
        f"capture: the tracker did not finish; the recording is kept in {place}\n"
        f"  to deliver what is missing: capture sync {place}\n"
    )


def _is_terminal(file: Any) -> bool:
    return file is not None and not file.closed and bool(file.isatty())
