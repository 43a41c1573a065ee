"""Fits: one program may train several times; step and epoch starting over is a new fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Position = tuple[float, float]
_NEVER = float("-inf")


@dataclass
class _Series:
    fit: int
    first: Position
    last: Position


class Fits:
    """Tells which fit a metric belongs to: the first one is 1."""

    def __init__(self) -> None:
        self._fit: dict[str, int] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}

    def number(
        self, parser: str, metric: str, context: Mapping[str, Any], step: int | None, epoch: float | None
    ) -> int:
        """The fit of a metric that came at this step and epoch.

        What the context tells apart has steps of its own: a validation bar's first step is no new fit.
        A step that only comes again (the best one, repeated at the end) starts no new fit: the count
        has to be back where this metric began.
        """
        fit = self._fit.setdefault(parser, 1)
        if step is None and epoch is None:
            return fit
        position = (_NEVER if epoch is None else epoch, _NEVER if step is None else step)
        key = (parser, metric, str(sorted(context.items())) if context else "")
        series = self._series.get(key)
        if series is not None and series.fit == fit:
            if not (position <= series.first and position < series.last):
                series.last = position
                return fit
            fit = self._fit[parser] = fit + 1
        self._series[key] = _Series(fit, position, position)
        return fit
