"""Names beside numbers in free text: `loss=0.53, acc: 91.2%`, as in a bar's description or postfix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from capture.language.numbers import NUMBER, fast_reader, number
from capture.language.shape_cache import ShapeCache

# As `KEY`, but of bounded length: it is tried at every word.
_NAME = r"[A-Za-z_][\w./@%()-]{0,99}(?: [A-Za-z_][\w./@%()-]{0,99}){0,3}"
_METRICS = "loss acc accy accuracy reward score error auc iou dice psnr mse mae ppl lr"
_METRIC_BEFORE = "|".join(f"(?<={word})" for word in _METRICS.split())
# loss=0.5   acc: 91.2%   'f1': 0.5   dice_loss - 0.5   Loss: 0.5.   train loss 0.5
_PAIR = re.compile(
    rf"(?<![\w.])(?<![A-Za-z_][/-])(?P<key>{_NAME})"
    rf"(?:['\"]?\s?[=:]\s*|\s-\s(?=-?\d+\.\d)|(?i:{_METRIC_BEFORE})\s(?=\d+\.\d))"
    rf"(?P<value>{NUMBER})(?P<percent>\s?%)?(?![\w/]|\.(?!\s|$)|:\d|-[A-Za-z])"
)
_COUNTER = re.compile(r"(?i)(?:.* )?(?:epochs?|iter(?:ation)?s?|steps?|batch(?:es)?)")


class KeyValueSpan(NamedTuple):
    """The offsets of a name and its number in a text, and how the number is read."""

    key_start: int
    key_end: int
    start: int
    end: int
    read: Callable[[str], Any]


def find(text: str) -> Iterator[tuple[str, float]]:
    """Each name with its number.  A percentage is read as a share: `62%` is 0.62."""
    for key_start, key_end, start, end, read in spans(text):
        yield text[key_start:key_end], read(text[start:end])


@ShapeCache
def spans(text: str) -> list[KeyValueSpan]:
    """Where the names and numbers are, and how the numbers are read; the same for all texts of one shape.

    What only says how far the run is (`Train Epoch: 16`) is none of them.
    """
    return [
        KeyValueSpan(
            *pair.span("key"),
            *pair.span("value"),
            share if pair["percent"] else fast_reader(number, pair["value"]),
        )
        for pair in _PAIR.finditer(text)
        if not _COUNTER.fullmatch(pair["key"])
    ]


def share(text: str) -> float:
    """The share of a percentage, without the noise of a division: `62.1` is 0.621."""
    return float(f"{number(text) / 100:.12g}")


def without(text: str) -> str:
    """The text without its names and numbers: what is left of a bar's description is the bar's name."""
    return _PAIR.sub(lambda pair: pair[0] if _COUNTER.fullmatch(pair["key"]) else " ", text)
