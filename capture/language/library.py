"""Where parsers are found: those that installed packages bring, and a user's own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from capture.errors import UserError
from capture.language import checked_yaml
from capture.language.checked_yaml import Source
from capture.language.model import CHECKED, Parser
from capture.runs import PARSERS

BUILT_IN = "built-in"  # the folder of these parsers in a run's `parsers/`
_GENERIC = re.compile(r"^generic: *true\b", re.M)


def load(source: Source, at: checked_yaml.Loc = (), samples: bool = True, context: Any = None) -> Parser:
    """The parser that stands in this YAML.  Raises UserError where something in it is wrong."""
    parser = source.check(Parser, at, context=context)
    if samples and not parser.samples:
        raise source.error(at, "samples is missing: a parser shows at least one line and what it gives")
    return parser


def built_in() -> Iterator[tuple[Parser, str]]:
    """Every parser that an installed package brings, with its text, in the order of their files' names."""
    for name, text in built_in_texts():
        yield load(Source(text, name)), text


def built_in_texts() -> Iterator[tuple[str, str]]:
    """The names of the files of these parsers and their texts, unchecked.

    Those that are `generic` come after the others: a bar that every program may draw.
    A package names, in the entry-point group `capture.parsers`, a module whose folder holds the files.
    `general.yaml` of any of them comes last: it reads what no other parser does.
    """
    found = []
    for point in sorted(entry_points(group="capture.parsers"), key=lambda p: p.name):
        try:
            folder = resources.files(point.value)
        except ImportError as error:
            raise UserError(
                f"the parsers of the package behind {point.name!r} can't be read: {error}"
            ) from None
        for file in folder.iterdir():
            if file.name.endswith(".yaml"):
                text = file.read_text(encoding="utf-8")
                late = file.name == "general.yaml", bool(_GENERIC.search(text))
                found.append((late, point.name, file.name, text))
    for _, package, name, text in sorted(found):
        yield f"{package}/{name}", text


class RunParsers(NamedTuple):
    """The parsers of a run, each kind in its order, and what is wrong with those that can't be used."""

    own: list[Parser]
    built_in: list[Parser]
    problems: list[str]


def of_run(folder: Path) -> RunParsers:
    """The parsers that were in effect when the run began.

    The user's own are in the run's `parsers/`, the built-in ones in a folder there.
    """
    found = RunParsers([], [], [])
    for place, parsers in ((folder / PARSERS, found.own), (folder / PARSERS / BUILT_IN, found.built_in)):
        for file in sorted(place.glob("*.yaml")):
            try:
                parsers.append(load(checked_yaml.read(file), samples=False, context=CHECKED))
            except UserError as error:
                found.problems.extend(str(error).splitlines())
    return found


def from_file(path: Path) -> Parser:
    """The parser in a user's file.  Raises UserError where something in it is wrong."""
    return load(checked_yaml.read(path))


def by_name(name: str) -> Parser:
    """The built-in parser of this name.  Raises UserError where there is none."""
    names = []
    for parser, _ in built_in():
        if parser.name == name:
            return parser
        names.append(parser.name)
    raise UserError(f"there is no parser {name!r}; there are {', '.join(names)}, or name a YAML file")
