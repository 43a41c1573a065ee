"""Whose a line is: the value of a key in a JSON object, in the prefix of a launcher, or in a pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from capture.console import envelopes
from capture.console.prefixes import Prefixes, unix_time
from capture.errors import UserError

PREFIXES = ("rank", "worker")  # what a prefix may name: a rank; a pod, host, task or process
BODIES = ("log", "message", "line", "MESSAGE", "msg", "text")
MICROSECONDS = 16  # digits of a time of journald


class Line(NamedTuple):
    """A line of one member of the stream: the member, its text, when it was printed in Unix seconds."""

    member: str
    text: str
    time: float | None = None


def reader(by: str) -> Callable[[str], Line | None]:
    """What reads a line of the stream; it gives None for a line that is nobody's.

    `by` is the name of a field in JSON objects (`kubernetes.pod_name`: inside of another), `rank` or `worker`
    for prefixed lines, or a regular expression with one group, which a line begins with.  Raises UserError.
    """
    if "(" not in by:
        return _Named(by)
    try:
        pattern = re.compile(by)
    except re.error as error:
        raise UserError(f"--by {by}: not a regular expression: {error}") from None
    if pattern.groups < 1:
        raise UserError(f"--by {by}: a pattern should have a group for the key, such as '^(\\S+): '")

    def read(text: str) -> Line | None:
        found = pattern.match(text)
        return Line(found[1], text[found.end() :]) if found and found[1] else None

    return read


class _Named:
    """Reads JSON objects and prefixed lines."""

    def __init__(self, by: str) -> None:
        self._by = by
        self._prefixes = Prefixes()

    def __call__(self, text: str) -> Line | None:
        if text.lstrip()[:1] == "{" and (line := self._of_object(text)):
            return line
        (first, *_) = self._prefixes.peel(text)
        view = next((view for view in first.views if view.context), None)
        if view is None:
            return None
        member = view.context.get(self._by)
        if member is None and self._by not in PREFIXES:  # `pod`, `host`: whatever the prefix calls it
            member = view.context.get("worker")
        return None if member is None else Line(str(member), view.text, unix_time(first.stamp))

    def _of_object(self, text: str) -> Line | None:
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(fields, dict) or (member := _field(fields, self._by)) is None:
            return None
        opened = envelopes.unwrap(text)
        if opened is not None:
            return Line(member, opened.text, _time(opened.stamp))
        body = next((fields[name] for name in BODIES if isinstance(fields.get(name), str)), None)
        numbers = any(isinstance(value, float) for value in fields.values())
        return Line(member, text if body is None or numbers else body.rstrip("\r\n"))


def _field(fields: Mapping[str, Any], path: str) -> str | None:
    """The value of a field, whose name may hold dots itself; None if there is none, or it is empty."""
    if path in fields:
        value = fields[path]
        return str(value) if isinstance(value, (str, int)) and value != "" else None
    for at, character in enumerate(path):
        inner = fields.get(path[:at]) if character == "." else None
        if isinstance(inner, dict) and (found := _field(inner, path[at + 1 :])) is not None:
            return found
    return None


def _time(stamp: str) -> float | None:
    if len(stamp) == MICROSECONDS and stamp.isdigit():
        return int(stamp) / 1e6
    return unix_time(stamp)
