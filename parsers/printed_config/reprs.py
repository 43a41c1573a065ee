"""Objects as text: the names and values in reprs, dicts, JSON and `name=value, ...`."""

from __future__ import annotations

import re

from capture.language.literals import literal

DEEPEST = 16
MOST_VALUES = 500

# A quote behind a backslash begins none: of thousands each would be followed to the line's end.
_STRING = r"(?<!\\)(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
_MARK = re.compile(rf"{_STRING}|(?P<open>[\[({{])|(?P<close>[\])}}])|(?P<comma>,)|(?P<equals>[:=])")
_OBJECT = re.compile(r"(?P<name>[A-Za-z_][\w.]*)?\s?(?P<open>[({])(?P<body>.*)[)}]", re.S)
_NAME = re.compile(r"[A-Za-z_][\w ./+-]{0,80}")
_ENUM = re.compile(r"<[\w.]+: (.*)>|<class '(.*)'>", re.S)  # <IntervalStrategy.STEPS: 'steps'>

Pairs = list[tuple[str, str]]
_Parts = list[tuple[str, str | None]]


def open_brackets(text: str) -> int:
    """How many brackets are open at the end of the text; those in strings don't count."""
    marks = [mark.lastgroup for mark in _MARK.finditer(text)]
    return marks.count("open") - marks.count("close")


def pairs(text: str) -> Pairs:
    """The names in `Name(a=1, b={'c': 2})`, `{"a": 1}` or `a=1, b=2`, with the text of each value.

    What is inside of `a` is `a.b`.  There are none where the text is anything else.
    """
    match = _OBJECT.fullmatch(text.strip())
    return _entries(match["body"] if match else text, "", 0)[:MOST_VALUES]


def entry(name: str, value: str, depth: int = 0) -> Pairs:
    """One name and its value: several where that is an object that has values of its own."""
    enum = _ENUM.fullmatch(value)
    if enum:
        value = enum[1] or enum[2]
    match = _OBJECT.fullmatch(value)
    if match and (match["name"] or match["open"] == "{"):
        inner = _entries(match["body"], f"{name}.", depth + 1) if depth < DEEPEST else []
        if inner:
            return inner
        parts = _split(match["body"])
        if match["name"] and len(parts) == 1 and parts[0][1] is None:  # PosixPath('out'), tensor(0.5)
            value = parts[0][0]
    return [(name, value)]


def _entries(body: str, path: str, depth: int) -> Pairs:
    found: Pairs = []
    for key, value in _split(body):
        name = str(literal(key))
        if value is None or not _NAME.fullmatch(name):
            return []
        found += entry(f"{path}{name}", value, depth)
    return found


def _split(body: str) -> _Parts:
    """The parts between the outer commas, each as what is before and after its first `:` or `=`."""
    found: _Parts = []
    depth = start = 0
    equals: int | None = None
    for mark in _MARK.finditer(body):
        kind = mark.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif depth == 0 and kind == "equals" and equals is None:
            equals = mark.start()
        elif depth == 0 and kind == "comma":
            found.append(_part(body, start, equals, mark.start()))
            start, equals = mark.end(), None
    last = _part(body, start, equals, len(body))
    return [*found, last] if last[0] else found


def _part(body: str, start: int, equals: int | None, end: int) -> tuple[str, str | None]:
    if equals is None:
        return body[start:end].strip(), None
    return body[start:equals].strip(), body[equals + 1 : end].strip()
