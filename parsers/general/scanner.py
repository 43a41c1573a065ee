"""A line of names and numbers, from left to right: pairs of them, positions, and the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from capture.language.key_values import share
from capture.language.numbers import number
from capture.parsers import vocabulary
from capture.parsers.general import decoration, other_lines, pairs, positions, values
from capture.parsers.general.line import Scan, ScannedLine, Span, recognise
from capture.parsers.general.tokens import BYTES, RATE, TIME, VALUE, WORD
from capture.parsers.vocabulary import Clarity
from capture.parsing import bars

Recogniser = Callable[[str, int, ScannedLine], int]

MOST_UNKNOWN = 4  # words beside one metric, where a number counts as two
MOST_UNKNOWN_WITHOUT_SIGN = 3  # the same where one name is beside its number without a sign between them

_WORD = re.compile(WORD)
_ASIDE = re.compile(r"\[[^\[\]:=]{0,250}\]|\(\*[^()]*\)")
_BEFORE_NAME = re.compile(
    rf"(?P<value>[-+]?(?:\d{{1,15}}\.\d*(?:[eE][-+]?\d+)?|nan|inf))(?P<percent>\s?%)?"
    rf" (?P<name>{WORD}(?: {WORD}){{0,2}})(?=\s*(?:[,;|)]|$))"
)
_EDGES = (",", ";", "|", "(", ":", " got", " scored")
_QUANTITY = re.compile(
    r"[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?:/[\d.]+)*"
    r"(?P<unit>:\d[\d:.]*|h\d\d?m(?:\d\d?s)?|m\d\d?s|/(?:s|sec|it|step)(?:/gpu)?(?!\w)"  # 1h02m, 9.2/s/gpu
    rf"|\s?%|\s[a-z]{{2,8}} tok/s|\s?(?:{TIME}|m|mins?|minutes?|h|hrs?|hours?|d|days?|{BYTES}|{RATE})(?!\w))?"
)


def scan(text: str) -> Scan:
    """The metrics and positions of a line, if it has metrics and little else."""
    plain, before_bar = decoration.remove(text)
    is_plain = plain == text
    if other_lines.is_other(plain):
        return Scan(None, plain, is_plain)
    line = ScannedLine()
    if cells := decoration.cells(plain):
        values.add_value(plain, cells["name"], cells, line)
    else:
        line = find(plain)
    if line.clearest < Clarity.CLEAR and _measures_parts(line, plain):
        line.clearest = Clarity.CLEAR
    reusable = is_plain and not line.depends_on_digits
    if line.clearest < Clarity.WEAK or _has_too_much_else(line):
        return Scan(None, plain, reusable)
    if before_bar is not None:
        if _has_not_begun(line, plain):
            return Scan(None, plain, reusable)
        line.bar = "" if line.section else bars.bar_name(before_bar)
    return Scan(line, plain, reusable)


def find(text: str, at_letter: Sequence[Recogniser] | None = None) -> ScannedLine:
    """Everything in the text, found from left to right; `at_letter` is asked wherever a word begins."""
    line = ScannedLine()
    at = beginning = recognise(positions.AT_BEGINNING, text, 0, line)
    while at < len(text):
        character = text[at]
        if character.isalpha() or character == "_":
            at = recognise(at_letter or AT_LETTER, text, at, line)
        elif character in "0123456789[(.+-":
            at = recognise(AT_NUMBER, text, at, line) or at + 1
        elif character == "@":
            at = positions.after(text, at, line) or at + 1
        else:
            at += 1
    if text[:beginning].endswith(":") and "epoch" in line.positions and not line.step_priority:
        del line.positions["step"]  # `1: epoch 3 loss 0.5`: perhaps a rank
    if line.fractions:
        positions.name_fractions(line)
    return line


def word(text: str, at: int, line: ScannedLine) -> int:
    """`Val`: the part of the data that follows, or any other word."""
    match = _WORD.match(text, at)
    end = match.end() if match else at + 1
    if vocabulary.is_split(text[at:end]):
        line.section = text[at:end]
    elif end - at > 1:
        line.unknown_words += 1
    return end


def aside(text: str, at: int, line: ScannedLine) -> int:
    """`WER 12.3 [ 100 / 812, 10 ins ]`, `loss = 0.5 (* 1 = 0.5)`; but `[valid] loss=0.5` is a section."""
    match = _ASIDE.match(text, at) if line.metrics else None
    if not match:
        return 0
    return at + 1 if vocabulary.is_split(match[0].strip("[]")) else match.end()


_DIGIT_FIRST = re.compile(
    rf"(?<![\w.])(?P<name>\d{{1,2}}(?:[dD](?: {WORD}){{1,3}}|[dD]?_[A-Za-z][\w/.]*))"
    rf"(?:\s?[:=](?![:=])\s*| (?=\d+\.\d)){VALUE}"
)


def digit_first(text: str, at: int, line: ScannedLine) -> int:
    """`3d joint loss: 0.5`, `0_f_rmse = 0.2`, `3d_eval 63.5`: a name that begins with a digit."""
    match = _DIGIT_FIRST.match(text, at)
    if not match:
        return 0
    line.has_sign = line.depends_on_digits = True
    return values.add_value(text, match["name"], match, line)


def before_name(text: str, at: int, line: ScannedLine) -> int:
    """`3.027621 avg loss, 0.01 rate`: a number before its name, between commas or at the edges."""
    match = _BEFORE_NAME.match(text, at)
    if not match or not (text[:at].rstrip(" ").endswith(_EDGES) or not text[:at].strip(" ")):
        return 0
    clarity = vocabulary.clarity(match["name"])
    if clarity < (Clarity.BESIDE if line.metrics else Clarity.CLEAR):
        return 0
    line.add(match["name"], Span.of(match, "value", share if match["percent"] else number))
    return match.end()


def quantity(text: str, at: int, line: ScannedLine) -> int:
    """`0.5`, `12 min`: a number without a name, which is unknown unless it has a unit."""
    match = _QUANTITY.match(text, at)
    if not match:
        return 0
    line.unknown_numbers += not match["unit"]
    return match.end()


AT_LETTER = [positions.named, pairs.pair, word]
AT_NUMBER = [*positions.AT_NUMBER, aside, digit_first, before_name, quantity]


def _measures_parts(line: ScannedLine, text: str) -> bool:
    """Whether parts of the data stand for what was measured on them: `Train: 0.91, Val: 0.85`.

    Their sizes say nothing, nor do their shares.
    """
    spans = [span for name, span in line.metrics.items() if vocabulary.is_split(name)]
    if len(spans) == 1 and "epoch" in line.positions and spans[0].read is share:  # Epoch: 1 | Train: 45.084%
        return True
    if len(spans) < 2 or all(text[start:end].isdigit() for start, end, _ in spans):
        return False
    line.depends_on_digits = True
    return not math.isclose(sum(span.value(text) for span in spans), 1)


def _has_too_much_else(line: ScannedLine) -> bool:
    """Whether words and numbers that are part of nothing known outweigh the metrics."""
    is_bare = len(line.metrics) == 1 and not line.has_sign
    most = len(line.metrics) + (MOST_UNKNOWN_WITHOUT_SIGN if is_bare else MOST_UNKNOWN)
    return line.unknown_words + 2 * line.unknown_numbers > most


def _has_not_begun(line: ScannedLine, text: str) -> bool:
    """Whether the first count in a line with a bar is zero: its metrics have no values yet."""
    counts = [line.positions.get("step"), *(part for part, _ in line.fractions)]
    counts.append(line.positions.get("epoch") if "epochs" in line.positions else None)
    return next((span.value(text) for span in counts if span), None) == 0
