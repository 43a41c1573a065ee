"""Fits: one program may train several times; step and epoch starting over is a new fit."""

from __future__ import annotations

from dataclasses import dataclass

Position = tuple[float, float]


@dataclass
class _Series:
    fit: int
    first: Position
    last: Position


class Fits:
    """Tells which fit a metric belongs to: the first one is 1."""

    def __init__(self) -> None:
        self._fit: dict[str, int] = {}
        self._series: dict[tuple[str, str], _Series] = {}

    def number(self, parser: str, metric: str, step: int | None, epoch: float | None) -> int:
        """The fit of a metric that came at this step and epoch.

        A step that only comes again (the best one, repeated at the end) starts no new fit: the count
        has to be back where this metric began.
        """
        fit = self._fit.setdefault(parser, 1)
        if step is None and epoch is None:
            return fit
        position = (
            float("-inf") if epoch is None else epoch,
            float("-inf") if step is None else step,
        )
        series = self._series.get((parser, metric))
        if series is not None and series.fit == fit:
            if not (position <= series.first and position < series.last):
                series.last = position
                return fit
            fit = self._fit[parser] = fit + 1
        self._series[parser, metric] = _Series(fit, position, position)
        return fit
