"""A metric over a run: its last and best values, and how it went."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

POINTS = 64
_COUNTING = re.compile(r"(?i)(^|/)(epoch|(global_|batch_)?step)$")
_SMALLER = re.compile(
    r"(?i)loss|err|perplexity|ppl|rmse|mae|mse|(^|[/_ ])(wer|cer|fid|nll)([/_ ]|$)"
    r"|损失|損失|困惑度|손실|verlust|p[eé]rdida|perte|perda|потер"
)
_LARGER = re.compile(
    r"(?i)acc|auc|f1|map|precision|recall|bleu|rouge|reward|rew|return|score|iou|dice|r2"
    r"|确率|確率|正解率|精度|召回率|奖励|정확도|재현율|보상|genauigkeit|exactitud|recompensa|acur|точност"
)


def only_counts(name: str) -> bool:
    """Whether a metric of this name merely says where in the run it is: `epoch`, `train/global_step`."""
    return _COUNTING.search(name) is not None


def better(name: str) -> str:
    """Whether a metric of this name is best at its "min" or its "max"; empty where the name doesn't tell."""
    smaller, larger = _SMALLER.search(name), _LARGER.search(name)
    if bool(smaller) == bool(larger):
        return ""
    return "min" if smaller else "max"


class Series:
    """One metric over the run, in bounded memory."""

    __slots__ = (
        *("_open", "_share", "count", "highest", "highest_at"),
        *("last", "lowest", "lowest_at", "points"),
    )

    def __init__(self) -> None:
        self.count = 0
        self.last = math.nan
        self.lowest, self.highest = math.inf, -math.inf
        self.lowest_at: Any = None
        self.highest_at: Any = None
        self.points: list[float] = []
        self._share = 1  # values in one point
        self._open: list[float] = []

    def add(self, value: float, at: Any = None) -> None:
        """The next value, and where in the run it is."""
        self.count += 1
        self.last = value
        if not self.lowest <= value <= self.highest:
            if not math.isfinite(value):
                return
            if value < self.lowest:
                self.lowest, self.lowest_at = value, at
            if value > self.highest:
                self.highest, self.highest_at = value, at
        self._open.append(value)
        if len(self._open) >= self._share:
            self._add_point()

    def _add_point(self) -> None:
        self.points.append(mean(self._open))
        self._open.clear()
        if len(self.points) == POINTS:
            self.points = [mean(pair) for pair in zip(self.points[::2], self.points[1::2], strict=True)]
            self._share *= 2

    def best(self, name: str) -> float | None:
        """The best value, where the name tells whether that is the lowest or the highest."""
        if self.lowest > self.highest:
            return None
        return {"min": self.lowest, "max": self.highest}.get(better(name))

    def best_at(self, name: str) -> Any:
        """Where the best value was first."""
        return {"min": self.lowest_at, "max": self.highest_at}.get(better(name))


def mean(values: Sequence[float]) -> float:
    """The mean; exact where all are equal, and finite even where the sum would not be."""
    low, count = min(values), len(values)
    return low + sum(value / count - low / count for value in values)
