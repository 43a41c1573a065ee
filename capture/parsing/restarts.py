"""Steps and epochs that start over: one run may train several times, or be started again.

A program that trains several models one after the other counts from its first step for each.  Each of them
is a training of its own, numbered from 1; records name it as `fit` in their context.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_NEVER = float("-inf")


class Position(NamedTuple):
    """Where in the run a metric was printed; step and epoch count over all starts of the command."""

    training: int
    step: int | None
    epoch: float | None


@dataclass(slots=True)
class _Counter:
    """The steps or the epochs of one parser, counted over all starts of the command."""

    first: float | None = None
    highest: float | None = None
    added: float = 0  # to what the program prints
    restarted: bool = False  # the command was started again, and has printed no value since

    def total(self, printed: float) -> float:
        """The printed value as the whole run counts it."""
        if self.restarted:
            self.restarted = False
            if self.first is not None and self.highest is not None and printed <= self.first:
                self.added = self.highest + (self.first == 0)  # a count from 0 has one value more
        value = printed + self.added
        if self.highest is None:
            self.first = self.highest = value
        elif value > self.highest:
            self.highest = value
        return value


@dataclass(slots=True)
class _Counters:
    steps: _Counter = field(default_factory=_Counter)
    epochs: _Counter = field(default_factory=_Counter)


@dataclass(slots=True)
class _Series:
    """The epochs and steps at which one metric was printed in one training."""

    training: int
    first: tuple[float, float]
    last: tuple[float, float]


class Restarts:
    """Tells where in the run a metric was printed, by the step and the epoch printed with it.

    After a resumption the count goes on: a program that begins at its first step again is moved behind
    what was there, one that carries the true step is left as it is.
    """

    def __init__(self) -> None:
        self._training: dict[str, int] = {}  # by parser
        self._series: dict[tuple[str, str, str], _Series] = {}  # by the first metric of a line
        self._beside: dict[tuple[str, str, str], _Series] = {}  # by each metric of a line with an epoch
        self._counters: dict[str, _Counters] = {}

    def resume(self) -> None:
        """The command was started again."""
        for counters in self._counters.values():
            counters.steps.restarted = counters.epochs.restarted = True

    def locate(
        self,
        parser: str,
        metrics: Collection[str],
        context: Mapping[str, Any],
        step: int | None,
        epoch: float | None,
    ) -> Position:
        """The position of metrics that a parser has read together, in this context, step and epoch."""
        counters = self._counters.get(parser) or self._counters.setdefault(parser, _Counters())
        step = None if step is None else int(counters.steps.total(step))
        epoch = None if epoch is None else counters.epochs.total(epoch)
        return Position(self._training_of(parser, metrics, context, step, epoch), step, epoch)

    def _training_of(
        self,
        parser: str,
        metrics: Collection[str],
        context: Mapping[str, Any],
        step: int | None,
        epoch: float | None,
    ) -> int:
        """The number of the training that these metrics belong to; it may be a new one.

        What the context tells apart has steps of its own: a validation bar's first step begins no new
        training.  Nor does a step that is only repeated (the best one, at the end): the count has to be
        back where the first metric began.  If that is new itself, the next model may print other metrics
        than the one before: then the epochs of the others have to be back.
        """
        training = self._training.setdefault(parser, 1)
        if step is None and epoch is None:
            return training
        position = (_NEVER if epoch is None else epoch, _NEVER if step is None else step)
        place = str(sorted(context.items())) if context else ""
        key = (parser, next(iter(metrics), ""), place)
        series = self._series.get(key)
        if series is not None and series.training == training:
            if not (position <= series.first and position < series.last):
                series.last = position
                return training
            training = self._training[parser] = training + 1
        elif series is None and epoch is not None:
            beside = [self._beside.get((parser, metric, place)) for metric in metrics]
            if any(s and s.training == training and epoch <= s.first[0] < s.last[0] for s in beside):
                training = self._training[parser] = training + 1
        series = self._series[key] = _Series(training, position, position)
        if epoch is not None:
            self._beside |= dict.fromkeys([(parser, metric, place) for metric in metrics], series)
        return training
