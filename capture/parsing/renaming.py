"""Metrics under other names: `rename:`, `drop:`, `scale:` and `rewrite:`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from capture.language.model import Naming, Rewriting

MOST_NAMES = 1000


class _Names(dict[str, str]):
    """The new name of each metric, computed when it is first asked for."""

    def __init__(self, rename: Mapping[str, str], rewrite: Mapping[str, str], prefix: str) -> None:
        self._rename, self._prefix = rename, prefix
        self._rewrite = [(re.compile(old), replacement) for old, replacement in rewrite.items()]

    def __missing__(self, name: str) -> str:
        if len(self) >= MOST_NAMES:  # the program prints ever new ones
            self.clear()
        new = self._rename.get(name, name)
        for old, replacement in self._rewrite:
            new = old.sub(replacement, new)
        self[name] = new = self._prefix + new
        return new


class Renaming:
    """Changes the names and values of metrics.

    namings: whose `rename:`, `drop:`, `scale:` and `rewrite:` count, the innermost first: its names and
        scales win over the outer ones, and it is the first to rewrite
    prefix: what comes before each new name
    """

    def __init__(self, *namings: Naming, prefix: str = "") -> None:
        rename: dict[str, str] = {}
        self._scale: dict[str, float] = {}
        self._drop: set[str] = set()
        for naming in reversed(namings):
            rename |= naming.rename
            self._scale |= naming.scale
            self._drop |= set(naming.drop)
        rewritings = [naming.rewrite for naming in namings if isinstance(naming, Rewriting)]
        rewrite = {old: new for rewriting in rewritings for old, new in rewriting.items()}
        self._names = _Names(rename, rewrite, prefix)

    def of(self, name: str) -> tuple[str, float | None] | None:
        """The new name of a metric and its factor, if it has one; None if the metric is dropped."""
        return None if name in self._drop else (self._names[name], self._scale.get(name))

    def __call__(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics that are not dropped, scaled and under their new names."""
        if self._drop or self._scale:
            scale, drop = self._scale, self._drop
            metrics = {
                name: value * scale.get(name, 1) for name, value in metrics.items() if name not in drop
            }
        names = self._names
        # Always the same NaN: it equals itself in a dict, so a bar's NaN is not new each time.
        return {names[name]: value if value == value else math.nan for name, value in metrics.items()}
