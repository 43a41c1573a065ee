"""The kinds of value that a pattern can name: `{name:kind}` in a `line:`, `%{KIND:name}` in a `regex:`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from capture.language.numbers import DURATION, INT, NUMBER, SI, Value, duration, number, si

WORD = r"[^\s,;|]+"
KEY = r"[A-Za-z_][\w./@%()-]*(?: [A-Za-z_][\w./@%()-]*){0,3}"


class Kind(NamedTuple):
    """The regular expression of a value, without groups, and how its text is read."""

    regex: str
    read: Callable[[str], Value]


KINDS: dict[str, Kind] = {
    "number": Kind(NUMBER, number),
    "int": Kind(INT, number),
    "word": Kind(WORD, str),
    "text": Kind(".*?", str.strip),
    "duration": Kind(DURATION, duration),
    "si": Kind(SI, si),
}
# The names of grok patterns, such as NUMBER in `%{NUMBER:loss}`: as in Logstash, Vector and grok_exporter.
GROK: dict[str, Kind] = {
    "NUMBER": KINDS["number"],
    "INT": KINDS["int"],
    "WORD": Kind(r"\w+", str),
    "NOTSPACE": Kind(r"\S+", str),
    "DATA": KINDS["text"],
    "GREEDYDATA": Kind(".*", str.strip),
    "DURATION": KINDS["duration"],
    "SI": KINDS["si"],
    "KEY": Kind(KEY, str),
}
