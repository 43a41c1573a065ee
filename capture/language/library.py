"""Where parsers are found: those that installed packages bring, and a user's own files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from capture.errors import UserError
from capture.language import checked_yaml, installed, matchers
from capture.language.checked_yaml import Source
from capture.language.model import Parser


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
    return tuple((load(Source(text, name)), text) for name, text in installed.texts())


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
