"""What was found in lines, for all lines that differ from them only in the digits of their numbers."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from capture.language.shape_cache import shape

MOST_SHAPES = 1024

T = TypeVar("T")
# f1, mAP50-95, acc@5, top-1, F1(k=20); but 5.2e-05 is a number.
_DIGITS_IN_NAMES = re.compile(
    r"\([A-Za-z]\w*=\d[\w.]*\)|(?:[A-DF-Za-df-z_@^/%]|(?![\x00-\x7f])[^\W\d_]|(?<![\d.])[Ee])[.'+-]?\d[\w.@'+-]*"
)


class KnownLines(Generic[T]):
    """Remembers what was found in lines, by their shape and the digits in their names.

    A program prints the same few lines over and over: what is found in one is found in all that differ only
    in the digits of their numbers.  `ShapeCache` is for functions that don't tell digits apart at all; here
    those in names matter, and which of two numbers is the larger.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[bytes | str, ...], T] = {}

    def get(self, text: str) -> T | None:
        """What was found in a line of the same shape; None if there was none."""
        return self._found.get(_key(text))

    def add(self, text: str, found: T) -> None:
        """Remember what was found in a line."""
        if len(self._found) >= MOST_SHAPES:
            self._found.clear()
        self._found[_key(text)] = found

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()


def digits_in_names(text: str) -> list[slice]:
    """Where the names with digits are, which have to be the same in lines that say the same."""
    return [slice(*found.span()) for found in _DIGITS_IN_NAMES.finditer(text)]


def _key(text: str) -> tuple[bytes | str, ...]:
    return (shape(text), *_DIGITS_IN_NAMES.findall(text))
