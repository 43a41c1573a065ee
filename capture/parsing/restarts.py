"""Steps and epochs that start over: one run may train several times, or be started again.

A program that trains several models one after the other counts from its first step for each.  Each of them
is a training of its own, numbered from 1; records name it as `fit` in their context.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_NEVER = float("-inf")
_Key = str | tuple[str, frozenset[tuple[str, Any]]]  # a metric; and what its context tells apart
_new = tuple.__new__


class Position(NamedTuple):
    """Where in the run a metric was printed; step and epoch count over all starts of the command."""

    training: int
    step: int | None
    epoch: float | None


@dataclass(slots=True)
class _Counter:
    """The steps or the epochs of one parser, counted over all starts of the command."""

    first: float | None = None
    highest: float = _NEVER
    added: float = 0  # to what the program prints
    restarted: bool = False  # the command was started again, and has printed no value since

    def total(self, printed: Any) -> Any:
        """The printed value as the whole run counts it: a whole number if that is one."""
        if self.restarted:
            self.restarted = False
            if self.first is not None and printed <= self.first:
                self.added = self.highest + (self.first == 0)  # a count from 0 has one value more
        value = printed + self.added
        if value > self.highest:
            if self.first is None:
                self.first = value
            self.highest = value
        return value


@dataclass(slots=True)
class _Series:
    """The epochs and steps at which one metric was printed in one training."""

    training: int
    first: tuple[float, float]
    last: tuple[float, float]


@dataclass(slots=True)
class _Place:
    """How far the programs are whose lines one parser reads.

    training: the number of the last one
    series: by the first metric of a line
    beside: by each metric of a line with an epoch
    """

    steps: _Counter = field(default_factory=_Counter)
    epochs: _Counter = field(default_factory=_Counter)
    training: int = 1
    series: dict[_Key, _Series] = field(default_factory=dict)
    beside: dict[_Key, _Series] = field(default_factory=dict)


class Restarts:
    """Tells where in the run a metric was printed, by the step and the epoch printed with it.

    After a resumption the count goes on: a program that begins at its first step again is moved behind
    what was there, one that carries the true step is left as it is.
    """

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}  # by parser

    def resume(self) -> None:
        """The command was started again."""
        for place in self._places.values():
            place.steps.restarted = place.epochs.restarted = True

    def locate(
        self,
        parser: str,
        metrics: Collection[str],
        context: Mapping[str, Any],
        step: int | None,
        epoch: float | None,
    ) -> Position:
        """The position of metrics that a parser has read together, in this context, step and epoch.

        What the context tells apart has steps of its own: a validation bar's first step begins no new
        training.  Nor does a step that is only repeated (the best one, at the end): the count has to be
        back where the first metric began.  The end of an epoch that names no step is behind all its steps.
        If the first metric is new itself, the next model may print other metrics than the one before: then
        the epochs of the others have to be back.
        """
        place = self._places.get(parser)
        if place is None:
            place = self._places[parser] = _Place()
        if step is not None:
            step = place.steps.total(step)
        if epoch is not None:
            epoch = place.epochs.total(epoch)
        elif step is None:
            return Position(place.training, None, None)
        position = (_NEVER if epoch is None else epoch, _NEVER if step is None else step)
        first = next(iter(metrics), "")
        key: _Key = (first, frozenset(context.items())) if context else first
        series = place.series.get(key)
        if series is not None and series.training == place.training:
            if step is None:
                is_back = position[0] <= series.first[0] and position[0] < series.last[0]
            else:
                is_back = position <= series.first and position < series.last
            if not is_back:
                series.last = position
                return _new(Position, (place.training, step, epoch))  # half the time of `Position(...)`
            place.training += 1
        elif series is None and epoch is not None:
            beside = map(place.beside.get, _keys(metrics, context))
            if any(s and s.training == place.training and epoch <= s.first[0] < s.last[0] for s in beside):
                place.training += 1
        series = place.series[key] = _Series(place.training, position, position)
        if epoch is not None:
            place.beside |= dict.fromkeys(_keys(metrics, context), series)
        return Position(place.training, step, epoch)


def _keys(metrics: Collection[str], context: Mapping[str, Any]) -> Collection[_Key]:
    """The key of each metric."""
    if not context:
        return metrics
    apart = frozenset(context.items())
    return [(metric, apart) for metric in metrics]
