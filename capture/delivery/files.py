"""Files, tables, images and plots on their way to a backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import runs
from capture.delivery.adapter import Adapter
from capture.delivery.appended import Appended
from capture.records import File

MODIFIED = "modified"  # in a file's metadata: when it was last written, in Unix seconds
MOST_NOTES = 3  # on versions that could not be handed over


class Files(Appended[File]):
    """What `files.jsonl` lists, as far as the backend can show it and the version is still there."""

    what, file = "file", runs.FILES

    def __init__(self, folder: Path, shown: Collection[str], position: int = 0) -> None:
        """The backend shows the kinds that are `shown`."""
        super().__init__(folder, position)
        self._folder, self._shown = folder, shown
        self._not_shown: Counter[str] = Counter()
        self._lost: dict[str, None] = {}

    def item(self, values: Mapping[str, Any], number: int) -> File:
        """A file."""
        metadata = dict(values.get("metadata") or {})
        if values.get("modified") is not None:
            metadata[MODIFIED] = float(values["modified"])
        return File(
            number,
            str(values["kind"]),
            str(values["type"]),
            str(values["name"]),
            self._folder / values["path"],
            float(values["time"]),
            values.get("size"),
            values.get("digest"),
            [str(alias) for alias in values.get("aliases") or []],
            metadata,
        )

    def hand_over(self, adapter: Adapter, items: Sequence[File]) -> None:
        """To the backend's artifacts, tables and media; `items` is one, since each may be large."""
        for item in items:
            if item.kind not in self._shown:
                self._not_shown[item.kind] += 1
            elif problem := _changed(item):
                self._lost[f"{item.name}: {problem}"] = None
            else:
                adapter.file(item)

    def notes(self) -> list[str]:
        """What the backend has not got, and why."""
        notes = list(self._lost)
        if len(notes) > MOST_NOTES:
            notes = [*notes[:MOST_NOTES], f"{len(notes) - MOST_NOTES} more files are not delivered, either"]
        if self._not_shown:
            counts = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in self._not_shown.items()]
            notes.append(f"can't show files of this kind: {', '.join(counts)}; see {runs.FILES}")
        return notes


def _changed(item: File) -> str:
    """Why this version can't be had any more; empty if it can."""
    try:
        state = item.path.stat()
    except OSError:
        return "was removed before it was delivered"
    modified = item.metadata.get(MODIFIED)
    if item.kind != "file" or item.size is None or modified is None:
        return ""
    same = state.st_size == item.size and abs(state.st_mtime - modified) < 1e-6
    return "" if same else "a version was replaced before it was delivered"
