"""Which numbers of a line say where in the run it is: the step and the epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from capture.authoring.shapes import COUNTERS, Shape, growth, is_counter, last_word

_EPOCHS = frozenset(["epoch", "epochs", "ep", "epoch_num", "current_epoch"])
# A counter of the whole run is better than one that may start over.
_WHOLE_RUN = (
    "global_step",
    "num_updates",
    "total_steps",
    "training_iteration",
    "update",
    "step",
    "iteration",
)


class Position(NamedTuple):
    """The fields of a line that hold its step and its epoch, by their numbers, and why these.

    `counted_on` says that the step starts over in each epoch; `first_epoch` is 0 or 1.
    """

    step: int | None = None
    epoch: int | None = None
    why: str = ""
    counted_on: bool = False
    first_epoch: int = 1

    @property
    def fields(self) -> set[int]:
        """The numbers of both fields."""
        return {n for n in (self.step, self.epoch) if n is not None}


def position_of(shape: Shape) -> Position:
    """The step and the epoch of a shape's lines, as far as they have them."""
    named = [last_word(one.name) if not one.name.startswith("n/") else "" for one in shape.fields]
    whole = [
        all(re.fullmatch(r"[\d,]+(?:\.0)?|\d+\s?/\s*\d+|[\d.]+[KMGB]", text) for text in column)
        for column in shape.columns
    ]
    epochs = [
        n for n, name in enumerate(named) if name in _EPOCHS and shape.fields[n].kind in ("number", "of")
    ]
    epochs += [n for n, one in enumerate(shape.fields) if one.unit == "epoch" and n not in epochs]
    ratios = [
        n for n, one in enumerate(shape.fields) if one.kind == "of" and n not in epochs and _counts(shape, n)
    ]
    counters = [
        n for n in range(len(named)) if is_counter(shape.fields[n].name) and whole[n] and n not in epochs
    ]
    if len(shape.fields) > 1:  # else a heading: Time = 3
        counters = [n for n in counters if named[n] not in ("time", "t", "i")]
    if not epochs and len(ratios) > 1 and ratios[1] == ratios[0] + 1 and ratios[0] not in counters:
        epochs = ratios[:1]
    counters = [*counters, *(n for n in ratios if n not in counters and n not in epochs)]
    reasons = []
    step = min(counters, key=lambda n: (_rank(named[n]), n), default=None)
    if step is not None:
        by = growth([text.split("/")[0].strip() for text in shape.columns[step]])
        shown = shape.fields[step].name or shape.fields[step].text
        reasons.append(
            f"step is {shown!r}, by its {'word' if shape.fields[step].name else 'form'}{_grows(by)}"
        )
    elif not epochs and shape.count >= 3:
        growing = [
            (n, by)
            for n, column in enumerate(shape.columns[:1])
            if whole[n] and (by := growth(column)) and _may_be_step(shape, n)
        ]
        if growing:
            step = growing[0][0]
            reasons.append(f"step is the first number{_grows(growing[0][1])}")
    epoch = epochs[0] if epochs else None
    if epoch is not None:
        reasons.append(f"epoch is {shape.fields[epoch].name or shape.fields[epoch].text!r}")
    first, counted_on = 1, False
    if step is not None and epoch is not None and shape.fields[step].kind == "of":
        first, counted_on = _within_epochs(shape.columns[step], shape.columns[epoch])
    return Position(step, epoch, "; ".join(reasons), counted_on, first)


def _may_be_step(shape: Shape, n: int) -> bool:
    """Whether a number that counts may be a step without a counter's word: it is no size, and no index."""
    one, text = shape.fields[n], shape.texts[0]
    is_amount = one.unit or re.match(r"\s?[kKMGT]?i?B(?:ytes)?\b", text[one.end :])
    return not is_amount and bool(one.sign or not one.name)


def _counts(shape: Shape, n: int) -> bool:
    """Whether a ratio such as 3/25 counts on, with a total that stays, as far as the lines show."""
    totals = {text.split("/")[1].strip() for text in shape.columns[n]}
    counts = [text.split("/")[0].strip() for text in shape.columns[n]]
    return len(totals) == 1 and (len(counts) < 3 or len(set(counts)) > 1)


def _rank(name: str) -> int:
    return _WHOLE_RUN.index(name) if name in _WHOLE_RUN else len(_WHOLE_RUN) + (name not in COUNTERS)


def _grows(by: int) -> str:
    return ", and it grows evenly" if by else ""


def _within_epochs(steps: Sequence[str], epochs: Sequence[str]) -> tuple[int, bool]:
    """The number of the first epoch, 0 or 1, and whether the step starts over in each epoch."""
    counts = [int(text.split("/")[0]) for text in steps]
    places = [int(float(text.split("/")[0].replace(",", "") or 0)) for text in epochs]
    goes_on = any(b > a for a, b in zip(places, places[1:])) and counts == sorted(counts)
    return int(min(places) > 0), not goes_on
