"""Where parsers are found: those that installed packages bring, and a user's own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from capture import plugins
from capture.errors import UserError
from capture.language import checked_yaml, matchers
from capture.language.checked_yaml import Source
from capture.language.model import Parser

BUILT_IN = "built-in"  # the folder of these parsers in a run's `parsers/`
_GENERIC = re.compile(r"^generic: *true\b", re.M)


def load(source: Source, at: checked_yaml.Loc = (), samples: bool = True, check: bool = True) -> Parser:
    """The parser in the part `at` of a YAML text.

    `samples` requires at least one.  `check` compiles its expressions; a file that was checked before is
    loaded faster without.  Raises UserError with a line for each mistake.
    """
    parser = source.check(Parser, at, context=matchers.check if check else None)
    if samples and not parser.samples:
        raise source.error(at, "samples is missing: a parser shows at least one line and what it gives")
    return parser


@cache
def built_in() -> tuple[tuple[Parser, str], ...]:
    """Every parser that an installed package brings, with its text, in the order in which they are tried.

    They are loaded once per process.  Raises UserError if one of them is wrong.
    """
    return tuple((load(Source(text, name)), text) for name, text in built_in_texts())


def built_in_texts() -> Iterator[tuple[str, str]]:
    """The names and texts of the files of these parsers, unchecked.

    A package names, in the entry-point group `capture.parsers`, a module whose folder holds the files.  They
    are in the order of their names, but those that are `generic`, such as bars that every program may draw,
    come after the others.  `general.yaml` of any package comes last: it reads what no other parser does.
    """
    found = []
    for point in plugins.installed(plugins.PARSERS):
        try:
            folder = resources.files(point.value)
        except ImportError as error:
            raise UserError(
                f"the parsers of the package behind {point.name!r} can't be read: {error}"
            ) from None
        for file in folder.iterdir():
            if file.name.endswith(".yaml"):
                text = file.read_text(encoding="utf-8")
                order = file.name == "general.yaml", bool(_GENERIC.search(text))
                found.append((order, point.name, file.name, text))
    for _, package, name, text in sorted(found):
        yield f"{package}/{name}", text


class RunParsers(NamedTuple):
    """The parsers of a run, each kind in its order, and what is wrong with those that can't be used."""

    own: list[Parser]
    built_in: list[Parser]
    problems: list[str]


def of_run(folder: Path) -> RunParsers:
    """The parsers that were in effect when a run began; they were checked then.

    folder: the run's `parsers/`: the user's own files are in it, the built-in ones in a folder there
    """
    found = RunParsers([], [], [])
    for place, parsers in ((folder, found.own), (folder / BUILT_IN, found.built_in)):
        for file in sorted(place.glob("*.yaml")):
            try:
                parsers.append(load(checked_yaml.read(file), samples=False, check=False))
            except UserError as error:
                found.problems.extend(str(error).splitlines())
    return found


def from_file(path: Path) -> Parser:
    """The parser in a user's file.  Raises UserError if something in it is wrong."""
    return load(checked_yaml.read(path))


def by_name(name: str) -> Parser:
    """The built-in parser of this name.  Raises UserError if there is none."""
    parsers = {parser.name: parser for parser, _ in reversed(built_in())}
    if name not in parsers:
        names = ", ".join(parser.name for parser, _ in built_in())
        raise UserError(f"there is no parser {name!r}; there are {names}, or name a YAML file")
    return parsers[name]
