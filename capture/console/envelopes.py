"""What log collectors wrap lines in: JSON of Docker, Fluent Bit, Vector and Loki; RFC 5424 of syslog.

The line of the program is one field, beside its time and who printed it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_BODIES = ("log", "message", "line", "MESSAGE")
_TIMES = ("time", "timestamp", "date", "@timestamp", "ts", "asctime", "__REALTIME_TIMESTAMP")
_NAMES = ("pod_name", "pod", "container_name", "container", "hostname", "host", "_HOSTNAME", "instance")
_MARKS = (
    "stream", "kubernetes", "source_type", "labels", "host", "hostname", "container_name", "docker",
    "_HOSTNAME", "level", "levelname", "severity",
)  # fmt: skip
_PLACES = frozenset(["pid", "process", "thread", "line", "lineno"])
_SYSLOG = re.compile(  # <165>1 2026-11-20T13:26:40.003Z node1 train 1234 - - step 1
    r"<\d{1,3}>1 (?P<time>\S+) (?P<host>\S+) \S+ \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: \ufeff?|$)"
)


class Opened(NamedTuple):
    """A line out of its envelope: its text, its time, and who printed it, as far as they are known."""

    text: str
    stamp: str
    context: Mapping[str, Any]


def unwrap(text: str) -> Opened | None:
    """The line in an envelope; None if the text is none.

    An object of a program's own logger (`{"time": ..., "message": ..., "loss": 0.5}`) is none: it says
    nothing of who collected it, or has numbers beside its message.
    """
    if text[:1] == "<":
        found = _SYSLOG.match(text)
        return Opened(text[found.end() :], found["time"], _printed_by(found["host"])) if found else None
    if not text.rstrip().endswith("}") or not any(f'"{body}"' in text for body in _BODIES):
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    body = next((fields[name] for name in _BODIES if isinstance(fields.get(name), str)), None)
    time = next((name for name in _TIMES if name in fields), None)
    if body is None or time is None or not any(mark in fields for mark in _MARKS):
        return None
    numbers = {name for name, value in fields.items() if isinstance(value, (int, float))}
    if numbers - _PLACES - {time}:
        return None
    return Opened(body.rstrip("\r\n"), str(fields[time]), _printed_by(_name(fields)))


def _name(fields: Mapping[str, Any]) -> str:
    """The name of the pod, container or host, the most precise first; empty if there is none."""
    nested = [fields[name] for name in ("kubernetes", "labels") if isinstance(fields.get(name), dict)]
    names = (group[name] for name in _NAMES for group in (*nested, fields) if name in group)
    return next((name for name in names if isinstance(name, str)), "")


def _printed_by(name: str) -> Mapping[str, Any]:
    return {"worker": name} if name and name != "-" else {}
