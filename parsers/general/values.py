"""Values: a name's number with its unit, and the number that may follow it."""

from __future__ import annotations

import re

from capture.language.key_values import share
from capture.language.numbers import NUMBER, number, si
from capture.parsers import vocabulary
from capture.parsers.general.line import ScannedLine, Span
from capture.parsers.general.tokens import BYTES, COUNT, TIME
from capture.parsers.vocabulary import Clarity

_SECOND = re.compile(  # 7.3 (9.3)   0.53 ± 0.01   0.53 (best 0.5)
    rf"\s*(?:\(\s*(?P<avg>{NUMBER})(?P<avg_percent>\s?%)?\s*\)"
    rf"|\(?(?:±|\+/-|\+-)\s*(?P<std>{NUMBER})(?P<std_percent>\s?%)?(?!\w)\)?"
    rf"|\((?P<which>best|avg|mean|ema|std|min|max|init|initial|prev|previous|last)\s?[:=]?\s*(?P<other>{NUMBER})(?P<other_percent>\s?%)?(?=[\s,)])[^()]*\))"
)
_COUNTED = re.compile(rf"\s*\(\s*{COUNT}\s*/\s*{COUNT}\s*\)")  # 88.20% (4410/5000)
_SHARE = re.compile(r"(?i)(?<![a-z])(?:acc|accuracy|precision|recall|correct|hits?|err|error)(?![a-z])")
_VARYING_UNIT = re.compile(rf"{TIME}|{BYTES}")  # from line to line: 900ms, 1.2s
_LOSS = re.compile(r"(?i)loss$")
_ERROR = re.compile(r"(?i)(?<![a-z])err(?:or)?(?![a-z])")


def add_value(text: str, name: str, match: re.Match[str], line: ScannedLine, spaced: bool = False) -> int:
    """Add the name with the value in `match`, and a second number after it; returns where they end.

    `spaced` says that nothing but space is between the name and its number.
    """
    unit = match["unit"] or ""
    if _VARYING_UNIT.fullmatch(unit) and not name.endswith(unit):
        name = f"{name}_{unit}"
    read = share if match["percent"] else si
    name = line.add(name, Span.of(match, "value", read), _clarity(name, match, spaced, line))
    second = _SECOND.match(text, match.end())
    if (
        second and second["avg_percent"] and not match["percent"]
    ):  # 66.91GiB(37.51%): a share of another number
        return second.end()
    if not second:
        counted = _COUNTED.match(text, match.end()) if match["percent"] or _SHARE.search(name) else None
        return counted.end() if counted else match.end()
    for group, which in (("avg", "avg"), ("std", "std"), ("other", second["which"])):
        if second[group]:
            read = share if second[f"{group}_percent"] else number
            line.metrics[f"{name}/{which}"] = Span.of(second, group, read)
    return second.end()


def _clarity(name: str, match: re.Match[str], spaced: bool, line: ScannedLine) -> Clarity:
    """How clearly a name with this value is a metric."""
    clarity, unit = vocabulary.clarity(name), match["unit"]
    if unit and not (unit == "dB" and vocabulary.in_decibels(name)):  # no other metric has a unit
        return Clarity.NONE
    if match["percent"] and _LOSS.search(name):  # of packets
        return Clarity.NONE
    is_count = match["value"].isdigit() and (spaced or _ERROR.search(name))  # Press F1 3 times   error 1
    is_column = spaced and match[0].startswith("    ") and not line.positions  # names and versions
    return clarity.less() if is_count or is_column else clarity
