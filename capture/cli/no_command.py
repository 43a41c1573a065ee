"""What to say where no command follows two dashes."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence

from capture.cli import COMMANDS
from capture.errors import UserError, nearest

# What other tools call it.
SYNONYMS = {
    "ls": "runs",
    "list": "runs",
    "ps": "runs",
    "show": "runs",
    "status": "runs",
    "rm": "runs rm",
    "delete": "runs rm",
    "tail": "follow",
    "watch": "follow",
    "upload": "sync",
    "dashboard": "ui",
    "explain": "parsers explain",
    "suggest": "learn",
    "check": "doctor",
}


def error(options: Sequence[str], words: Sequence[str], command: Sequence[str]) -> UserError:
    """The message for `capture OPTIONS WORDS...`, or `capture OPTIONS WORDS -- COMMAND`."""
    if not words:
        line = _line(options, ["python", "train.py"])
        return UserError(f"the command comes after two dashes, for example: {line}")
    word = words[0]
    meant = SYNONYMS.get(word) or nearest(word, COMMANDS, 0.7)
    program = None if command else _program(words)
    if program and meant:
        return UserError(
            f"there is no command {word!r}; did you mean `capture {meant}`, or, to run that program, "
            f"`{_line(options, program)}`?"
        )
    if program:
        return UserError(f"the command comes after two dashes: {_line(options, program)}")
    if meant:
        return UserError(f"there is no command {word!r}; did you mean `capture {meant}`?")
    if command:
        return UserError(f"{word!r} is before the two dashes, where only options are expected")
    return UserError(
        f"there is no command {word!r}; there are {', '.join(COMMANDS)}; a program of yours comes after two "
        f"dashes: {_line(options, words)}"
    )


def _program(words: Sequence[str]) -> list[str] | None:
    """The words as they would run a program; None where there is none."""
    first = words[0]
    if shutil.which(first):
        return list(words)
    if first.endswith(".py") and os.path.isfile(first):
        return ["python", *words]
    return list(words) if os.path.isfile(first) else None


def _line(options: Sequence[str], words: Sequence[str]) -> str:
    return shlex.join(["capture", *options, "--", *words])
