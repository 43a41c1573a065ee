"""What checking a file has shown, remembered until the file changes.

The checks need pydantic and YAML, which are slow to import.  Looking up what they have shown is on the way of
every start: the standard library only.  What is not certain is not remembered: an entry that is torn, that
another version has written or that others could have written is made anew.
"""

from __future__ import annotations

import binascii
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
            if not _is_ours(os.fstat(file.fileno())) or not _is_ours(os.stat(_folder())):
                return None
            entry = json.load(file)
        # The key, too: the names of two entries may coincide.
        if [entry["version"], entry["key"]] != [__version__, _key(path, kind)]:
            return None
        if entry["sum"] != binascii.crc32(entry["item"].encode()):
            return None
        return (
            json.loads(entry["item"]) if all(_stamp(name) == was for name, was in entry["stamps"]) else None
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # not there, or torn


def remember(path: str, kind: str, item: Any, files: Iterable[str]) -> None:
    """Remember `item`, plain data, until one of `files` changes."""
    stamps = [[name, _stamp(name)] for name in files]
    place, folder = _entry(path, kind), _folder()
    draft = f"{place}.{os.getpid()}"
    try:
        text = json.dumps(item)
        entry: dict[str, Any] = {"version": __version__, "key": _key(path, kind), "stamps": stamps}
        entry |= {"sum": binascii.crc32(text.encode()), "item": text}
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_ours(os.stat(folder)):
            os.chmod(folder, 0o700)  # fails where it is another user's
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(entry, file)
        os.replace(draft, place)
    except (OSError, TypeError, ValueError):
        pass  # slower the next time, not wrong


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody else could have written it, as far as the system knows users."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _key(path: str, kind: str) -> list[str]:
    return [os.path.abspath(path), kind]


def _folder() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "capture")


def _entry(path: str, kind: str) -> str:
    name = "".join(c if c.isalnum() else "-" for c in f"{os.path.abspath(path)}-{kind}")[-180:]
    return os.path.join(_folder(), f"{name}-py{sys.version_info[0]}{sys.version_info[1]}.json")


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size, status.st_ino]
