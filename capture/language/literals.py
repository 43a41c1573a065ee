"""Values of a configuration as text: in a program's output, or on its command line."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from capture.language.numbers import is_number, number

_WORDS = {"None": None, "null": None, **dict.fromkeys(("True", "true", "TRUE"), True)}
_WORDS |= dict.fromkeys(("False", "false", "FALSE"), False)
_UNDERSCORED = re.compile(r"[-+]?\d+(?:_\d+)+(?:\.\d*)?")


def literal(text: str) -> Any:
    """The value of a text in Python's or JSON's notation: a number, true, None, a list; or the text."""
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    if is_number(text):
        return number(text)
    if _UNDERSCORED.fullmatch(text):
        return number(text.replace("_", ""))
    if text[:1] in ("[", "(", "{"):
        return _object(text)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def argument(text: str) -> Any:
    """The same on a command line, where a comma is between two values and not in one number: `64,128`."""
    return text if "," in text and text[0] not in "[({" else literal(text)


def _object(text: str) -> Any:
    """The list or mapping that the text is in Python or JSON; the text itself if it is no plain data."""
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(text)
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        return list(value) if isinstance(value, tuple) else value
    return text
