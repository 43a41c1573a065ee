"""The logs that a user means by files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from capture import runs
from capture.errors import UserError
from capture.runs import logs


class Found(NamedTuple):
    """The logs and folders of runs that were asked for, in their order and each once; and what is not one.

    `several` says that more than one may be meant: what comes of them needs their names.
    """

    places: list[str]
    problems: list[str]
    several: bool


def find(words: Sequence[str], place_of: Callable[[str], str]) -> Found:
    """Find what each word means: a file, the folder of a run, a folder of logs or of runs, a pattern.

    `place_of` finds what a word means that is none of these, and raises UserError where it is nothing.
    Raises UserError where nothing is found.
    """
    places: dict[str, None] = {}
    problems: list[str] = []
    several = len(words) > 1
    for word in words:
        try:
            found, is_one = _of_word(word, place_of, problems)
        except UserError as error:
            problems.append(str(error))
            continue
        several = several or not is_one
        places |= dict.fromkeys(found)
    if not places:
        raise UserError("\n".join(problems))
    return Found(list(places), problems, several)


def _of_word(word: str, place_of: Callable[[str], str], problems: list[str]) -> tuple[list[str], bool]:
    """The places that a word means, and whether it can mean only one."""
    if os.path.isdir(word) and not is_run(word):
        found = list(_below(word, problems))
        if not found:
            raise UserError(f"{word}: a folder without logs and runs")
        return found, False
    if not os.path.exists(word) and glob.has_magic(word):
        found = []
        for path in sorted(glob.glob(word, recursive=True)):
            found += [path] if not os.path.isdir(path) or is_run(path) else _below(path, problems)
        if not found:
            raise UserError(f"{word}: no file matches")
        return found, False
    return [place_of(word)], True


def is_run(folder: str) -> bool:
    """Whether a folder is that of a run."""
    return any(os.path.exists(os.path.join(folder, name)) for name in (runs.RUN_FILE, runs.CONSOLE_LOG))


def _below(folder: str, problems: list[str]) -> Iterator[str]:
    """All logs and runs below a folder; hidden files and what is no text are left out."""
    for place, folders, files in os.walk(folder):
        inside = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in inside if is_run(path := os.path.join(place, name)))
        folders[:] = [name for name in inside if not is_run(os.path.join(place, name))]
        for name in sorted(files):
            path = os.path.join(place, name)
            if name.startswith("."):
                continue
            try:
                if logs.may_be_text(path):
                    yield path
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
