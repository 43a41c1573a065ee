"""`capture learn RUN|FILE|-`: write a parser for what nothing reads, and read the run with it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from capture import runs, settings
from capture.authoring import samples, written
from capture.authoring.learn import Learnt, learn
from capture.authoring.lines import LogLines, read_lines
from capture.cli import replay, run_options
from capture.cli.arguments import Arguments
from capture.cli.parse import RUN, open_log, place_of
from capture.errors import UserError, shortest
from capture.language import checked_yaml, library, run_parsers
from capture.language.checked_yaml import Source
from capture.language.model import Parser
from capture.records import Record
from capture.runs import status
from capture.runs.status import RunStatus
from capture.settings import layers

FOLDER = "capture-parsers"
TAG = "learnt"
NOTHING, ALL = "no unread lines look like results", "--all takes every line that recurs with other numbers"


def arguments() -> Arguments:
    """The options of `capture learn`."""
    parser = Arguments(
        prog="capture learn",
        description="Write a parser for the lines of a run that no parser reads, name it in "
        "capture.yaml, and make a new run from the old one with it.",
    )
    add = parser.add_argument
    add("place", metavar="RUN|FILE", help=f"{RUN}; a log; or - for standard input")
    add("--yes", action="store_true", help="write without asking")
    add("--print", action="store_true", help="only print the parser")
    add("--name", help="the parser's name (default: the project's or the log's)")
    add("--all", action="store_true", help="take also lines that don't look like results")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture learn`."""
    options = arguments().parse_args(argv)
    place = place_of(options.place, options.dir)
    run = status.of(Path(place)) if os.path.isdir(place) else None
    own = _own()
    with open_log(place) as file:
        lines = read_lines(file, run_parsers.of_packages(), [parser for _, parser in own])
    learnt = learn(lines.unread, options.all)
    if learnt is None:
        print(f"capture learn: {_nothing(lines, own, run)}", file=sys.stderr)
        return 1
    config, folder = _config_file()
    name = _name(options.name, run.run.project if run else Path(place).stem, folder / FOLDER)
    text = written.parser_text(learnt, name)
    failures = samples.check(library.load(Source(text, name)))
    if failures:  # never written: what it says of itself would be wrong
        raise UserError(f"the parser that was learnt is not right: {failures[0]}")
    if options.print:
        print(text, end="")
        return 0
    _show(learnt)
    path = folder / FOLDER / f"{name}.yaml"
    if not options.yes and not _agreed(f"write {os.path.relpath(path)}?"):
        return 1
    _write(path, text)
    _name_in(config, f"{FOLDER}/{path.name}")
    if run is None:
        if place != "-":
            print(f"to make a run of it: capture replay {place}")
        return 0
    listed = [] if config.name == "capture.yaml" else ["--parser", str(path)]
    again = ["--to", ",".join(run.run.to), "--tag", TAG, "--summary", "always", *listed]
    return replay.main([place, *again, *(["--dir", options.dir] if options.dir else [])])


def _nothing(lines: LogLines, own: Sequence[tuple[str, Parser]], run: RunStatus | None) -> str:
    """Why nothing is learnt: maybe a parser of the user's reads the lines now."""
    readers = [
        f"{parser.name!r} ({shortest(file)}) reads {count:,} line{'s' * (count != 1)}"
        for file, parser in own
        if (count := lines.own[parser.name])
    ]
    said = [f"{NOTHING}: {', '.join(readers)}" if readers else NOTHING]
    if readers and run and not run.records:
        said.append(f"to make a run of it: capture replay {run.run.id}")
    elif not readers or any(lines.unread):
        said.append(ALL)
    return "; ".join(said)


def _own() -> list[tuple[str, Parser]]:
    """The parsers that the user has configured, each with its file."""
    found = []
    for file, text in settings.load(os.getcwd(), os.environ, {})["parsers"]:
        source = checked_yaml.read(Path(file)) if text is None else Source(text, file)
        found.append((file, library.load(source, samples=text is None)))
    return found


def _config_file() -> tuple[Path, Path]:
    """The project's configuration file, which need not exist, and the folder that it is in."""
    own = layers.own_file(os.environ)
    files = [Path(file) for file in layers.files(os.getcwd(), os.environ) if file != own]
    config = files[-1] if files else Path.cwd() / "capture.yaml"
    return config, config.parent


def _name(wanted: str | None, called: str, folder: Path) -> str:
    """The parser's name, which no file in the folder has.  Raises UserError if the wanted one is taken."""
    if wanted is not None:
        if not re.fullmatch(r"[\w.-]+", wanted):
            raise UserError(f"--name {wanted}: should be letters, digits, dots, dashes and underscores")
        if (folder / f"{wanted}.yaml").exists():
            raise UserError(f"--name {wanted}: {os.path.relpath(folder / wanted)}.yaml is there already")
        return wanted
    base = name = re.sub(r"\W+", "_", called).strip("_") or "learnt"
    number = 1
    while (folder / f"{name}.yaml").exists():
        number += 1
        name = f"{base}_{number}"
    return name


def _show(learnt: Learnt) -> None:
    """Print what the parser reads: each kind of line, its values, and why these are step and epoch."""
    for draft in learnt.drafts:
        first = draft.text.splitlines()[-1].strip()
        print(f"{draft.count:,} line{'s' * (draft.count != 1)}: {first[:200]}")
        found = [
            records for text, records in learnt.examples if draft.text in text and draft.form != "context"
        ]
        if found:
            print(f"    {_values(found[0])}")
        elif draft.form == "context":
            print("    says where the lines below it are")
        if draft.why:
            print(f"    {draft.why}")


def _values(records: Sequence[Record]) -> str:
    last = records[-1]
    place = {"step": last.step, "epoch": last.epoch}
    values = {**{name: value for name, value in place.items() if value is not None}, **last.metrics}
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _agreed(question: str) -> bool:
    """Whether the user says yes; nobody can where standard input is no terminal."""
    if not (sys.stdin and sys.stdin.isatty()):
        print("capture learn: nothing is written without --yes", file=sys.stderr)
        return False
    try:
        return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / written.SCHEMA).write_text(written.schema_text(), encoding="utf-8")
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{os.path.relpath(path)}: {error.strerror}") from None
    print(f"written: {os.path.relpath(path)}")


def _name_in(config: Path, parser: str) -> None:
    """Add the parser to the configuration file, or say how where that is not safe."""
    shown = os.path.relpath(config)
    try:
        old = config.read_text(encoding="utf-8") if config.exists() else ""
        new = written.with_parser(old, parser) if config.name == "capture.yaml" else None
        if new is not None and new != old:
            runs.replace_file(str(config), new)
            print(f"added to {shown}: {parser}")
            return
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown}: can't be changed: {error}") from None
    if new is None:
        print(f"capture learn: add {parser!r} to the parsers in {shown} yourself", file=sys.stderr)
