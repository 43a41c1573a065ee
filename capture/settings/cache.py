"""What checking a file has shown, remembered until the file changes.

The checks need pydantic and YAML, which are slow to import.  Looking up what they have shown is on the way of
every start: the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from capture import __version__


def recall(path: str, kind: str) -> Any:
    """What was remembered of the file at `path`; None if there is nothing, or a file has changed since.

    `kind` says what the file was checked as.
    """
    try:
        with open(_entry(path, kind), encoding="utf-8") as file:
            entry = json.load(file)
        # The key, too: the names of two entries may coincide.
        if [entry["version"], entry["key"]] != [__version__, _key(path, kind)]:
            return None
        return entry["item"] if all(_stamp(name) == stamp for name, stamp in entry["stamps"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or torn


def remember(path: str, kind: str, item: Any, files: Iterable[str]) -> None:
    """Remember `item`, plain data, until one of `files` changes."""
    stamps = [[name, _stamp(name)] for name in files]
    entry = {"version": __version__, "key": _key(path, kind), "stamps": stamps, "item": item}
    place = _entry(path, kind)
    try:
        text = json.dumps(entry)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        draft = f"{place}.{os.getpid()}"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, place)
    except (OSError, TypeError):
        pass  # slower the next time, not wrong


def _key(path: str, kind: str) -> list[str]:
    return [os.path.abspath(path), kind]


def _entry(path: str, kind: str) -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    name = "".join(c if c.isalnum() else "-" for c in f"{os.path.abspath(path)}-{kind}")[-180:]
    return os.path.join(base, "capture", f"{name}-py{sys.version_info[0]}{sys.version_info[1]}.json")


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size, status.st_ino]
