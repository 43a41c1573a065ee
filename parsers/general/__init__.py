"""The careful reader for programs that no parser knows.

It takes a line that has a metric's word beside a number and is made of such pairs, of positions
(`epoch 3`, `[12/100]`) and of little else; or that ends in a mapping of such pairs.

A new kind of pair or position is one more recogniser in `pairs` or `positions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from capture.language.numbers import Value
from capture.language.readers import Memory
from capture.language.shape_cache import shape
from capture.parsers import vocabulary
from capture.parsers.general import mapping, scanner
from capture.parsers.general.line import Scan, ScannedLine
from capture.parsers.general.progress import Progress
from capture.parsers.vocabulary import Clarity

LITERALS = vocabulary.LITERALS
LONGEST = 1000  # characters: a longer line is no line of metrics, unless it is a mapping
MOST_SHAPES = 1024  # of lines that are remembered

_DIGITS_IN_NAMES = re.compile(r"[A-Za-z_@^/%][.'+-]?\d[\w.@'+-]*")  # f1, mAP50-95, acc@5, top-1
# A program prints the same few lines over and over: what is found in one is found in all that differ only
# in the digits of their numbers.  `ShapeCache` is for functions that don't tell digits apart at all; here
# those in names matter, and which of two numbers is the larger.
_known: dict[tuple[bytes | str, ...], ScannedLine | None] = {}


def begin() -> Progress:
    """What is kept from line to line: nothing is known of the run yet."""
    return Progress()


def read(text: str, progress: Progress, memory: Memory, alone: bool) -> Mapping[str, Value] | None:
    """The metrics of a line and how far the run is; None if it is no line of metrics."""
    line, plain, _ = _scan(text)
    if line is None:
        return None
    statement = line.statement(plain)
    if line.clearest < Clarity.CLEAR and not (statement.has_position and alone):
        return None
    return {**statement.metrics, **progress.place(statement, memory)}


def _scan(text: str) -> Scan:
    start = mapping.start(text)
    if len(text) > LONGEST:
        return mapping.scan(text, start) if start >= 0 else Scan(None, text, False)
    key = (shape(text), *_DIGITS_IN_NAMES.findall(text))
    if key in _known:
        line = _known[key]
        if line is None or line.holds_for(text):
            return Scan(line, text, True)
    scan = mapping.scan(text, start) if start >= 0 else scanner.scan(text)
    if scan.reusable:
        if len(_known) >= MOST_SHAPES:
            _known.clear()
        _known[key] = scan.line
    return scan
