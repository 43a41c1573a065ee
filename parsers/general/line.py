"""What was found in a line of an unknown program: where its numbers stand, and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from capture.parsers import vocabulary


class Span(NamedTuple):
    """Where a number stands in the text, and how it is read."""

    start: int
    end: int
    read: Callable[[str], float]

    def value(self, text: str) -> float:
        """The number."""
        return self.read(text[self.start : self.end])


@dataclass(frozen=True)
class Statement:
    """What a line says."""

    metrics: Mapping[str, float]
    epoch: float | None = None
    epochs: float | None = None
    step: float | None = None
    steps: float | None = None
    fold: float | None = None
    bar: str = ""
    weight: int = 0  # of the word that gave the step

    @property
    def placed(self) -> bool:
        """Whether it says where in the run it stands."""
        return self.epoch is not None or self.step is not None


@dataclass
class ScannedLine:
    """What was found in a line, and where.

    `places` are epoch, epochs, step, steps and fold.  `ordered` are numbers of which the first is not above
    the second: nothing else depends on what the digits are, unless the line is `fickle`.  `strays` and
    `numbers` count what is part of nothing known.
    """

    metrics: dict[str, Span] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    weight: int = 0
    bar: str = ""
    section: str = ""  # the part of the data that the line speaks of
    fractions: list[tuple[Span, Span]] = field(default_factory=list)
    ordered: list[tuple[Span, Span]] = field(default_factory=list)
    clearest: int = vocabulary.NONE
    explicit: bool = False  # a sign stands between a name and its number
    strays: int = 0
    numbers: int = 0
    fickle: bool = False

    def fits(self, text: str) -> bool:
        """Whether the same was found in this text, which differs in digits alone."""
        return all(0 < of.value(text) >= at.value(text) for at, of in self.ordered)

    def said(self, text: str) -> Statement:
        """What the line says."""
        metrics = {name: where.value(text) for name, where in self.metrics.items()}
        places = {name: where.value(text) for name, where in self.places.items()}
        finite = {name: value for name, value in places.items() if math.isfinite(value)}
        return Statement(metrics, **finite, bar=self.bar, weight=self.weight)
