"""Names beside numbers in free text: `loss=0.53, acc: 91.2%`, as in a bar's description or postfix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from capture.language.kinds import KEY
from capture.language.numbers import NUMBER, fast_reader, number
from capture.language.shape_cache import ShapeCache

# loss=0.5   acc: 91.2%   'f1': 0.5   dice_loss - 0.5
_PAIR = re.compile(
    rf"(?<![\w.])(?P<key>{KEY})(?:['\"]?\s?[=:]\s*|\s-\s(?=-?\d+\.\d))(?P<value>{NUMBER})"
    r"(?P<percent>\s?%)?(?![\w./]|:\d|-[A-Za-z])"
)


def find(text: str) -> Iterator[tuple[str, float]]:
    """Each name with its number.  A percentage is the share it stands for: `62%` is 0.62."""
    for a, b, c, d, read in _places(text):
        yield text[a:b], read(text[c:d])


def _find_places(text: str) -> list[tuple[int, int, int, int, Callable[[str], Any]]]:
    """From where to where each name and its number stand, and how to read the number."""
    return [
        (*m.span("key"), *m.span("value"), share if m["percent"] else fast_reader(number, m["value"]))
        for m in _PAIR.finditer(text)
    ]


_places = ShapeCache(_find_places)


def share(shown: str) -> float:
    """The share that a shown percentage stands for, without the noise of a division: 62.1 is 0.621."""
    value = number(shown)
    return float(f"{value / 100:.12g}")


def without(text: str) -> str:
    """The text with its pairs taken out: what is left of a bar's description is the bar's name."""
    return _PAIR.sub(" ", text)
