"""Which files fit a pattern: a bounded walk that follows no link out of the command's folder."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from functools import lru_cache

from capture.files.rules import Rule, is_wild

MOST_ENTRIES = 100_000  # looked at in one walk
# Never entered by `**`: what is no result of a run, and large.
SKIPPED = ("node_modules", "__pycache__", "site-packages", "capture-runs")


class TooMany(Exception):
    """There is more below a pattern's folder than is looked through."""


class LeadsOut(Exception):
    """The pattern leads out of the command's folder."""


def find(rule: Rule, folder: str) -> Iterator[str]:
    """The paths that fit a rule, of files and, for artifacts, of folders; relative ones are from `folder`.

    Raises LeadsOut, TooMany.
    """
    parts = rule.pattern.split("/")
    fixed = next((i for i, part in enumerate(parts) if is_wild(part)), len(parts) - 1)
    start = "/".join(parts[:fixed])
    top = os.path.join(folder, start) if start or not rule.pattern.startswith("/") else "/"
    root = None if rule.anywhere else os.path.realpath(folder)
    if root is not None and not _inside(os.path.realpath(top), root):
        raise LeadsOut
    walk = _Walk(None if root is None else root)
    for path in walk.below(top, parts[fixed:]):
        shown = os.path.join(start, os.path.relpath(path, top)) if start else os.path.relpath(path, top)
        yield "/" + shown.lstrip("/") if rule.pattern.startswith("/") else shown


class _Walk:
    """One walk; `root` is the folder that no link may lead out of, None where any may."""

    def __init__(self, root: str | None) -> None:
        self._root = root
        self._left = MOST_ENTRIES

    def below(self, folder: str, parts: list[str]) -> Iterator[str]:
        """What fits the parts of a pattern in a folder."""
        part, rest = parts[0], parts[1:]
        if part == "**":
            if rest:
                yield from self.below(folder, rest)
            else:  # all files, and no folder as one
                yield from (e.path for e in self._matching(folder, "*") if self._allowed(e) and e.is_file())
            for entry in self._entries(folder):
                hidden = entry.name.startswith(".") or entry.name in SKIPPED
                if not hidden and entry.is_dir(follow_symlinks=False):
                    yield from self.below(entry.path, parts)
            return
        for entry in self._matching(folder, part):
            if not rest:
                if self._allowed(entry):
                    yield entry.path
            elif self._is_folder(entry):
                yield from self.below(entry.path, rest)

    def _matching(self, folder: str, part: str) -> Iterator[os.DirEntry[str]]:
        expression = _expression(part)
        for entry in self._entries(folder):
            if expression.match(entry.name) and (part.startswith(".") or not entry.name.startswith(".")):
                yield entry

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = []
                for entry in entries:
                    found.append(entry)
                    self._left -= 1
                    if self._left < 0:
                        raise TooMany
        except OSError:  # gone, or not ours to look into
            return []
        return sorted(found, key=lambda entry: entry.name)

    def _allowed(self, entry: os.DirEntry[str]) -> bool:
        return not entry.is_symlink() or (
            os.path.exists(entry.path)
            and (self._root is None or _inside(os.path.realpath(entry.path), self._root))
        )

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir() and self._allowed(entry)
        except OSError:
            return False


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


@lru_cache(maxsize=256)
def _expression(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))
