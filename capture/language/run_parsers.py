"""The parsers that lines are read with: those in a run's folder, or those of installed packages.

They were checked when the run began, or before they were packed: what is known of them is not looked at
again, and an expression is compiled when a line first asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from capture.errors import UserError, shortest
from capture.language import installed, known
from capture.language.model import Parser

BUILT_IN = "built-in"  # the folder of these parsers in a run's `parsers/`


class RunParsers(NamedTuple):
    """The parsers of a run, each kind in its order, and what is wrong with those that can't be used."""

    own: list[Parser]
    built_in: list[Parser]
    problems: list[str]


def of_run(folder: Path) -> RunParsers:
    """The parsers that were in effect when a run began.

    folder: the run's `parsers/`: the user's own files are in it, the built-in ones in a folder there
    """
    problems: list[str] = []
    own = _read(_texts(sorted(folder.glob("*.yaml")), problems), problems)
    built_in = _built_in(_texts(sorted((folder / BUILT_IN).glob("*.yaml")), problems), problems)
    return RunParsers(own, built_in, problems)


def of_packages() -> list[Parser]:
    """The built-in parsers, without their samples.  Raises UserError if one can't be used."""
    problems: list[str] = []
    parsers = _built_in([(name, text.encode()) for name, text in installed.texts()], problems)
    if problems:
        raise UserError("\n".join(problems))
    return parsers


def _built_in(texts: Sequence[tuple[str, bytes]], problems: list[str]) -> list[Parser]:
    """The parsers of these files, as they are known or read; the latter are known from now on."""
    contents = [text for _, text in texts]
    parsers = known.recall(contents)
    if parsers is None:
        before = len(problems)
        parsers = _read(texts, problems)
        if len(problems) == before:
            known.remember(contents, parsers)
    return parsers


def _texts(files: Sequence[Path], problems: list[str]) -> list[tuple[str, bytes]]:
    """The names and contents of files, without those that can't be read."""
    found = []
    for file in files:
        try:
            found.append((shortest(file), file.read_bytes()))
        except OSError as error:
            problems.append(f"{shortest(file)}: {error.strerror}")
    return found


def _read(texts: Sequence[tuple[str, bytes]], problems: list[str]) -> list[Parser]:
    """The parsers in these files, without those that can't be used."""
    if not texts:
        return []
    from capture.language import library  # slow
    from capture.language.checked_yaml import Source

    parsers = []
    for name, text in texts:
        try:
            parsers.append(library.load(Source(text.decode(), name), samples=False, check=False))
        except UnicodeDecodeError as error:
            problems.append(f"{name}: not UTF-8 text (byte {error.start})")
        except UserError as error:
            problems += str(error).splitlines()
    return parsers
