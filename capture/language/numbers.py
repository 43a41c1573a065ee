"""Numbers as programs print them: the regular expression of each notation, and how its text is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Value = float | str
MAX_INT_LENGTH = 18  # characters: longer ones are not counts, and no backend's integers hold them

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
NUMBER = (
    rf"[-+]?(?:(?:{_DIGITS}(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[nN][aA][nN]|[iI]nf(?:inity)?|INF(?:INITY)?)"
)
INT = rf"[-+]?{_DIGITS}"
SI = rf"{NUMBER}\s?[kKMGTPB]?"
_AMOUNT = r"(?:\d+(?:\.\d*)?|\.\d+)\s?(?:ns|us|µs|ms|s|sec|min|m|h|d)"
DURATION = rf"(?:\d+ days?, )?(?:\d+:)?\d+:\d\d(?:\.\d+)?|{_AMOUNT}(?:\s?{_AMOUNT})*"

_SI = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12, "P": 1e15}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0}
_SECONDS |= {"min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DECIMAL = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+", re.ASCII)
_SHORT_INT = re.compile(rf"[-+]?\d{{1,{MAX_INT_LENGTH - 1}}}", re.ASCII)
_WHOLE = re.compile(NUMBER)


def is_number(text: str) -> bool:
    """Whether the whole text is a number."""
    return _WHOLE.fullmatch(text) is not None


def number(text: str) -> float:
    """The value of a text that matches NUMBER, such as `1,234`, `1.2e-4`, `nan` or `-inf`."""
    if "," in text:
        text = text.replace(",", "")
    if "." in text:
        return float(text)
    if len(text) <= MAX_INT_LENGTH:
        try:
            return int(text)
        except ValueError:
            pass
    value = float(text)
    return math.nan if math.isnan(value) else value  # always the same NaN: it equals itself in a dict


def fast_reader(read: Callable[[str], Value], text: str) -> Callable[[str], Value]:
    """A function that reads this text, and all others of its shape, as `read` does, but faster if it can."""
    if read not in (number, si) or not is_number(text):
        return read
    return float if _DECIMAL.fullmatch(text) else int if _SHORT_INT.fullmatch(text) else number


def si(text: str) -> float:
    """The value of a text that matches SI: `1.5k` is 1500, `3M` three million, `1B` and `1G` are 1e9."""
    text = text.strip()
    if text[-1] not in _SI:
        return number(text)
    value = number(text[:-1].rstrip()) * _SI[text[-1]]
    return int(value) if math.isfinite(value) and value == int(value) else value


def duration(text: str) -> float:
    """The seconds of a text that matches DURATION: `0:01:02`, `1:47`, `974us` or `1h 5m`."""
    seconds = 0.0
    days, _, clock = text.rpartition("day")
    if days:
        seconds, clock = 86400.0 * int(days), clock.lstrip("s, ")
    if ":" in clock:
        of_clock = 0.0
        for part in clock.split(":"):
            of_clock = of_clock * 60 + float(part)
        return seconds + of_clock
    for amount, unit in re.findall(r"([\d.]+)\s?([a-zµ]+)", clock):
        seconds += float(amount) * _SECONDS[unit]
    return seconds
