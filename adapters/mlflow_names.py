"""The names that MLflow allows."""

from __future__ import annotations

import posixpath
import re

LONGEST_NAME = 250


class Names:
    """The names that MLflow allows: letters, digits and `_-. :/`.  No two become one."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """The name to use for this one."""
        if name not in self._known:
            short = free = legal(name)
            number = 1
            while free in self._taken:
                number += 1
                free = f"{short[: LONGEST_NAME - 6]}_{number}"
            self._known[name] = free
            self._taken.add(free)
        return self._known[name]


def legal(name: str) -> str:
    """The name with what MLflow does not allow replaced; it has to be a tidy path, too."""
    tidy = posixpath.normpath(re.sub(r"[^\w/.\- :]", "_", name)).lstrip("/")
    tidy = re.sub(r"(^|/)\.\.(?=/|$)", r"\1__", tidy)
    return cut("_" if tidy in ("", ".") else tidy, LONGEST_NAME).rstrip("/")


def cut(text: str, most: int) -> str:
    """The text, of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
