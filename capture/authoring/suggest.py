"""Suggests a parser for lines that no pattern reads and that recur with other numbers.

Names are guessed from the words beside the numbers: a draft that works, for a person to correct.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from capture.authoring import samples
from capture.language.checked_yaml import Source
from capture.language.library import load
from capture.language.model import Sample
from capture.language.numbers import NUMBER

MIN_LINES = 3  # of one kind, before a pattern is made of them
MAX_KINDS = 100  # that are tried, the most frequent first
MAX_PATTERNS = 10
MAX_KEPT = 1000  # lines of one kind

_CLOCK = r"(?:\d+:)?\d+:\d\d(?:\.\d+)?"
# 0:01:02   3/25   0.5   12ms, but neither the 50 of mAP50 nor 1.2.3
_VALUE = re.compile(
    rf"(?<![\w.:/])(?:(?P<clock>{_CLOCK})|(?P<of>\d+\s?/\s?\d+)|(?P<number>{NUMBER}))"
    r"(?=[A-Za-zµ]{0,4}(?:[^\w.:]|[.:](?!\d)|$))"
)
_NAME = re.compile(r"([A-Za-z_][\w.@-]*(?:[ /][A-Za-z_][\w.@-]*)?)\s*(?:\([A-Za-z]+\)\s*)?[:=|]?\s*[\[(]?$")
_UNIT = re.compile(r"\s?([A-Za-z]+(?:/[a-z]+)?)\b")
_COUNTERS = """
step iter iteration it batch update round episode generation gen game tree trial tick i t
"""
_STEPS = frozenset(_COUNTERS.split())
_TIMES = frozenset(["s", "ms", "us", "µs", "ns", "sec", "secs", "min", "m", "h"])
_FILLERS = frozenset(["is", "of", "at", "after", "to", "for", "the", "a", "in", "took"])


@dataclass
class _Kind:
    """Lines that differ in their numbers alone."""

    lines: list[str] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)  # of each line, from left to right


def suggest(lines: Iterable[str], name: str) -> str | None:
    """A parser, as YAML, called `name`, for the lines that recur; None if none has numbers that change."""
    patterns: list[str] = []
    texts: list[str] = []
    for kind in _kinds(lines)[:MAX_KINDS]:
        pattern, text = _pattern(kind), kind.lines[0]
        if pattern not in patterns and _gives(_parser(name, [pattern]), text):
            patterns.append(pattern)
            texts.append(text)
        if len(patterns) == MAX_PATTERNS:
            break
    if not patterns:
        return None
    data = _parser(name, patterns)
    return _yaml({**data, "samples": [{"text": text, "gives": _gives(data, text)} for text in texts]})


def _parser(name: str, patterns: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "patterns": [{"line": pattern} for pattern in patterns]}


def _kinds(lines: Iterable[str]) -> list[_Kind]:
    """The kinds of lines with numbers that recur, the most frequent first."""
    kinds: dict[str, _Kind] = {}
    for line in lines:
        text = " ".join(line.split())
        values = [found[0] for found in _VALUE.finditer(text)]
        if not values:
            continue
        kind = kinds.setdefault(_VALUE.sub("0", text), _Kind())
        if len(kind.lines) < MAX_KEPT:
            kind.lines.append(text)
            kind.values.append(values)
    found = [kind for kind in kinds.values() if len(kind.lines) >= MIN_LINES]
    return sorted(found, key=lambda kind: -len(kind.lines))


def _pattern(kind: _Kind) -> str:
    """The `line:` pattern for lines of this kind."""
    text, parts, taken, position = kind.lines[0], [], set[str](), 0
    found = list(_VALUE.finditer(text))
    columns = list(zip(*kind.values, strict=True))
    for index, (value, column) in enumerate(zip(found, columns, strict=True)):
        before = text[position : value.start()]
        parts.append(before.replace("{", "{{").replace("}", "}}"))
        position = value.end()
        if value["clock"]:
            parts.append("{_:duration}")
        elif len(set(column)) == 1:
            parts.append(value[0])  # always the same: a setting
        elif value["of"]:
            name = "epoch" if re.search(r"(?i)epoch\W*$", before) else "step"
            parts.append(f"{{{'_' if name in taken else name}:of}}")
            taken.add(name)
        else:
            parts.append(_field(before, text[position:], column, taken, first=index == 0))
    return "".join([*parts, text[position:].replace("{", "{{").replace("}", "}}")])


def _field(before: str, after: str, column: Sequence[str], taken: set[str], first: bool) -> str:
    """The field of a `line:` pattern for a number that changes.

    `before` and `after` are the text around it, up to the number before it and to the end of the line;
    `column` is the number in each line of the kind; `taken` are the names that the pattern has already, to
    which the new one is added; `first` says that it is the first number of the line.
    """
    match = _NAME.search(before)
    words = [word for word in match[1].split(" ") if word.lower() not in _FILLERS] if match else []
    whole = all(re.fullmatch(r"\d+", value) for value in column)
    counts = whole and all(int(a) <= int(b) for a, b in zip(column, column[1:]))
    last = words[-1].lower() if words else ""
    if last == "epoch" and "epoch" not in taken:
        taken.add("epoch")
        return "{epoch}"
    if (last in _STEPS or (not words and first)) and counts and "step" not in taken:
        taken.add("step")
        return "{step:int}"
    unit = _UNIT.match(after)
    if not words and (not unit or unit[1] in _TIMES):
        return "{_}"
    base = name = " ".join(words) if words else (unit or [""])[1]
    number = 1
    while name in taken or name in ("_", "key", "value"):
        number += 1
        name = f"{base} {number}"
    taken.add(name)
    return f"{{{name}}}"


def _gives(data: dict[str, Any], text: str) -> dict[str, Any] | None:
    """What the parser reads in a line, as the `gives:` of a sample; None if it reads nothing."""
    parser = load(Source(_yaml(data), data["name"]), samples=False)
    for record in samples.records(parser, Sample.model_construct(text=text, gives=[])):
        parts = {"step": record.step, "epoch": record.epoch, "metrics": dict(record.metrics)}
        return {name: value for name, value in parts.items() if value is not None}
    return None


def _yaml(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
