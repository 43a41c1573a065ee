"""A cache by the shape of a line: the line with every digit replaced by a zero.

A program prints the same few lines over and over with other numbers.  A function that treats all digits alike
has the same result for all lines of one shape, so it is called once for each shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

MAX_SHAPES = 1024  # in one cache
MAX_LENGTH = 1000  # characters; longer lines hardly ever recur

T = TypeVar("T")
ZEROS = bytes.maketrans(b"0123456789", b"0000000000")


@lru_cache(maxsize=16)  # several caches are asked about one line in a row
def shape(text: str) -> bytes:
    """The text with every digit replaced by a zero; in UTF-8, because bytes are translated faster."""
    return shape_of(text.encode("utf-8", "surrogatepass"))


def shape_of(data: bytes) -> bytes:
    """The bytes with every digit replaced by a zero."""
    return data.translate(ZEROS)


def zeroed(text: str) -> str:
    """The text with every digit replaced by a zero."""
    return shape(text).decode("utf-8", "surrogatepass")


class ShapeCache(Generic[T]):
    """Caches a function of a text that treats all digits alike, by the shape of the text.

    `digit_sensitive` are parts of shapes for which that is not true: the result for a text whose shape
    contains one of them is not cached.  None means that no result is cached.
    """

    def __init__(
        self, function: Callable[[str], T], digit_sensitive: frozenset[str] | None = frozenset()
    ) -> None:
        self._function = function
        self._digit_sensitive = (
            None if digit_sensitive is None else [part.encode() for part in digit_sensitive]
        )
        self._results: dict[bytes, T] = {}

    def has(self, text: str, result: T) -> bool:
        """Whether `result` is cached for this text's shape."""
        return self._results.get(shape(text), self) is result

    def cached(self, text: str) -> T | None:
        """The result that is cached for this text's shape; None if there is none."""
        return self._results.get(shape(text))

    def __call__(self, text: str) -> T:
        """The function's result for this text."""
        key = shape(text)
        try:
            return self._results[key]
        except KeyError:
            result = self._function(text)
        alike = self._digit_sensitive is not None and not any(part in key for part in self._digit_sensitive)
        if alike and len(text) <= MAX_LENGTH:
            if len(self._results) >= MAX_SHAPES:
                self._results.clear()
            self._results[key] = result
        return result
