"""Fits: one program may train several times; step and epoch starting over is a new fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_Pair = tuple[float, float]
_NEVER = float("-inf")


@dataclass
class _Series:
    fit: int
    first: _Pair
    last: _Pair


class Position(NamedTuple):
    """Where in the run a metric stands."""

    fit: int
    step: int | None
    epoch: float | None


@dataclass
class _Span:
    """The steps and epochs of one parser: the first, the highest, and what is added after a resumption."""

    first: list[float | None] = field(default_factory=lambda: [None, None])
    highest: list[float | None] = field(default_factory=lambda: [None, None])
    added: list[float] = field(default_factory=lambda: [0, 0])
    due: list[bool] = field(default_factory=lambda: [False, False])

    def move(self, axis: int, value: float) -> float:
        """The value as the whole run counts it."""
        if self.due[axis]:
            self.due[axis] = False
            first, highest = self.first[axis], self.highest[axis]
            if first is not None and highest is not None and value <= first:
                self.added[axis] = highest + (first == 0)  # what is counted from 0 has one more
        value += self.added[axis]
        first, highest = self.first[axis], self.highest[axis]
        self.first[axis] = value if first is None else first
        self.highest[axis] = value if highest is None else max(highest, value)
        return value


class Restarts:
    """Tells where in the run a metric stands; the first fit is 1.

    After a resumption the count goes on: a program that begins at its first step again is moved behind
    what was there, one that carries the true step is left as it is.
    """

    def __init__(self) -> None:
        self._fit: dict[str, int] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}
        self._spans: dict[str, _Span] = {}

    def resume(self) -> None:
        """The program was started again."""
        for span in self._spans.values():
            span.due = [True, True]

    def place(
        self, parser: str, metric: str, context: Mapping[str, Any], step: int | None, epoch: float | None
    ) -> Position:
        """Where a metric stands that came at this step and epoch of its own program."""
        span = self._spans.setdefault(parser, _Span())
        step = None if step is None else int(span.move(0, step))
        epoch = None if epoch is None else span.move(1, epoch)
        return Position(self.number(parser, metric, context, step, epoch), step, epoch)

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
