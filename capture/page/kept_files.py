"""What a run has kept beside its metrics: each name as its latest version, and what a page shows of it."""

from __future__ import annotations

import base64
import json
import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from capture.delivery.stored_run import StoredRun
from capture.files import svg
from capture.redaction import Redactor

LARGEST_IMAGE = 1 << 20  # bytes of one on a page ...
MOST_IMAGES = 20 << 20  # ... and of all
MOST_ROWS = 1000  # of a table on a page
MOST_SHOWN = 200  # images, tables and plots on a page


class KeptFile(NamedTuple):
    """A file, table, image or plot: its latest version, and how many there are."""

    kind: str
    type: str
    name: str
    versions: int
    size: int | None  # bytes
    time: float | None  # Unix seconds
    digest: str
    aliases: Sequence[str]  # of this version; of another one with its number: `best (v3)`
    path: str


def of(stored: StoredRun) -> list[KeptFile]:
    """What a run has kept, in the order in which it appeared.  Lines that are no entries are left out."""
    versions: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in stored.files:
        if all(isinstance(item.get(key), str) for key in ("kind", "type", "name", "path")):
            versions.setdefault((item["kind"], item["name"]), []).append(item)
    return [_kept(items) for items in versions.values()]


def _kept(items: list[dict[str, Any]]) -> KeptFile:
    last = items[-1]
    holders = {alias: number for number, item in enumerate(items) for alias in item.get("aliases") or []}
    shown = [
        str(alias) if number == len(items) - 1 else f"{alias} (v{number})"
        for alias, number in holders.items()
    ]
    size, time = last.get("size"), last.get("time")
    return KeptFile(
        last["kind"],
        last["type"],
        last["name"],
        len(items),
        size if isinstance(size, int) else None,
        time if isinstance(time, (int, float)) else None,
        str(last.get("digest") or ""),
        shown,
        last["path"],
    )


def on_page(stored: StoredRun, redactor: Redactor, public: bool) -> list[dict[str, Any]]:
    """The same for a page, with images and plots as `picture`, and tables as `columns` and `rows`.

    `public` leaves out where the files lie.
    """
    room = MOST_IMAGES
    found = []
    for number, one in enumerate(of(stored)):
        item = one._asdict()
        del item["path"]
        if not public and one.kind == "file":
            item["path"] = redactor.text(one.path)
        if number < MOST_SHOWN and one.kind != "file":
            try:
                item |= _shown(one, room)
            except (OSError, ValueError, KeyError, TypeError, IndexError):
                item["missing"] = True  # removed since, or damaged
        room -= len(item.get("picture", ""))
        found.append(item)
    return found


def _shown(one: KeptFile, room: int) -> dict[str, Any]:
    path = Path(one.path)
    if one.kind == "table":
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = content["rows"]
        return {"columns": content["columns"], "rows": rows[:MOST_ROWS], "count": len(rows)}
    if one.kind == "plot":
        return {
            "picture": _uri(
                "image/svg+xml", svg.picture(one.type, one.name, json.loads(path.read_text())).encode()
            )
        }
    size = os.stat(path).st_size
    if size > LARGEST_IMAGE or size > room:
        return {"large": True}
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return {"picture": _uri(kind, path.read_bytes())}


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def size_of(size: int | None) -> str:
    """A size for people: 512 B, 1.2 MB."""
    if size is None:
        return ""
    number, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.3g} {unit}"
