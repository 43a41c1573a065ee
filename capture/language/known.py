"""Built-in parsers as they were after their files had been read, kept in the user's cache folder.

To read the YAML of all these files, check it and find what text each of their expressions requires takes as
long as everything else that has to be done before a first line can be read.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from capture import cache
from capture.language import required_text
from capture.language.matchers import matcher
from capture.language.model import FORMS, PATTERNS, Bar, Block, Case, Parser, Pattern, Table

_KIND = "parsers"
_PARTS: dict[str, type[Bar | Table | Block]] = {"bar": Bar, "table": Table, "block": Block}


def recall(texts: Sequence[bytes]) -> list[Parser] | None:
    """The parsers of these files, but for their samples; None if it is not known what is in them.

    What their expressions require is known then, too.
    """
    found = cache.recall(sys.prefix, _KIND)
    try:
        if found is None or found["files"] != _digest(texts):
            return None
        parsers = [_parser(data) for data in found["parsers"]]
        literals = {
            regex: None if texts is None else frozenset(texts) for regex, texts in found["required"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    required_text.known.update(literals)
    return parsers


def remember(texts: Sequence[bytes], parsers: Sequence[Parser]) -> None:
    """Remember the parsers of these files, until they or the code that reads them change."""
    for parser in parsers:
        for pattern in parser.patterns:
            _ = matcher(pattern).literals
    item = {
        "files": _digest(texts),
        "parsers": [parser.model_dump(exclude_unset=True, exclude={"samples"}) for parser in parsers],
        "required": {
            regex: None if literals is None else sorted(literals)
            for regex, literals in required_text.known.items()
        },
    }
    folder = os.path.dirname(__file__)
    code = [entry.path for entry in os.scandir(folder) if entry.name.endswith(".py")]
    cache.remember(sys.prefix, _KIND, item, sorted(code))


def _digest(texts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(b"%d\n%b" % (len(text), text))
    return digest.hexdigest()


def _parser(data: Mapping[str, Any]) -> Parser:
    """A parser of data that have been checked."""
    return Parser.model_construct(**{**data, "patterns": [_pattern(item) for item in data["patterns"]]})


def _pattern(data: Mapping[str, Any]) -> Pattern:
    (form,) = [form for form in FORMS if form in data]
    parts = {name: model.model_construct(**data[name]) for name, model in _PARTS.items() if data.get(name)}
    cases = {"cases": [Case.model_construct(**item) for item in data["cases"]]} if "cases" in data else {}
    return PATTERNS[form].model_construct(**{**data, **parts, **cases})
