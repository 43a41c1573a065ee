"""JSON of many small objects, by orjson: many times as fast as the standard library's, with the same values.

What orjson does not know (whole numbers beyond 64 bits, lone surrogates) is left to the standard library.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19  # digits: may be a whole number that orjson would round


def dumps(item: Any) -> bytes:
    """The item as JSON on one line, without spaces.  Raises TypeError for what JSON has no form for."""
    try:
        return orjson.dumps(item)
    except TypeError:
        return json.dumps(item, ensure_ascii=True, separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """What JSON says.  Raises ValueError."""
    if _LONG in data.translate(_ZEROS):  # ten times as fast as an expression
        return json.loads(data)
    try:
        return orjson.loads(data)
    except ValueError:
        return json.loads(data)
