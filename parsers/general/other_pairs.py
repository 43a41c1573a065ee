"""Names whose values are no metrics: places in the program, sizes, times, texts.

They are recognisers as those in `pairs`: where the pair ends is returned, 0 if it is not recognised.
"""

from __future__ import annotations

import re

from capture.language.numbers import NUMBER
from capture.parsers import vocabulary
from capture.parsers.general.line import ScannedLine
from capture.parsers.general.names import Name
from capture.parsers.general.tokens import COUNT
from capture.parsers.vocabulary import Clarity

_PLACE = re.compile(r"[\w.]+:\d+\)")


def place(text: str, name: Name, line: ScannedLine) -> int:
    """`(trainer:464)`: where in the program, no metric."""
    match = _PLACE.match(text, name.start) if text[name.start - 1 : name.start] == "(" else None
    return match.end() if match and vocabulary.clarity(name.text) < Clarity.WEAK else 0


_HOW_MANY = re.compile(
    rf"(?:over {NUMBER} [a-z]+|(?:total )?number of \w+ (?:are|is|was|[:=]) ?{COUNT}"
    rf"|(?i:(?:max|best|total|num|n)[_ ](?:epoch|step|iter|iteration)s?)\s?[:=]\s?{COUNT})(?![\w.])"
)


def how_many(text: str, name: Name, line: ScannedLine) -> int:
    """`over 6400.0 frames`, `number of steps are 3626`, `max_epochs = 6`, `best_epoch = 5`: no metric."""
    last_word = name.end - len(name.last_word)
    match = _HOW_MANY.match(text, name.start) or _HOW_MANY.match(text, last_word)
    return match.end() if match else 0


_SIZE = re.compile(r"\s?[:=]\s?\(\d+(?:,\s?\d+)+\)")


def size(text: str, name: Name, line: ScannedLine) -> int:
    """`size: (8, 19)`: whole numbers in brackets, no metric."""
    match = _SIZE.match(text, name.end)
    return match.end() if match else 0


_DAYS = re.compile(
    r"\s?[:=]\s?(?:\d+ days?(?:,? \d[\d:]*)?|(?:\d+h )?\d+m \d+(?:\.\d+)?s(?: \(- \d+m \d+s\))?)(?!\w)"
)


def days(text: str, name: Name, line: ScannedLine) -> int:
    """`eta: 1 day, 0:07:58`, `Time: 0m 12s`: a time, no metric."""
    match = _DAYS.match(text, name.end)
    return match.end() if match else 0


_TEXT = re.compile(
    r"\s?(?:=\s?(?!(?i:nan|inf)\b)(?P<text>[A-Za-z_][\w./-]*)(?![\w=:(\[])|:\s?(?:N/?A|n/?a|None|null)(?![\w/]))"
)


def text_value(text: str, name: Name, line: ScannedLine) -> int:
    """`optimizer=adam`, `eta: N/A`: no metric, and its value is no part of the next name."""
    match = _TEXT.match(text, name.end)
    if not match:
        return 0
    if vocabulary.is_split(match["text"] or ""):  # mode=train
        line.section = match["text"]
    line.unknown_words += 1
    return match.end()
