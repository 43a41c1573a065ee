"""Metrics under other names: `rename:`, `drop:`, `scale:` and `rewrite:`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from capture.language.model import Naming, Rewriting

MOST_NAMES = 1000


class _Names(dict[str, str]):
    """New names of metrics, found out once for each."""

    def __init__(self, rename: Mapping[str, str], rewrite: Mapping[str, str], prefix: str) -> None:
        self._rename, self._prefix = rename, prefix
        self._rewrite = [(re.compile(old), replacement) for old, replacement in rewrite.items()]

    def __missing__(self, name: str) -> str:
        if len(self) >= MOST_NAMES:  # a program that prints ever new ones
            self.clear()
        new = self._rename.get(name, name)
        for old, replacement in self._rewrite:
            new = old.sub(replacement, new)
        self[name] = new = self._prefix + new
        return new


class Renaming:
    """Metrics changed as `rename:`, `drop:`, `scale:` and `rewrite:` say, the inner ones first."""

    def __init__(self, *namings: Naming, prefix: str = "") -> None:
        self.rename: dict[str, str] = {}
        self.scale: dict[str, float] = {}
        self.drop: set[str] = set()
        for naming in reversed(namings):
            self.rename |= naming.rename
            self.scale |= naming.scale
            self.drop |= set(naming.drop)
        rewritings = [naming.rewrite for naming in namings if isinstance(naming, Rewriting)]
        rewrite = {old: new for one in rewritings for old, new in one.items()}
        self._names = _Names(self.rename, rewrite, prefix)

    def __call__(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics under their new names."""
        if self.drop or self.scale:
            metrics = {n: v * self.scale.get(n, 1) for n, v in metrics.items() if n not in self.drop}
        names = self._names
        # Always the same NaN: it equals itself in a dict, so a bar's NaN is not new each time.
        return {names[n]: v if v == v else math.nan for n, v in metrics.items()}
