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
`and` and `or`; `and` binds closer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from capture.errors import UserError
from capture.watch.conditions import FIGURES, IDLE_PERCENT, Condition, Load, Says, Silent
from capture.watch.of_metrics import Compared, IsNot, Missing, Monotone, NoBetter, OfMetric, Span

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_SPAN = r"for\s+(?P<span>\d+(?:\.\d+)?\s*[a-z]*)"
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_QUOTED = r"\"[^\"]*\"|'[^']*'"


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

    def missing(self, names: Collection[str]) -> list[str]:
        """The names in it that mean none of these metrics, where it can't become true because of that."""
        found: list[str] = []
        for group in self._groups:
            metrics = [part for part in group if isinstance(part, OfMetric)]
            without = [part.name for part in metrics if not any(map(part.concerns, names))]
            if not without:
                return []
            found += without
        return list(dict.fromkeys(found))


_Make = Callable[[str, re.Match[str]], Condition]
_FORMS: list[tuple[str, _Make]] = [
    (r"says\s+(?P<quote>[\"'])(?P<words>.+)(?P=quote)", lambda text, m: Says(text, m["words"])),
    (rf"silent\s+{_SPAN}", lambda text, m: Silent(text, _seconds(text, m["span"]))),
    (
        rf"(?P<figure>gpu|cpu|command)\s+idle\s+{_SPAN}",
        lambda text, m: Load(
            text, m["figure"].lower(), "<", IDLE_PERCENT, _seconds(text, m["span"]), every=True
        ),
    ),
    (
        rf"(?P<figure>gpu memory|memory|cpu|gpu)\s*(?P<sign>[<>]=?)\s*(?P<number>{_NUMBER})\s*%"
        rf"(?:\s+{_SPAN})?",
        lambda text, m: Load(
            text, m["figure"].lower(), m["sign"], float(m["number"]), _seconds(text, m["span"]), every=False
        ),
    ),
    (r"(?P<name>.+?)\s+is\s+(?P<what>nan|inf|not finite)", lambda text, m: _is_not(text, m)),
    (rf"(?P<name>.+?)\s+(?P<way>rises|falls)\s+{_SPAN}", lambda text, m: _monotone(text, m)),
    (rf"(?P<name>.+?)\s+no better\s+{_SPAN}", lambda text, m: _no_better(text, m)),
    (rf"(?P<name>.+?)\s+missing\s+{_SPAN}", lambda text, m: _missing(text, m)),
    (
        rf"(?P<name>.+?)\s*(?P<sign>[<>=!]=|[<>=])\s*(?P<number>{_NUMBER})(?:\s+{_SPAN})?",
        lambda text, m: _compared(text, m),
    ),
]


def parse(text: str) -> Rule:
    """The condition that a text states.  Raises UserError with what would be right."""
    groups = [[_one(part) for part in _split(group, "and")] for group in _split(text, "or")]
    return Rule(text.strip(), groups)


def duration(text: str) -> float:
    """The seconds of a time such as 30s, 15m or 2h; a bare number is seconds.  Raises UserError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text).lower())
    if match is None or (match[2] or "s") not in _SECONDS:
        raise UserError(f"{text}: should be a time, such as 30s, 15m or 2h")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def _split(text: str, word: str) -> list[str]:
    """The parts between a word, but for those inside quotes."""
    parts, begin = [], 0
    for match in re.finditer(rf"{_QUOTED}|\s+({word})\s+", text, re.I):
        if match[1]:
            parts.append(text[begin : match.start()])
            begin = match.end()
    return [part.strip() for part in [*parts, text[begin:]]]


def _one(text: str) -> Condition:
    for form, make in _FORMS:
        if match := re.fullmatch(form, text, re.I | re.S):
            return make(text, match)
    raise UserError(
        f"{text!r} is no rule; rules look like: loss is nan, loss > 10, loss rises for 5, val_loss no better "
        'for 10 epochs, says "out of memory", silent for 15m, gpu idle for 10m, memory > 95%'
    )


def _is_not(text: str, match: re.Match[str]) -> Condition:
    what = match["what"].lower()
    return OfMetric(text, match["name"], lambda: IsNot(what))


def _compared(text: str, match: re.Match[str]) -> Condition:
    name, sign, number = match["name"], match["sign"], float(match["number"])
    if name.lower() in FIGURES:
        raise UserError(f"{text!r}: {name} is a share: {name} {sign} {match['number']}%")
    span = _span(text, match["span"]) if match["span"] else None
    return OfMetric(text, name, lambda: Compared(sign, number, span))


def _monotone(text: str, match: re.Match[str]) -> Condition:
    rises, span = match["way"].lower() == "rises", _span(text, match["span"])
    return OfMetric(text, match["name"], lambda: Monotone(rises, span))


def _no_better(text: str, match: re.Match[str]) -> Condition:
    span = _span(text, match["span"])
    return OfMetric(text, match["name"], lambda: NoBetter(span))


def _missing(text: str, match: re.Match[str]) -> Condition:
    seconds = _seconds(text, match["span"])
    return OfMetric(text, match["name"], lambda: Missing(seconds), timed=True)


def _span(text: str, span: str) -> Span:
    amount, unit = re.findall(r"[\d.]+|[a-z]+", span.lower() + " values")[:2]
    found = {"value": "values", "times": "values", "epoch": "epochs", "step": "steps"}.get(unit, unit)
    if float(amount) == 0:
        raise UserError(f"{text!r}: for {span}: should be more than 0")
    if found in ("values", "epochs", "steps"):
        return Span(float(amount), found)
    if unit in _SECONDS:
        return Span(float(amount) * _SECONDS[unit], "seconds")
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
