"""What was found out about one line holds for all lines of its shape: the line with every digit a zero.

A program prints the same few lines over and over with other numbers, and what treats all digits alike
matches all lines of one shape alike, at the same places.  So it is asked once for each shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

MOST = 1024  # shapes that are remembered
LONGEST = 1000  # characters; longer lines hardly come again

T = TypeVar("T")
_ZEROS = bytes.maketrans(b"0123456789", b"0000000000")


@lru_cache(maxsize=16)  # one line is asked about many times in a row
def shape(text: str) -> bytes:
    """The text with every digit a zero."""
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS)


def zeroed(text: str) -> str:
    """The same as text."""
    return shape(text).decode("utf-8", "surrogatepass")


class ShapeCache(Generic[T]):
    """A function of a text that does not tell one digit from another, remembered for each shape.

    It may tell them apart in texts whose shape holds one of `but_in`; None stands for all texts.
    """

    def __init__(self, function: Callable[[str], T], but_in: frozenset[str] | None = frozenset()) -> None:
        self._function = function
        self._but_in = None if but_in is None else [text.encode() for text in but_in]
        self._known: dict[bytes, T] = {}

    def remembers(self, text: str, found: T) -> bool:
        """Whether it is known to give `found` for all texts of this one's shape."""
        return self._known.get(shape(text), self) is found

    def __call__(self, text: str) -> T:
        """What the function gives for this text."""
        key = shape(text)
        try:
            return self._known[key]
        except KeyError:
            found = self._function(text)
        alike = self._but_in is not None and not any(part in key for part in self._but_in)
        if alike and len(text) <= LONGEST:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = found
        return found
