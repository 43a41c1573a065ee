"""`capture parsers`: list the console formats, show one, test their samples."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from capture import formats, samples, settings


def arguments() -> argparse.ArgumentParser:
    """The options of `capture parsers`."""
    parser = argparse.ArgumentParser(prog="capture parsers", description="The console formats.")
    commands = parser.add_subparsers(dest="command", metavar="list|show|test|schema")
    commands.add_parser("list", help="the formats in the order in which they are tried")
    show = commands.add_parser("show", help="print a built-in format, as a start for your own")
    show.add_argument("name")
    test = commands.add_parser("test", help="run the samples of format files, or of all formats in effect")
    test.add_argument("files", nargs="*", type=Path, metavar="FILE")
    commands.add_parser("schema", help="print the JSON Schema of a format file, for editors")
    return parser


def main(argv: list[str]) -> int:
    """Run `capture parsers`."""
    options = arguments().parse_args(argv)
    try:
        if options.command == "show":
            return _show(options.name)
        if options.command == "test":
            return _test(options.files)
        if options.command == "schema":
            print(json.dumps(formats.Format.model_json_schema(), indent=2))
            return 0
        return _list()
    except ValueError as error:
        print(f"capture parsers: {error}", file=sys.stderr)
        return 2


def _in_effect() -> list[tuple[str, formats.Format]]:
    own = settings.load(os.getcwd(), os.environ, {})["parsers"]
    found = [("capture.yaml", formats.Format.model_validate(data)) for data in own]
    return found + [("built in", form) for form, _ in formats.built_in()]


def _list() -> int:
    rows = [(form.name, form.title + (" (unverified)" if form.unverified else ""), where)
            for where, form in _in_effect()]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    for name, title, where in rows:
        print(f"{name:{widths[0]}}  {title:{widths[1]}}  {where}")
    return 0


def _show(name: str) -> int:
    for form, text in formats.built_in():
        if form.name == name:
            print(text, end="")
            return 0
    formats.by_name(name)  # says which names there are
    return 2


def _test(files: list[Path]) -> int:
    found = [(str(file), formats.from_file(file)) for file in files] or _in_effect()
    failed = 0
    for where, form in found:
        failures = samples.check(form)
        failed += bool(failures)
        count = f"{len(form.samples)} sample{'s' * (len(form.samples) != 1)}"
        print(f"{form.name} ({where}): {f'{len(failures)} of {count} failed' if failures else f'{count} ok'}")
        for failure in failures:
            print(failure)
    return 1 if failed else 0
