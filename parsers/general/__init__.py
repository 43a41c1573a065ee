"""The careful reader for programs that no parser knows.

It takes a line that has a metric's word beside a number and is made of such pairs, of positions
(`epoch 3`, `[12/100]`) and of little else; or that ends in a mapping of such pairs.  A line of the same form
without such a word is held back until it has recurred often enough.

A new kind of pair or position is one more recogniser in `pairs` or `positions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from capture.language.readers import Answer, Found, Line, Memory
from capture.language.shape_cache import shape
from capture.parsers import vocabulary
from capture.parsers.general import form, mapping, scanner
from capture.parsers.general.form import FormScan
from capture.parsers.general.line import Scan
from capture.parsers.general.progress import Progress
from capture.parsers.general.recurrence import Held, Recurrence
from capture.parsers.vocabulary import Clarity

LITERALS = vocabulary.LITERALS
LONGEST = 1000  # characters: a longer line is no line of metrics, unless it is a mapping
MOST_SHAPES = 1024  # of lines that are remembered

_DIGITS_IN_NAMES = re.compile(r"[A-Za-z_@^/%][.'+-]?\d[\w.@'+-]*")  # f1, mAP50-95, acc@5, top-1
_NO_FORM = FormScan(None, "", True)
_REFUSED, _REFUSED_IN_BLOCK = Answer(), Answer(expects_next=True)


class _Scans(NamedTuple):
    """What is found in a line: by its words, and, where they say too little, by its form."""

    clear: Scan
    doubtful: FormScan

    def holds_for(self, text: str) -> bool:
        """Whether the same is found in this text, which differs only in digits outside of names."""
        clear, doubtful = self.clear.line, self.doubtful.form
        return (clear is None or clear.holds_for(text)) and (
            doubtful is None or doubtful.line.holds_for(text)
        )


# A program prints the same few lines over and over: what is found in one is found in all that differ only
# in the digits of their numbers.  `ShapeCache` is for functions that don't tell digits apart at all; here
# those in names matter, and which of two numbers is the larger.
_known: dict[tuple[bytes | str, ...], _Scans] = {}


@dataclass
class Run:
    """What is kept from line to line."""

    progress: Progress = field(default_factory=Progress)
    recurrence: Recurrence = field(default_factory=Recurrence)


def begin() -> Run:
    """What is kept from line to line: nothing is known of the run yet."""
    return Run()


def read(line: Line, run: Run, memory: Memory) -> Answer:
    """The metrics of a line and how far the run is; those of earlier lines that it makes certain."""
    (found, plain, _), doubtful = _scan(line.text)
    if found is not None and (
        found.clearest >= Clarity.CLEAR
        or (line.alone and ("epoch" in found.positions or "step" in found.positions))
    ):
        statement = found.statement(plain)
        if found.clearest >= Clarity.CLEAR or statement.has_position:
            expects_next = run.recurrence.next_line(line.expected)
            values = {**statement.metrics, **run.progress.place(statement, memory)}
            return Answer([Found(values, line.frame)], expects_next)
    return _read_doubtful(line, doubtful, run, memory)


def _read_doubtful(line: Line, scan: FormScan, run: Run, memory: Memory) -> Answer:
    """What recurs, below headings or with a counter of its own."""
    of_line, plain, _ = scan
    if of_line is None or not (of_line.has_counter or line.expected):
        return _REFUSED_IN_BLOCK if run.recurrence.next_line(line.expected) else _REFUSED
    statement = of_line.line.statement(plain)
    if of_line.is_heading:
        return Answer(expects_next=run.recurrence.begin_block(statement, memory))
    certain = run.recurrence.add(of_line, statement, memory, line.frame, len(line.text))
    expects_next = run.recurrence.next_line(line.expected)
    return Answer(
        [_found(held, run, memory if held is certain[-1] else held.memory) for held in certain], expects_next
    )


def _found(held: Held, run: Run, memory: Memory) -> Found:
    values = {**held.statement.metrics, **run.progress.place(held.statement, memory)}
    return Found({"epoch": float("nan"), **values}, held.frame)


def _scan(text: str) -> _Scans:
    start = mapping.start(text)
    if len(text) > LONGEST:
        scan = mapping.scan(text, start) if start >= 0 else Scan(None, text, False)
        return _Scans(scan, _NO_FORM)
    key = (shape(text), *_DIGITS_IN_NAMES.findall(text))
    known = _known.get(key)
    if known is not None and known.holds_for(text):
        return _Scans(known.clear._replace(text=text), known.doubtful._replace(text=text))
    scan = mapping.scan(text, start) if start >= 0 else scanner.scan(text)
    is_clear = scan.line is not None and scan.line.clearest >= Clarity.CLEAR
    scans = _Scans(scan, _NO_FORM if is_clear or start >= 0 else form.scan(text))
    if scan.reusable and scans.doubtful.reusable:
        if len(_known) >= MOST_SHAPES:
            _known.clear()
        _known[key] = scans
    return scans
