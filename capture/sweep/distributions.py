"""What a parameter is drawn from: the quantile functions of W&B's distributions.

They answer as W&B's own engine (the package `sweeps`) does; `fixtures/sweeps/quantiles.json` has its answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

Spec = Mapping[str, Any]
DEFAULTS: Spec = {"mu": 0.0, "sigma": 1.0, "q": 1.0, "a": 1, "b": 1}
# The keys of each distribution: those that it must have, and those that it may.
KEYS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "constant": (("value",), ()),
    "categorical": (("values",), ()),
    "categorical_w_probabilities": (("values", "probabilities"), ()),
    "int_uniform": (("min", "max"), ()),
    "uniform": (("min", "max"), ()),
    "q_uniform": (("min", "max"), ("q",)),
    "log_uniform": (("min", "max"), ()),
    "log_uniform_values": (("min", "max"), ()),
    "q_log_uniform": (("min", "max"), ("q",)),
    "q_log_uniform_values": (("min", "max"), ("q",)),
    "inv_log_uniform": (("min", "max"), ()),
    "inv_log_uniform_values": (("min", "max"), ()),
    "normal": ((), ("mu", "sigma")),
    "q_normal": ((), ("mu", "sigma", "q")),
    "log_normal": ((), ("mu", "sigma")),
    "q_log_normal": ((), ("mu", "sigma", "q")),
    "beta": ((), ("a", "b")),
    "q_beta": ((), ("a", "b", "q")),
}


def quantile(spec: Spec, share: float) -> Any:
    """The value below which this share of all values is.

    `spec` has its `distribution`; `share` is between 0 and 1.
    """
    spec = {**DEFAULTS, **spec}
    kind: str = spec["distribution"]
    if kind == "constant":
        return spec["value"]
    if kind == "categorical":
        return spec["values"][_place(share, len(spec["values"]))]
    if kind == "categorical_w_probabilities":
        return _by_probability(spec, share)
    if kind == "int_uniform":
        return spec["min"] + _place(share, spec["max"] - spec["min"] + 1)
    shape = kind.removeprefix("q_")
    value = _continuous(shape, spec, share)
    return rounded(value, spec["q"]) if kind.startswith("q_") else value


def rounded(value: float, q: float) -> float | int:
    """The multiple of `q` next to a value, the even one of two; a whole number where `q` is one."""
    near = round(value / q) * q
    return int(near) if isinstance(q, int) else near


def _place(share: float, count: int) -> int:
    """Which of `count` equal parts a share is in, from 0."""
    return min(max(math.ceil(share * count) - 1, 0), count - 1)


def _by_probability(spec: Spec, share: float) -> Any:
    total = 0.0
    for value, probability in zip(spec["values"], spec["probabilities"], strict=True):
        total += probability
        if share < total:
            return value
    return spec["values"][-1]


def _continuous(shape: str, spec: Spec, share: float) -> float:
    if shape == "uniform":
        return float(spec["min"] + share * (spec["max"] - spec["min"]))
    if "uniform" in shape:
        low, high = spec["min"], spec["max"]
        if shape.endswith("_values"):
            low, high = math.log(low), math.log(high)
        if not shape.startswith("inv_"):
            return math.exp(low + share * (high - low))
        if shape.endswith("_values"):
            low, high = -high, -low
        return math.exp(-(low + (1 - share) * (high - low)))
    if shape.endswith("normal"):
        value = spec["mu"] + spec["sigma"] * NormalDist().inv_cdf(share)
        return math.exp(value) if shape == "log_normal" else value
    return beta_quantile(share, spec["a"], spec["b"])


def beta_quantile(share: float, a: float, b: float) -> float:
    """The inverse of the beta distribution's `beta_share`, by bisection."""
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if beta_share(middle, a, b) < share:
            low = middle
        else:
            high = middle


def beta_share(x: float, a: float, b: float) -> float:
    """The share of a beta distribution below x: the regularised incomplete beta function.

    By its continued fraction (Abramowitz and Stegun, 26.5.8), in the order of Lentz.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # it converges fast only below
        return 1 - beta_share(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    tiny = 1e-300
    numerator, denominator = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    fraction = denominator
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / ((1 + term * denominator) or tiny)
            numerator = (1 + term / numerator) or tiny
            change = denominator * numerator
            fraction *= change
        if abs(change - 1) < 1e-15:
            break
    return front * fraction / a
