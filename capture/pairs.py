"""Names beside numbers in free text: `loss=0.53, acc: 91.2%`, as in a bar's description or postfix."""

from __future__ import annotations

import re
from collections.abc import Iterator

from capture.values import KEY, NUMBER, number

_PAIR = re.compile(rf"(?<![\w.])(?P<key>{KEY})\s?[=:]\s*(?P<value>{NUMBER})(?P<percent>\s?%)?(?![\w./]|:\d)")


def find(text: str) -> Iterator[tuple[str, float]]:
    """Each name with its number.  A percentage is the share it stands for: `62%` is 0.62."""
    for match in _PAIR.finditer(text):
        yield match["key"], share(match["value"]) if match["percent"] else number(match["value"])


def share(shown: str) -> float:
    """The share that a shown percentage stands for, without the noise of a division: 62.1 is 0.621."""
    value = number(shown)
    return float(f"{value / 100:.12g}")


def without(text: str) -> str:
    """The text with its pairs taken out: what is left of a bar's description is the bar's name."""
    return _PAIR.sub(" ", text)
