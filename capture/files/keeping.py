"""Makes an entry of `files.jsonl` of a file that is whole: its digest, and of small things what is shown.

Of tables and plots the numbers, and of images the bytes are kept in the run's folder, since the next version
replaces them at their place.  A file is not copied: whoever wants it reads it where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from capture import runs
from capture.files import plots, tables, whole
from capture.files.rules import Rule
from capture.files.whole import State

LARGEST_IMAGE = 16 << 20  # bytes
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".svg")


class CannotKeep(ValueError):
    """This version is nothing that can be kept; why in a sentence."""


class Kept:
    """What was made of a version: its entry, and what a user should know of it."""

    def __init__(self, item: dict[str, Any], notes: list[str]) -> None:
        self.item, self.notes = item, notes


def keep(
    rule: Rule, path: str, place: str, state: State, folder: Path, stop: Callable[[], bool]
) -> Kept | None:
    """Make an entry; `path` is as the rule has it, `place` is absolute, `folder` the run's.

    Returns None if `stop` says so.  Raises CannotKeep, OSError.
    """
    item: dict[str, Any] = {
        "time": time.time(),
        "kind": rule.kind,
        "type": rule.type_of(path),
        "name": rule.name_of(path),
        "path": place,
        "digest": None,
        "size": None if state.parts else state.size,
        "modified": state.modified / 1e9,
        "aliases": [],
    }
    notes: list[str] = []
    if rule.kind == "file":
        if (found := whole.digest(place, stop)) is None:
            return None
        return Kept({**item, "digest": found}, notes)
    item["source"] = place
    if rule.kind == "image":
        made = _image(rule, path, place, state, folder)
    else:
        with _sentences():
            made, notes = _numbers(rule, path, place, folder)
    return Kept({**item, **made}, notes)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (tables.NoTable, plots.NoPlot) as error:
        raise CannotKeep(str(error)) from None


def _image(rule: Rule, path: str, place: str, state: State, folder: Path) -> dict[str, Any]:
    ending = os.path.splitext(place)[1].lower()
    if ending not in IMAGES:
        raise CannotKeep(f"should be an image: {', '.join(one[1:] for one in IMAGES)}")
    if state.size > LARGEST_IMAGE:
        raise CannotKeep(f"it is larger than {LARGEST_IMAGE >> 20} MB; --save keeps it as a file")

    def copy(target: IO[bytes]) -> None:
        with open(whole.open_regular(place), "rb") as source:
            shutil.copyfileobj(source, target)

    return _stored(folder, runs.IMAGES, rule.name_of(path), ending, copy)


def _numbers(rule: Rule, path: str, place: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    readers: list[tables.TableReader] = []

    def table(target: IO[bytes]) -> None:
        text = _Encoder(target)
        readers.append(tables.write(place, text))  # type: ignore[arg-type]

    def plot(target: IO[bytes]) -> None:
        with tables.TableReader(place) as reader:
            readers.append(reader)
            content = plots.draw(rule.type, reader, rule.options)
        target.write(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))

    where, write = (runs.TABLES, table) if rule.kind == "table" else (runs.PLOTS, plot)
    made = _stored(folder, where, rule.name_of(path), ".json", write)
    return made, readers[0].notes


class _Encoder:
    """A text file on a file of bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode("utf-8", "replace"))


def _stored(
    folder: Path, where: str, name: str, ending: str, write: Callable[[IO[bytes]], None]
) -> dict[str, Any]:
    """Put what `write` writes into a folder of the run, in one step, under a name that its content gives."""
    place = folder / where
    place.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            size = file.tell()
            file.seek(0)
            found = hashlib.sha256()
            while piece := file.read(whole.PIECE):
                found.update(piece)
        stem = re.sub(r"[^\w.@+-]+", "-", name).strip(".-")[:80] or where
        target = f"{where}/{stem}-{found.hexdigest()[:8]}{ending}"
        os.replace(temporary, folder / target)
    except BaseException:
        os.unlink(temporary)
        raise
    return {"path": target, "digest": f"sha256:{found.hexdigest()}", "size": size}
