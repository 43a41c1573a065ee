"""Which metrics belong beside each other, and which of them come first.

`loss/train` and `loss/val`, `epoch/acc` and `epoch/val_acc` are the same quantity of other data: one family.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from capture.metrics import better

_TRAIN = ("train", "training")
_HELD_OUT = ("val", "valid", "validation", "eval", "evaluate", "evaluation", "dev", "test")
_SPLITS = (*_TRAIN, *_HELD_OUT)
_WORDS = re.compile(r"([/_ .-]+)")


class Member(NamedTuple):
    """A metric in its family: `label` is the data that it is of, empty where the name doesn't tell."""

    label: str
    metric: str


class Family(NamedTuple):
    """Metrics of one quantity: training first, then what was held out."""

    title: str
    members: list[Member]
    rank: int


def families(metrics: Iterable[str]) -> list[Family]:
    """The metrics by family, the headline first.

    What was measured on held-out data, then other losses and scores, then those of single batches, then the
    rest.
    """
    found: dict[tuple[str, bool], dict[str, str]] = {}
    for metric in metrics:
        base, label, batch = _parts(metric)
        labels = found.setdefault((base, batch), {})
        labels[label if label not in labels else metric] = metric
    made = [family for (base, batch), labels in found.items() for family in _made(base, batch, labels)]
    return sorted(made, key=lambda family: family.rank)


def _parts(metric: str) -> tuple[str, str, bool]:
    """The quantity, the data that it is of, and whether it is of a single batch."""
    words = _WORDS.split(metric)  # each second one is what is between
    names = words[::2]
    at = next((index for index, name in enumerate(names) if name.lower() in _SPLITS), -1)
    label = names[at] if at >= 0 else ""
    dropped = {index for index, name in enumerate(names) if index == at or name in ("batch", "epoch")}
    if at >= 0 and at + 1 < len(names) and names[at + 1].isdigit():  # valid_0
        dropped.add(at + 1)
    kept = [index for index in range(len(names)) if index not in dropped]
    base = "".join(words[2 * index] + "".join(words[2 * index + 1 : 2 * index + 2]) for index in kept)
    return base.rstrip("/_ .-") or metric, label, "batch" in names


def _made(base: str, batch: bool, labels: dict[str, str]) -> Iterator[Family]:
    split = [Member(label, metric) for label, metric in labels.items() if label.lower() in _SPLITS]
    plain = [metric for label, metric in labels.items() if label.lower() not in _SPLITS]
    held_out = [member for member in split if member.label.lower() in _HELD_OUT]
    train = [member for member in split if member not in held_out]
    if held_out and not train and len(plain) == 1:
        train, plain = [Member("train", plain[0])], []
    if together := [*train, *held_out]:
        alone = len(together) == 1
        title = together[0].metric if alone else base
        rank = 2 if batch else 0 if held_out else 1
        yield Family(title, together, rank if better(base) else 3 + batch)
    for metric in plain:
        rank = 2 if batch or together else 1
        yield Family(metric, [Member("", metric)], rank if better(base) else 3 + batch)
