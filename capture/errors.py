"""The error that a user can mend, and what helps to mend it."""

from __future__ import annotations

import os
from collections.abc import Iterable


class UserError(ValueError):
    """What a user wrote can't be used; the message says what, where, and what would be right."""


def nearest(word: str, known: Iterable[str], similar: float = 0.6) -> str | None:
    """The one of the known words that was meant: the only one that begins so, or one spelt nearly so.

    `similar`, from 0 to 1, is how alike the two have to be.
    """
    names = list(known)
    begins = [name for name in names if len(word.strip("-")) > 1 and name.startswith(word)]
    if len(begins) == 1:
        return begins[0]
    import difflib  # slow, and this is on the way of every start

    return next(iter(difflib.get_close_matches(word, names, 1, similar)), None)


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The question whether the nearest known word was meant, or what to say where none is near."""
    near = nearest(word, known)
    return otherwise if near is None else f"did you mean {near!r}?"


def shortest(path: str | os.PathLike[str]) -> str:
    """The path as a message shows it: from here, where that is shorter."""
    try:
        return min(str(path), os.path.relpath(path), key=len)
    except (OSError, ValueError):  # no working folder, or another drive
        return str(path)
