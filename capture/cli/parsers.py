"""`capture parsers`: list the parsers, show and test them, explain a line."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from capture import settings
from capture.authoring import explain, samples
from capture.authoring.explain import Explainer, Group
from capture.cli import watch
from capture.cli.arguments import Arguments
from capture.cli.parse import RUN, add_options, choose, open_log, place_of
from capture.language import checked_yaml, library, model
from capture.language.checked_yaml import Source

BUILT_IN = "built in"


def arguments() -> Arguments:
    """The options of `capture parsers`."""
    parser = Arguments(prog="capture parsers", description="List, show and test parsers; explain lines.")
    commands = parser.add_subparsers(dest="command", metavar="list|show|test|explain|schema")
    commands.add_parser("list", help="list the parsers in the order in which they are tried")
    show = commands.add_parser("show", help="print a built-in parser, as a start for your own")
    show.add_argument("name")
    test = commands.add_parser("test", help="run the samples of parser files, or of all parsers in effect")
    test.add_argument("files", nargs="*", type=Path, metavar="FILE")
    test.add_argument(
        "--watch", action="store_true", help="run them again whenever a file has changed, until Ctrl-C"
    )
    explain = commands.add_parser(
        "explain", help="say which pattern reads a line, or the lines of a log, or why none does"
    )
    explain.add_argument(
        "line", metavar="LINE|RUN|FILE", help=f"a line; {RUN}; a log; or - for standard input"
    )
    explain.add_argument(
        "--plan",
        action="store_true",
        help="print the Python that reads lines of these shapes once they recur",
    )
    add_options(explain)
    commands.add_parser("schema", help="print the JSON Schema of a parser file, for editors")
    return parser


def main(argv: list[str]) -> int:
    """Run `capture parsers`."""
    options = arguments().parse_args(argv)
    if options.command == "show":
        return _show(options.name)
    if options.command == "test":
        return watch.repeat(options.files, _test) if options.watch else _test(options.files)
    if options.command == "explain" and options.plan:
        return _plans(options.line, options.dir, options.parser)
    if options.command == "explain":
        return _explain(options.line, _read(options.line, options.dir, options.parser))
    if options.command == "schema":
        print(json.dumps(model.Parser.model_json_schema(), indent=2))
        return 0
    return _list()


def _own() -> list[tuple[str, model.Parser]]:
    """The parsers that the user has configured, each with the file that it is written in."""
    found = []
    for file, text in settings.load(os.getcwd(), os.environ, {})["parsers"]:
        shown = min(file, os.path.relpath(file), key=len)
        source = checked_yaml.read(Path(shown)) if text is None else Source(text, shown)
        found.append((shown, library.load(source, samples=text is None)))
    return found


def _in_effect() -> list[tuple[str, model.Parser]]:
    """All parsers in their order, each with where it is from."""
    return _own() + [(BUILT_IN, parser) for parser, _ in library.built_in()]


def _list() -> int:
    rows = [(parser.name, parser.title + (" (unverified)" if parser.unverified else ""), where)
            for where, parser in _in_effect()]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    for name, title, where in rows:
        print(f"{name:{widths[0]}}  {title:{widths[1]}}  {where}")
    return 0


def _show(name: str) -> int:
    for parser, text in library.built_in():
        if parser.name == name:
            print(text, end="")
            return 0
    library.by_name(name)  # raises an error that lists the names
    return 2


def _test(files: list[Path]) -> int:
    found = [(str(file), library.from_file(file)) for file in files] or _in_effect()
    failed = 0
    for where, parser in found:
        failures = samples.check(parser)
        failed += bool(failures)
        count = f"{len(parser.samples)} sample{'s' * (len(parser.samples) != 1)}"
        print(
            f"{parser.name} ({where}): {f'{len(failures)} of {count} failed' if failures else f'{count} ok'}"
        )
        for failure in failures:
            print(failure)
    return 1 if failed else 0


def _read(name: str, base: str | None, wanted: list[str]) -> Explainer:
    """Explain a log, or a line that is not the name of a file."""
    with _open(name, base) as file:
        return explain.explain(file, *_chosen(wanted))


def _open(name: str, base: str | None, times: int = 1) -> BinaryIO:
    """A log; or so many times a line that is not the name of a file."""
    if not os.path.exists(name) and any(sign in name for sign in " :=|"):
        return io.BytesIO((os.fsencode(name) + b"\n") * times)
    return open_log(place_of(name, base))


def _chosen(wanted: list[str]) -> tuple[Sequence[model.Parser], Sequence[model.Parser]]:
    """The built-in parsers and the user's, or those that are wanted."""
    parsers, own = choose(wanted)
    return parsers, own if wanted else [parser for _, parser in _own()]


def _plans(name: str, base: str | None, wanted: list[str]) -> int:
    with _open(name, base, times=3) as file:
        found = explain.plans(file, *_chosen(wanted))
    for rule, source in found:
        print(f"# {rule.parser.name}: {explain.shown(rule.pattern)}\n{source}")
    if not found:
        print("no plan: the patterns are asked anew for each line")
    return 0


def _explain(name: str, explainer: Explainer) -> int:
    silent = 0
    for group in explainer.groups.values():
        if group.rule is None and not group.is_numeric and name != group.text:
            silent += group.count
            continue
        like = f" and {group.count - 1:,} like it" if group.count > 1 else ""
        head = f"{group.number}{like}: "
        print(f"{head}{group.text}")
        if group.near and group.near.stop:
            column = len(head) + len(group.text) - len(group.near.stop)
            print(f"{' ' * column}^ the nearest pattern stops here")
        for line in _why(group):
            print(f"    {line}")
    if silent:
        lines = "1 line without numbers is" if silent == 1 else f"{silent:,} lines without numbers are"
        print(f"{lines} read by no pattern")
    return 0


def _why(group: Group) -> Iterator[str]:
    """What to say about lines that are alike."""
    if group.rule is None:
        yield "no pattern reads it"
    else:
        yield f"{group.rule.parser.name}: {explain.shown(group.rule.pattern)}"
        if group.captured:
            yield f"captured {_values(group.captured)}"
        if not group.records:
            yield "gives nothing by itself"
    for record in group.records:
        place = {
            name: value
            for name, value in (("step", record.step), ("epoch", record.epoch))
            if value is not None
        }
        kind = "config " if record.config else ""
        yield f"gives {kind}{_values({**place, **record.metrics, **record.config})}"
    if group.near:
        rule = group.near.rule
        yield f"nearest is {rule.parser.name}: {explain.shown(rule.pattern)}"
        if not group.near.stop:
            yield "which expects more after it"


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
