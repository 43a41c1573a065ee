"""The language of alerts and stop rules.

    loss is nan                        a metric: nan, inf, or `is not finite`
    loss > 10                          compared with a number: > >= < <= == !=; may end in `for 5 steps`
    loss rises for 5                   5 times in a row higher than before; `falls` as well
    val_loss no better for 10 epochs   epochs, steps, values, or a time: 30s 15m 2h
    loss missing for 10m               it was printed before, but not for so long
    says "CUDA out of memory"          a line of the console holds this text
    silent for 15m                     nothing was printed for so long
    gpu idle for 10m                   `gpu` (all of them), `cpu`, `command` (its processes)
    memory > 95%                       `memory`, `gpu memory`, `cpu`, `gpu`; may end in `for 5m`

A metric is called by its name, its last part (`loss`) or a pattern (`*loss*`).  Conditions are joined by
`and` and `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from capture.errors import UserError
from capture.watch.conditions import (
    IDLE_PERCENT,
    Compared,
    Condition,
    IsNot,
    Load,
    Missing,
    Monotone,
    NoBetter,
    Says,
    Silent,
    Span,
)

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SPAN = r"for\s+(?P<span>\d+(?:\.\d+)?\s*[a-z]*)"
_UNITS = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
}


class Rule:
    """A whole rule: one of its groups of conditions has to hold, which does if all its parts do."""

    def __init__(self, text: str, groups: list[list[Condition]]) -> None:
        self.text = text
        self._groups = groups
        self.parts = [part for group in groups for part in group]

    def holds(self, now: float) -> list[Condition]:
        """The conditions by which it holds now; empty if it doesn't."""
        for group in self._groups:
            if all(part.holds(now) for part in group):
                return group
        return []


_Make = Callable[[str, re.Match[str]], Condition]
_FORMS: list[tuple[str, _Make]] = [
    (r"says\s+(?P<quote>[\"'])(?P<words>.+)(?P=quote)", lambda text, m: Says(text, m["words"])),
    (rf"silent\s+{_SPAN}", lambda text, m: Silent(text, _seconds(text, m["span"]))),
    (
        rf"(?P<figure>gpu|cpu|command)\s+idle\s+{_SPAN}",
        lambda text, m: Load(text, m["figure"], "<", IDLE_PERCENT, _seconds(text, m["span"]), every=True),
    ),
    (
        rf"(?P<figure>gpu memory|memory|cpu|gpu)\s*(?P<sign>[<>]=?)\s*(?P<number>{_NUMBER})\s*%"
        rf"(?:\s+{_SPAN})?",
        lambda text, m: Load(
            text, m["figure"], m["sign"], float(m["number"]), _seconds(text, m["span"]), every=False
        ),
    ),
    (r"(?P<name>.+?)\s+is\s+(?P<what>nan|inf|not finite)", lambda text, m: IsNot(text, m["name"], m["what"])),
    (
        rf"(?P<name>.+?)\s+(?P<way>rises|falls)\s+{_SPAN}",
        lambda text, m: Monotone(text, m["name"], m["way"] == "rises", _span(text, m["span"])),
    ),
    (
        rf"(?P<name>.+?)\s+no better\s+{_SPAN}",
        lambda text, m: NoBetter(text, m["name"], _span(text, m["span"])),
    ),
    (
        rf"(?P<name>.+?)\s+missing\s+{_SPAN}",
        lambda text, m: Missing(text, m["name"], _seconds(text, m["span"])),
    ),
    (
        rf"(?P<name>.+?)\s*(?P<sign>[<>=!]=|[<>=])\s*(?P<number>{_NUMBER})(?:\s+{_SPAN})?",
        lambda text, m: Compared(
            text, m["name"], m["sign"], float(m["number"]), _span(text, m["span"]) if m["span"] else None
        ),
    ),
]


def parse(text: str) -> Rule:
    """The condition that a text states.  Raises UserError with what would be right."""
    groups = [[_one(part) for part in _split(group, "and")] for group in _split(text, "or")]
    return Rule(text.strip(), groups)


def _split(text: str, word: str) -> list[str]:
    """The parts between a word, but for those inside quotes."""
    return [part.strip() for part in re.split(rf"\s+{word}\s+(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text)]


def _one(text: str) -> Condition:
    for form, make in _FORMS:
        if match := re.fullmatch(form, text.strip(), re.I if form.startswith(("says", "silent")) else 0):
            return make(text.strip(), match)
    raise UserError(
        f"{text!r} is no rule; rules look like: loss is nan, loss > 10, loss rises for 5, val_loss no better "
        'for 10 epochs, says "out of memory", silent for 15m, gpu idle for 10m, memory > 95%'
    )


def _span(text: str, span: str) -> Span:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", span)
    amount, unit = (float(match[1]), match[2]) if match else (0.0, "?")
    if unit in ("", "value", "values", "times"):
        return Span(amount, "values")
    if unit in ("epoch", "epochs", "step", "steps"):
        return Span(amount, unit.rstrip("s") + "s")
    if unit.rstrip("s") in _UNITS or unit in _UNITS:
        return Span(amount * _UNITS[unit if unit in _UNITS else unit.rstrip("s")], "seconds")
    raise UserError(
        f"{text!r}: for {span}: should be a number of epochs, steps or values, or a time such as 30s, 15m, 2h"
    )


def _seconds(text: str, span: str | None) -> float:
    if span is None:
        return 0.0
    found = _span(text, span)
    if found.unit != "seconds":
        raise UserError(f"{text!r}: for {span}: should be a time, such as 30s, 15m or 2h")
    return found.amount
