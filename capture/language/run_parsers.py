"""The parsers of a run: the files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from capture.errors import UserError
from capture.language import known
from capture.language.model import Parser

BUILT_IN = "built-in"  # the folder of these parsers in a run's `parsers/`


class RunParsers(NamedTuple):
    """The parsers of a run, each kind in its order, and what is wrong with those that can't be used."""

    own: list[Parser]
    built_in: list[Parser]
    problems: list[str]


def of_run(folder: Path) -> RunParsers:
    """The parsers that were in effect when a run began; they were checked then.

    folder: the run's `parsers/`: the user's own files are in it, the built-in ones in a folder there
    """
    problems: list[str] = []
    own = _read(sorted(folder.glob("*.yaml")), problems)
    files = sorted((folder / BUILT_IN).glob("*.yaml"))
    texts = [file.read_bytes() for file in files]
    built_in = known.recall(texts)
    if built_in is None:
        built_in = _read(files, wrong := list[str]())
        problems += wrong
        if not wrong:
            known.remember(texts, built_in)
    return RunParsers(own, built_in, problems)


def _read(files: list[Path], problems: list[str]) -> list[Parser]:
    """The parsers in these files, without those that can't be used."""
    if not files:
        return []
    from capture.language import checked_yaml, library  # slow

    parsers = []
    for file in files:
        try:
            parsers.append(library.load(checked_yaml.read(file), samples=False, check=False))
        except UserError as error:
            problems += str(error).splitlines()
    return parsers
