"""Names of settings, told from those of metrics and positions."""

from __future__ import annotations

import re

from capture.language.numbers import is_number
from capture.parsers import vocabulary
from capture.parsers.printed_config.reprs import Pairs
from capture.parsers.vocabulary import Clarity

MIN_HYPERPARAMETERS = 2  # of them, without a heading ...
MANY_HYPERPARAMETERS = 4  # ... and from so many on, a `batch` among them is no position

_POSITIONS = frozenset(
    ["epoch", "step", "global_step", "iteration", "iter", "batch", "round", "episode", "trial"]
)


def identifier(name: str) -> str:
    """The name as programs write it: `Learning rate` is learning_rate."""
    name = name.strip()
    return re.sub(r"[^\w.]+", "_", name.lower()).strip("_") if re.search(r"[^\w./]", name) else name


def are_hyperparameters(pairs: Pairs) -> bool:
    """Whether these are hyperparameters, and none says how well or how far the training goes."""
    count = sum(vocabulary.is_hyperparameter(identifier(name.rpartition(".")[2])) for name, _ in pairs)
    strict = count < MANY_HYPERPARAMETERS
    return count >= MIN_HYPERPARAMETERS and not any(is_metric(name, value, strict) for name, value in pairs)


def is_metric(name: str, value: str, strict: bool) -> bool:
    """Whether this says how well the training goes; with `strict` also what may, or how far it is."""
    if not is_number(value.strip().rstrip("%")):
        return False
    if strict and identifier(name).lower() in _POSITIONS:
        return True
    if vocabulary.is_hyperparameter(identifier(name)):
        return False
    return vocabulary.clarity(name) >= (Clarity.WEAK if strict else Clarity.CLEAR)
