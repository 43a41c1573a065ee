"""Default names of runs: what the command is called, a number, and what differs from the runs before it.

`train-3 lr=0.1`.  Each start adds a line to a file in the project's folder, at once and as a whole: so runs
that begin at the same moment have numbers of their own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence

from capture.redaction import MASK
from capture.runs.model import PathLike

FILE = "names.jsonl"
COMPARED, RECENT = 50, 1 << 16  # runs before, of so many bytes
LONGEST, LONGEST_VALUE = 48, 20  # characters
_SCRIPTS = (".py", ".sh", ".R", ".jl", ".lua")
_PLAIN = re.compile(r"[\w.@+:,/-]+")
_NEGATIVE = re.compile(r"-\.?\d")


def called(command: Sequence[str]) -> str:
    """What the command is called: the script or the module if there is one, else the program."""
    for index, word in enumerate(command[1:], 2):
        following = command[index] if index < len(command) else ""
        if word == "-m" and following:
            return following.rpartition(".")[2]
        if word.endswith(_SCRIPTS):
            return os.path.splitext(os.path.basename(word))[0]
    return os.path.basename(command[0])


def default(project: PathLike, name: str, run_id: str, command: Sequence[str]) -> str:
    """Return the name of a run that the user has not named.

    `project` is the folder of the project's runs, which is made; `name` is what the run's name begins with;
    `command` may be empty.  Raises OSError where nothing can be written.
    """
    options = dict(_options(command))
    count, last = _add(os.path.join(project, FILE), [name, run_id, options])
    others = [item for line in last if (item := _read(line)) is not None]
    shown = f"{name}-{count + 1}"
    for key, value in options.items():
        if others and all(other.get(key) == value for other in others):
            continue
        part = f" {value}" if key.isdigit() or value == key else f" {key}={value}"
        if len(shown) + len(part) <= LONGEST:
            shown += part
    return shown


def _add(path: str, item: list[object]) -> tuple[int, list[bytes]]:
    """Add a line to the file.  Returns how many lines before it have the same name, and the last of them."""
    line = json.dumps(item).encode() + b"\n"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        os.write(file, line)
        with open(file, "rb", closefd=False) as reader:
            reader.seek(0)
            data = reader.read()
    finally:
        os.close(file)
    same = json.dumps(item[:1]).encode()[:-1] + b", "
    before = b"\n" + data[: data.index(line)]
    last = [other for other in before[-RECENT:].split(b"\n") if other.startswith(same)]
    return before.count(b"\n" + same), last[-COMPARED:]


def _read(line: bytes) -> dict[str, str] | None:
    try:
        options = json.loads(line)[2]
    except (ValueError, IndexError, TypeError):
        return None
    return options if isinstance(options, dict) else None


def _options(command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a command line says: options, pairs, and other words under their number."""
    name = called(command) if command else ""
    start = next((i for i, word in enumerate(command) if name in word), 0)
    words = list(command[start + 1 :])
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        before = words[index - 1] if index else ""
        key, equals, value = word.lstrip("-").partition("=")
        if not _is_option(word):
            if equals:
                yield from _part(key, value)
            elif not _is_option(before) or "=" in before:
                yield from _part(str(index), word)
        elif equals:
            yield from _part(key, value)
        elif key:
            yield from _part(key, following if following and not _is_option(following) else key)


def _is_option(word: str) -> bool:
    return word.startswith("-") and not _NEGATIVE.match(word)


def _part(key: str, value: str) -> Iterator[tuple[str, str]]:
    """The option, if it is short enough to be part of a name."""
    value = os.path.basename(value.rstrip("/"))
    if len(value) <= LONGEST_VALUE and value != MASK and _PLAIN.fullmatch(value) and _PLAIN.fullmatch(key):
        yield key, value
