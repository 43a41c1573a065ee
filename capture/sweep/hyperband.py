"""W&B's early end of trials that lose: `early_terminate: {type: hyperband}`.

A trial is judged at its last band (a number of values of the metric): it ends if it is outside of the best
1/eta of all trials that got so far.  `fixtures/sweeps/hyperband.json` has the answers of W&B's own engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOST_BANDS = 100


class Progress(NamedTuple):
    """How a trial has got on: its values at bands, by the band, and the best of all its values."""

    at_bands: Mapping[int, float]
    best: float


class Hyperband(NamedTuple):
    """The rule: after how many values a trial is judged, and how."""

    bands: Sequence[int]
    eta: float
    strict: bool  # it is judged by the value at the band, else by its best
    maximize: bool

    def loses(self, trial: Progress, others: Sequence[Mapping[int, float]]) -> bool:
        """Whether a trial should end now.

        others: the values at bands of all trials, this one included
        """
        band = max((band for band in self.bands if band in trial.at_bands), default=None)
        if band is None:
            return False
        sign = -1 if self.maximize else 1
        reached = sorted(sign * each[band] for each in others if band in each)
        value = trial.at_bands[band] if self.strict else trial.best
        return bool(reached) and sign * value > reached[int(1.0 / self.eta * len(reached))]


def of(spec: Mapping[str, Any], maximize: bool) -> Hyperband:
    """The rule that an `early_terminate:` section says.  Raises ValueError where it has no band."""
    eta = spec.get("eta", 3)
    if "max_iter" in spec:
        bands = _downwards(spec["max_iter"], spec["s"], eta)
    else:
        bands = _upwards(spec["min_iter"], eta)
    if not bands:
        raise ValueError(
            "no trial would ever be judged: max_iter / eta is less than 1; raise max_iter or s, or lower eta"
        )
    return Hyperband(bands, eta, spec.get("strict", True), maximize)


def _downwards(most: float, count: float, eta: float) -> list[int]:
    bands = []
    for _ in range(int(count)):
        most /= eta
        if most < 1:
            break
        bands.append(int(most))
    return sorted(bands)


def _upwards(least: float, eta: float) -> list[int]:
    bands = []
    for _ in range(MOST_BANDS):
        if not math.isfinite(least):
            break
        bands.append(int(least))
        least *= eta
    return bands
