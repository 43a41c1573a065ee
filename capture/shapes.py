"""What is known of a line by its shape: its text with every digit a zero.

A program prints the same few lines over and over with other numbers.  A pattern that treats all digits
alike matches all lines of one shape alike, so which patterns match, and where in the line their values
stand, is found out once for each shape.  Patterns that tell digits apart are asked each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from capture.patterns import Found
from capture.rules import Rule

MOST = 2048  # shapes that are remembered
LONGEST = 500  # bytes; longer lines hardly come again

_ZEROS = bytes.maketrans(b"0123456789", b"0000000000")
_DIGIT = re.compile(r"[0-9]")


@dataclass(slots=True)
class Shape:
    """The rules that match lines of this shape, with what they found there, and those not asked yet.

    None in the place of what was found: this rule has to be asked for each line.
    """

    matching: list[tuple[Rule, Found | None]] = field(default_factory=list)
    untried: list[Rule] = field(default_factory=list)  # the first one last


class Shapes:
    """The shapes that were seen, for these rules.  `wants` tells whether a text may mean something."""

    def __init__(self, rules: Iterable[Rule], wants: Callable[[str], bool]) -> None:
        self._wants = wants
        self._needs = [(rule, _zeroed(rule.matcher.literals)) for rule in rules][::-1]
        self._texts = sorted(frozenset().union(*(needs for _, needs in self._needs if needs)))
        self._seen: dict[bytes, Shape] = {}

    def matching(
        self, data: bytes, text: str, find: Callable[[Rule, str], Found | None]
    ) -> Iterator[tuple[Rule, Found]]:
        """The rules that match this data, as text this text, in their order, asked as they are needed."""
        key = data.translate(_ZEROS)
        shape = self._seen.get(key) or self._new(key, text)
        for rule, known in shape.matching:
            found = known or find(rule, text)
            if found:
                yield rule, found
        while shape.untried:
            rule = shape.untried.pop()
            alike = rule.matcher.digits_alike
            found = find(rule, text)
            if found or not alike:
                shape.matching.append((rule, found if alike else None))
            if found:
                yield rule, found

    def _new(self, key: bytes, text: str) -> Shape:
        shape = Shape()
        if self._wants(text):
            zeroed = key.decode("utf-8", "replace")
            present = {text for text in self._texts if text in zeroed}
            shape.untried = [r for r, needs in self._needs if needs is None or not needs.isdisjoint(present)]
        if len(key) <= LONGEST:
            if len(self._seen) >= MOST:
                self._seen.clear()
            self._seen[key] = shape
        return shape


def _zeroed(literals: frozenset[str] | None) -> frozenset[str] | None:
    return None if literals is None else frozenset(_DIGIT.sub("0", text) for text in literals)
