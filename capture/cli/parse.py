"""`capture parse FILE`: the records of a recording or a log, as JSON lines."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from capture import records, runs
from capture.errors import UserError
from capture.language import library, model
from capture.parsing.engine import Engine
from capture.parsing.pipeline import parse, parse_recording


def arguments() -> argparse.ArgumentParser:
    """The options of `capture parse`."""
    parser = argparse.ArgumentParser(
        prog="capture parse", description="Print the records of a recording or a log as JSON lines."
    )
    parser.add_argument("file", help="a log, a run folder, or - for standard input")
    add_parser_option(parser)
    return parser


def add_parser_option(parser: argparse.ArgumentParser) -> None:
    """The option by which parsers are chosen."""
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


def log_of(name: str) -> Path:
    """The log that a name on the command line means: a run folder's console, or the file."""
    return Path(name, runs.CONSOLE_LOG) if os.path.isdir(name) else Path(name)


def open_log(name: str) -> BinaryIO:
    """The log to read, standard input for `-`.  Raises UserError where it can't be opened."""
    if name == "-":
        return sys.stdin.buffer
    try:
        return log_of(name).open("rb")
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}") from None


def records_of(name: str, engine: Engine) -> Iterator[records.Record]:
    """The records of a log, or of a recording with its streams and times.  Raises UserError."""
    with open_log(name) as file:
        if os.path.isdir(name) and Path(name, runs.CONSOLE_INDEX).exists():
            yield from parse_recording(Path(name), engine)
        else:
            yield from parse(file, engine)


def main(argv: list[str]) -> int:
    """Run `capture parse`."""
    options = arguments().parse_args(argv)
    engine = Engine(*choose(options.parser))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the locale
    for record in records_of(options.file, engine):
        print(records.to_json(record))
    for event in engine.events:
        print(f"capture parse: {event}", file=sys.stderr)
    return 0
