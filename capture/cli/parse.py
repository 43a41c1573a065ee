"""`capture parse FILE`: the records of a recording or a log, as JSON lines."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from capture import records, runs, settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.language import library, model
from capture.parsing.engine import Engine
from capture.parsing.pipeline import parse, parse_recording
from capture.runs.find import find

RUN = "a run: its folder, id or name, or `last`"


def arguments() -> Arguments:
    """The options of `capture parse`."""
    parser = Arguments(
        prog="capture parse", description="Print the records of a recording or a log as JSON lines."
    )
    parser.add_argument("file", metavar="RUN|FILE", help=f"{RUN}; a log; or - for standard input")
    add_options(parser)
    return parser


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
    return named or [parser for parser, _ in library.built_in()], own


def place_of(name: str, base: str | None) -> str:
    """What a word on the command line means: a file, `-`, or else the folder of the run that is called so.

    `base` is the folder that holds all runs, None for the one of the settings.  Raises UserError.
    """
    if name == "-" or os.path.exists(name):
        return name
    chosen = settings.load(os.getcwd(), os.environ, {"dir": base})
    try:
        return str(find(name, Path(chosen["dir"])).folder)
    except UserError as error:
        raise UserError(f"there is no file {name!r}, and {error}") from None


def open_log(place: str) -> BinaryIO:
    """The log to read: a file, a run folder's console, standard input for `-`.

    Raises UserError where it can't be opened.
    """
    if place == "-":
        return sys.stdin.buffer
    try:
        return (Path(place, runs.CONSOLE_LOG) if os.path.isdir(place) else Path(place)).open("rb")
    except OSError as error:
        raise UserError(f"{place}: {error.strerror}") from None


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
    engine = Engine(*choose(options.parser))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the locale
    for record in records_of(place_of(options.file, options.dir), engine):
        print(records.to_json(record))
    for event in engine.events:
        print(f"capture parse: {event}", file=sys.stderr)
    return 0
