"""Built-in parsers as they were after their files had been read, kept in the user's cache folder.

To read the YAML of all these files, check it and find what text each of their expressions requires takes as
long as everything else that has to be done before a first line can be read.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from capture import cache
from capture.language import required_text
from capture.language.matchers import matcher
from capture.language.model import FORMS, PATTERNS, Bar, Block, Case, Parser, Pattern, Table

MOST = 300  # parsers that are remembered
_KIND = "parsers"
_PARTS: dict[str, type[Bar | Table | Block]] = {"bar": Bar, "table": Table, "block": Block}


def recall(texts: Sequence[bytes]) -> list[Parser] | None:
    """The parsers of these files, but for their samples; None if it is not known what is in each of them.

    What their expressions require is known then, too.
    """
    known = _known()
    try:
        return [_parser(known[_digest(text)]) for text in texts]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def remember(texts: Sequence[bytes], parsers: Sequence[Parser]) -> None:
    """Remember the parsers of these files, until the code that reads them changes."""
    for parser in parsers:
        for pattern in parser.patterns:
            _ = matcher(pattern).literals
    read = [parser.model_dump(exclude_unset=True, exclude={"samples"}) for parser in parsers]
    new, old = dict(zip(map(_digest, texts), read, strict=True)), _known()
    item = {
        "parsers": {**old, **new} if len(old) + len(new) <= MOST else new,
        "required": {
            regex: None if literals is None else sorted(literals)
            for regex, literals in required_text.known.items()
        },
    }
    folder = os.path.dirname(__file__)
    code = [entry.path for entry in os.scandir(folder) if entry.name.endswith(".py")]
    cache.remember(sys.prefix, _KIND, item, sorted(code))
    _known.cache_clear()


@functools.cache
def _known() -> Mapping[str, Mapping[str, Any]]:
    """What each known file holds, by the file's digest."""
    found = cache.recall(sys.prefix, _KIND)
    try:
        parsers: Mapping[str, Mapping[str, Any]] = {**found["parsers"]}
        required = {
            regex: None if literals is None else frozenset(literals)
            for regex, literals in found["required"].items()
        }
    except (KeyError, TypeError, AttributeError):  # there is nothing, or it is something else
        return {}
    required_text.known.update(required)
    return parsers


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _parser(data: Mapping[str, Any]) -> Parser:
    """A parser of data that have been checked."""
    return Parser.model_construct(**{**data, "patterns": [_pattern(item) for item in data["patterns"]]})


def _pattern(data: Mapping[str, Any]) -> Pattern:
    (form,) = [form for form in FORMS if form in data]
    parts = {name: model.model_construct(**data[name]) for name, model in _PARTS.items() if data.get(name)}
    cases = {"cases": [Case.model_construct(**item) for item in data["cases"]]} if "cases" in data else {}
    return PATTERNS[form].model_construct(**{**data, **parts, **cases})
