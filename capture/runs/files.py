"""The one door through which the JSON files of a run are read: what comes out has the right shape.

A file may be damaged, half copied, or not ours at all; one such run must not break what looks at all runs.
"""

from __future__ import annotations

import json
import os
from typing import Any

from capture.runs.model import PathLike, Run

Json = dict[str, Any]

# What a value may be, and how a message says it.  True and False are no numbers here.
_SHAPES: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "text"),
    "number": ((int, float), "a number"),
    "whole": ((int,), "a whole number"),
    "texts": ((list,), "a list of texts"),
    "object": ((dict,), "an object"),
}
_REQUIRED = {
    **dict.fromkeys(("id", "project", "name", "cwd", "host"), "text"),
    "command": "texts",
    "start": "number",
}
_OPTIONAL = {
    **dict.fromkeys(("state", "notes", "group", "process", "folder", "stopped_by"), "text"),
    **dict.fromkeys(("tags", "to"), "texts"),
    **dict.fromkeys(("config", "git", "settings"), "object"),
    "resumed": "whole",
    "made": "number",
}
_NULLABLE = {"end": "number", "exit_status": "whole", "pid": "whole", "parent": "text"}


def read_object(path: PathLike) -> Json:
    """The JSON object in a file.

    Raises OSError if it can't be read, ValueError, with the file's name and what is wrong, if it is none.
    """
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as file:
        try:
            item = json.load(file)
        except RecursionError:
            raise ValueError(f"{name}: nested too deeply") from None
        except ValueError as error:  # also of bytes that are no text
            raise ValueError(f"{name}: damaged: {error}") from None
    if not isinstance(item, dict):
        raise ValueError(f"{name}: should be an object, is {_kind(item)}")
    return item


def read_run(path: PathLike) -> Run:
    """The run that a `run.json` describes.

    Raises OSError if it can't be read, ValueError, with the file's name and what is wrong, if it is none.
    """
    name, item = os.path.basename(path), read_object(path)
    for field, shape in _REQUIRED.items():
        if field not in item:
            raise ValueError(f"{name}: has no {field!r}")
        _check(name, field, item[field], shape)
    for field, shape in _OPTIONAL.items():
        if field in item:
            _check(name, field, item[field], shape)
    for field, shape in _NULLABLE.items():
        if item.get(field) is not None:
            _check(name, field, item[field], shape)
    return Run(**{field: value for field, value in item.items() if field in Run._fields})


def _check(name: str, field: str, value: Any, shape: str) -> None:
    types, words = _SHAPES[shape]
    right = isinstance(value, types) and not isinstance(value, bool)
    if right and shape == "texts":
        right = all(isinstance(item, str) for item in value)
    if right and shape == "number":
        right = abs(value) < 1e12  # neither nan nor infinite, and a time
    if not right:
        raise ValueError(f"{name}: {field!r} should be {words}, is {_kind(value)}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return json.dumps(value)[:40]
