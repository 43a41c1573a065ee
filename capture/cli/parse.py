"""`capture parse FILE...`: the records of recordings and logs, as JSON lines."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfileobj
from typing import IO, BinaryIO, NamedTuple

from capture import records, runs
from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.language import library, model, run_parsers
from capture.many import logs, pool
from capture.parsing.engine import Engine
from capture.parsing.pipeline import parse, parse_recording
from capture.runs.logs import open_log as open_file

RUN = "a run: its folder, id or name, or `last`"
MANY = f"{RUN}; a log, also .gz, .bz2, .xz or .zst; a folder of logs or runs; a pattern in quotes"


def arguments() -> Arguments:
    """The options of `capture parse`."""
    parser = Arguments(
        prog="capture parse",
        description="Print the records of recordings and logs as JSON lines, in the order of the files.  Of "
        "several, each line names its file, and one that can't be read is said and left out.",
    )
    parser.add_argument("files", nargs="+", metavar="RUN|FILE", help=f"{MANY}; or - for standard input")
    add_options(parser)
    add_jobs_option(parser)
    parser.add_argument(
        "--json", action="store_true", help="the only form there is, as other commands have it"
    )
    return parser


def add_jobs_option(parser: argparse.ArgumentParser) -> None:
    """The option that says how many processes work at the same time."""
    parser.add_argument(
        "-j", "--jobs", type=_jobs, default=1, metavar="N", help="work on N files at a time (0: one a core)"
    )


def _jobs(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: should be a number of processes, such as 4")
    return int(text) or len(
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of what reads a log: where runs are, and by which parsers it is read."""
    run_options.add_dir_option(parser)
    parser.add_argument(
        "--parser",
        metavar="FILE|NAME",
        action="append",
        default=[],
        help="a parser of your own, tried first; or the name of a built-in one, used alone",
    )


def choose(wanted: list[str]) -> tuple[list[model.Parser], list[model.Parser]]:
    """The parsers to try, and the user's own; with names of built-in ones, only those.  Raises UserError."""
    own = [library.from_file(Path(name)) for name in wanted if name.endswith((".yaml", ".yml"))]
    named = [library.by_name(name) for name in wanted if not name.endswith((".yaml", ".yml"))]
    return named or run_parsers.of_packages(), own


def place_of(name: str, base: str | None) -> str:
    """What a word on the command line means: a file, `-`, or else the folder of the run that is called so.

    `base` is the folder that holds all runs, None for the one of the settings.  Raises UserError.
    """
    if name == "-" or os.path.exists(name):
        return name
    try:
        return str(places.here(base).find(name).folder)
    except UserError as error:
        raise UserError(f"there is no file {name!r}, and {error}") from None


def open_log(place: str) -> BinaryIO:
    """The log to read: a file, a run folder's console, standard input for `-`.

    Raises UserError where it can't be opened.
    """
    if place == "-":
        return sys.stdin.buffer
    return open_file(Path(place, runs.CONSOLE_LOG) if os.path.isdir(place) else place)


def records_of(place: str, engine: Engine) -> Iterator[records.Record]:
    """The records of a log, or of a recording with its streams and times.  Raises UserError."""
    with open_log(place) as file:
        if os.path.isdir(place) and Path(place, runs.CONSOLE_INDEX).exists():
            yield from parse_recording(Path(place), engine)
        else:
            yield from parse(file, engine)


def main(argv: list[str]) -> int:
    """Run `capture parse`."""
    options = arguments().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the locale
    found = logs.find(options.files, lambda word: place_of(word, options.dir))
    if not found.several:
        _prepare(options.parser)
        _say(_print(found.places[0], sys.stdout))
        return 0
    for problem in found.problems:
        print(f"capture parse: {problem}", file=sys.stderr)
    return 1 if _parse_all(found.places, options) or found.problems else 0


def _parse_all(places: list[str], options: argparse.Namespace) -> int:
    """Print the records of many files.  Returns how many could not be read."""
    broken = 0
    with tempfile.TemporaryDirectory(prefix="capture-parse-") as folder:
        alone = min(options.jobs, len(places)) <= 1
        work = [_Work(place, "" if alone else os.path.join(folder, str(n))) for n, place in enumerate(places)]
        for done in pool.in_order(_parse, work, options.jobs, _prepare, (options.parser,)):
            if done.printed:
                with open(done.printed, encoding="utf-8") as file:
                    copyfileobj(file, sys.stdout)
                os.unlink(done.printed)
            _say(done.notes)
            broken += done.broken
    return broken


class _Work(NamedTuple):
    """A file to parse, and where its records are printed: standard output where no file is named."""

    place: str
    printed: str


class _Done(NamedTuple):
    """What is to be said of a file that was parsed."""

    printed: str
    notes: list[str]
    broken: bool


_engines: list[Engine] = []  # of this process: the one that others are made of


def _prepare(parsers: list[str]) -> None:
    """Before the first file of this process.  Raises UserError."""
    _engines[:] = [Engine(*choose(parsers))]


def _parse(work: _Work) -> _Done:
    """The records of one of many files."""
    try:
        if not work.printed:
            return _Done("", _print(work.place, sys.stdout, work.place), False)
        with open(work.printed, "w", encoding="utf-8") as file:
            return _Done(work.printed, _print(work.place, file, work.place), False)
    except UserError as error:
        return _Done(work.printed, [str(error)], True)
    except (OSError, ValueError) as error:
        return _Done(work.printed, [f"{work.place}: {error}"], True)


def _print(place: str, output: IO[str], name: str = "") -> list[str]:
    """Print the records of a log, each with the log's name if there is one.  Returns what else to say."""
    engine = _engines[0].anew()
    named = f'{{"file": {json.dumps(name)}, ' if name else "{"
    for record in records_of(place, engine):
        output.write(named + records.to_json(record)[1:] + "\n")
    return [f"{name}: {event}" if name else event for event in engine.events]


def _say(notes: list[str]) -> None:
    if notes:
        sys.stdout.flush()
    for note in notes:
        print(f"capture parse: {note}", file=sys.stderr)
