"""Names: the words before a number."""

from __future__ import annotations

import re
from typing import NamedTuple

from capture.parsers.general.line import ScannedLine
from capture.parsers.general.tokens import WORD

_NAME = re.compile(rf"{WORD}(?: {{1,2}}(?!(?i:nan|inf|infinity)\b){WORD}){{0,5}}")
_VERB = re.compile(r" (?:is|was|of)$")
_SENTENCE = """
with at of over the has have was is and for to from using saved saving got after in on a an its by as achieved
reached
"""
_STATISTICS = frozenset(["std", "deviation", "variance", "mean", "average", "median", "min", "max"])
_WORDS_BEFORE_NAMES = frozenset(_SENTENCE.split())
_MOST_WORDS = 4


class Name(NamedTuple):
    """A name in the text: up to six words, without the verb that may follow."""

    text: str
    start: int
    end: int

    @property
    def first_word(self) -> str:
        """The first of its words."""
        return self.text.partition(" ")[0]

    @property
    def last_word(self) -> str:
        """The last of its words."""
        return self.text.rpartition(" ")[2]


def name_at(text: str, at: int) -> Name | None:
    """The name that begins here."""
    match = _NAME.match(text, at)
    if not match:
        return None
    verb = _VERB.search(match[0])
    end = at + verb.start() if verb else match.end()
    return Name(text[at:end], at, end)


def is_of_sentence(word: str) -> bool:
    """Whether the word is one of those that sentences have before a number: `after 3`."""
    return word.lower() in _WORDS_BEFORE_NAMES


def without_sentence(name: Name, line: ScannedLine) -> str:
    """The name without the words of a sentence before it: `Saved with val loss` is `val loss`."""
    words = name.text.split()
    before = [
        n
        for n, word in enumerate(words[:-1], 1)
        if word.lower() in _WORDS_BEFORE_NAMES
        and not (word == "of" and n > 1 and words[n - 2].lower() in _STATISTICS)  # Std of Return
        and not (word == "A" and line.section == "D ")  # of an adversary, no article
        and not (word == "for" and words[0].lower() == "time")  # Time taken for epoch
    ]
    start = max(before[-1] if before else 0, len(words) - _MOST_WORDS)
    line.unknown_words += start
    return " ".join(words[start:])
