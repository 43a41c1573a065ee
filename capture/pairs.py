"""Names beside numbers in free text: `loss=0.53, acc: 91.2%`, as in a bar's description or postfix."""

from __future__ import annotations

import re

from capture.values import KEY, NUMBER, number

_PAIR = re.compile(rf"(?<![\w.])(?P<key>{KEY})\s?[=:]\s*(?P<value>{NUMBER})(?P<percent>\s?%)?(?![\w./]|:\d)")


Spans = tuple[tuple[int, int, int, int, bool], ...]  # key from, to; value from, to; is it a percentage


def spans(text: str) -> Spans:
    """Where names with their numbers stand."""
    return tuple((*m.span("key"), *m.span("value"), m["percent"] is not None) for m in _PAIR.finditer(text))


def read(text: str, start: int, spans: Spans) -> dict[str, float]:
    """The names with their numbers that `spans` found in the part of `text` that begins at `start`.

    A percentage is the share it stands for: `62%` is 0.62.
    """
    found = {}
    for a, b, c, d, percent in spans:
        shown = text[start + c : start + d]
        found[text[start + a : start + b]] = share(shown) if percent else number(shown)
    return found


def share(shown: str) -> float:
    """The share that a shown percentage stands for, without the noise of a division: 62.1 is 0.621."""
    value = number(shown)
    return float(f"{value / 100:.12g}")


def without(text: str) -> str:
    """The text with its pairs taken out: what is left of a bar's description is the bar's name."""
    return _PAIR.sub(" ", text)
