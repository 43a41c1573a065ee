"""The short form of a sweep: `lr=1e-4..1e-1 bs=16,32 opt=adam,sgd`, as the file that it stands for.

name=VALUE,VALUE       these values; one alone is a constant
name=LOW..HIGH         a range: of whole numbers if both are, in logarithms if it spans two decades or more
name=LOW..HIGH:STEP    every STEP of the range
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from capture.errors import UserError
from capture.language.literals import literal
from capture.language.numbers import is_number, number
from capture.metrics import better

DECADES = 100  # how many times its lower end the upper one is, from which on a range is in logarithms
_GOALS = {"min": "minimize", "minimize": "minimize", "max": "maximize", "maximize": "maximize"}
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.S)


def is_pair(word: str) -> bool:
    """Whether a word is a parameter with its values."""
    return _PAIR.fullmatch(word) is not None


def parameters(words: Sequence[str]) -> dict[str, Any]:
    """The `parameters:` section that the words stand for.  Raises UserError for a word that is none."""
    found: dict[str, Any] = {}
    for word in words:
        match = _PAIR.fullmatch(word)
        if match is None:
            raise UserError(f"{word!r} should be NAME=VALUES, such as lr=0.01,0.1 or lr=1e-4..1e-1")
        name, values = match[1], match[2]
        if name in found:
            raise UserError(f"{name} is there twice; put its values together: {name}=A,B")
        found[name] = _spec(word, values)
    return found


def method(section: dict[str, Any]) -> str:
    """The method where none is asked for: a grid if it has an end, else random points."""
    finite = ("constant", "categorical", "int_uniform", "q_uniform")
    return "grid" if all(_kind(spec) in finite for spec in section.values()) else "random"


def metric(text: str) -> dict[str, Any]:
    """The `metric:` section of `min val_loss`, `max acc`, or of a name that tells which is better.

    Raises UserError where nothing tells it.
    """
    words = text.split()
    if len(words) >= 2 and words[0] in _GOALS:
        return {"name": text.split(None, 1)[1], "goal": _GOALS[words[0]]}
    if len(words) >= 2 and words[-1] in _GOALS:
        return {"name": text.rsplit(None, 1)[0], "goal": _GOALS[words[-1]]}
    direction = better(text)
    if not text.strip() or not direction:
        raise UserError(
            f"--metric {text!r}: say whether low or high is good: --metric 'min {text.strip() or 'NAME'}'"
        )
    return {"name": text.strip(), "goal": _GOALS[direction]}


def _kind(spec: dict[str, Any]) -> str:
    if "distribution" in spec:
        return str(spec["distribution"])
    if "min" in spec:
        return "int_uniform" if isinstance(spec["min"], int) and isinstance(spec["max"], int) else "uniform"
    return "constant" if "value" in spec else "categorical"


def _spec(word: str, text: str) -> dict[str, Any]:
    low, dots, rest = text.partition("..")
    if dots and is_number(low) and (not rest or rest[0] != "."):
        return _range(word, low, rest)
    if text == "":
        raise UserError(f"{word!r}: there is no value behind the =")
    values = [literal(part) for part in _parts(text)]
    return {"value": values[0]} if len(values) == 1 else {"values": values}


def _range(word: str, low_text: str, rest: str) -> dict[str, Any]:
    high_text, colon, step_text = rest.partition(":")
    if not is_number(high_text) or (colon and not is_number(step_text)):
        raise UserError(f"{word!r}: a range is LOW..HIGH or LOW..HIGH:STEP, such as 1e-4..1e-1 or 0..0.5:0.1")
    low, high = number(low_text), number(high_text)
    if not low < high:
        raise UserError(f"{word!r}: {low_text} is not less than {high_text}")
    if colon:
        step = number(step_text)
        if step <= 0:
            raise UserError(f"{word!r}: the step should be more than 0")
        # W&B's grid leaves the upper end out; here it is meant.
        return {"values": _steps(low, high, step)}
    whole = isinstance(low, int) and isinstance(high, int)
    if low > 0 and high / low >= DECADES:
        if whole:
            return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": 1}
        return {"distribution": "log_uniform_values", "min": low, "max": high}
    return {"min": low, "max": high} if whole else {"distribution": "uniform", "min": low, "max": high}


def _steps(low: float, high: float, step: float) -> list[Any]:
    count = int((high - low) / step + 1e-9) + 1
    if count > 10_000:
        raise UserError(f"{low}..{high}:{step} are {count:,} values; 10,000 are the most")
    return [float(f"{low + index * step:.12g}") if isinstance(step, float) else low + index * step
            for index in range(count)]  # fmt: skip


def _parts(text: str) -> list[str]:
    """The values between commas; commas in brackets and quotes belong to a value."""
    found, depth, quote, start = [], 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(text[start:place])
            start = place + 1
    return [*found, text[start:]]
