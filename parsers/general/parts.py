"""One metric of several parts of the data: `train/val loss: 0.5/0.6`, `Loss: train 0.5, val 0.6`.

They are recognisers as those in `pairs`: where the pairs end is returned, 0 if they are not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from capture.language.key_values import share
from capture.language.numbers import NUMBER, number
from capture.parsers import vocabulary
from capture.parsers.general.line import ScannedLine, Span
from capture.parsers.general.names import Name
from capture.parsers.vocabulary import Clarity

_KIND = rf"(?:{vocabulary.SPLIT}|(?i:mean|median|avg|average|min|max|std))"
_KINDS = rf"(?P<kinds>{_KIND}(?:\s?[/,|&]\s?{_KIND}){{1,3}})"
_METRIC = r"(?P<name>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)"
_VALUE = rf"{NUMBER}(?:\s?%)?"
_VALUES = rf"(?P<values>{_VALUE}(?:(?:\s?[/,|]\s?| ){_VALUE}){{1,5}})(?![\w/]|\.\d)"
_OF_KINDS = re.compile(rf"{_KINDS} {_METRIC}\s?[:=]?\s*{_VALUES}")
_KINDS_OF = re.compile(rf"{_METRIC} (?P<open>\()?{_KINDS}(?(open)\))\s?[:=]\s*{_VALUES}")
_WORDS_OF = re.compile(
    rf"{_METRIC} ?\((?P<kinds>[A-Za-z]\w*(?:\s?[/,|&]\s?[A-Za-z]\w*){{1,5}})\)\s?[:=]\s*{_VALUES}"
)
_BETWEEN_KINDS = re.compile(r"\s?[/,|&]\s?")
_EACH_VALUE = re.compile(rf"(?P<value>{NUMBER})(?P<percent>\s?%)?")


def of_kinds(text: str, name: Name, line: ScannedLine) -> int:
    """`Train / Test accuracy: 0.37 / 0.28`, `mean/median reward 20.1/19.5`, `loss (train/val): 0.5/0.6`.

    In brackets any words are: `G_Loss (Content/Advers/Total): 0.0021/1.2429/0.0033`.
    """
    match = _OF_KINDS.match(text, name.start) or _KINDS_OF.match(text, name.start)
    full_name = "{part} {name}"
    if not match:
        match, full_name = _WORDS_OF.match(text, name.start), "{name}/{part}"
        if not match or vocabulary.clarity(match["name"]) < Clarity.WEAK:
            return 0
    kinds = _BETWEEN_KINDS.split(match["kinds"])
    values = list(_EACH_VALUE.finditer(text, *match.span("values")))
    if len(kinds) != len(values):
        return 0
    _add(line, match["name"], zip(kinds, values), full_name)
    return match.end()


_SIGN = r"(?:\s?[:=]\s{0,4}| )"
_OF_PART = rf"{vocabulary.SPLIT}{_SIGN}{_VALUE}"
_BY_PART = re.compile(
    rf"{_METRIC}(?:\s{{0,8}}(?:[:=|]|-{{1,3}})\s?| )(?P<open>[(\[])?"
    rf"(?P<parts>{_OF_PART}(?:(?:\s{{0,3}}[,/|;]\s{{0,3}}|\s{{1,8}}){_OF_PART}){{1,3}})(?(open)[)\]])(?![\w/:]|\.\d)"
)
_EACH_PART = re.compile(rf"(?P<part>{vocabulary.SPLIT}){_SIGN}(?P<value>{NUMBER})(?P<percent>\s?%)?")


def by_part(text: str, name: Name, line: ScannedLine) -> int:
    """`LOSS train 0.52 valid 0.61`, `Loss: train 0.52, val 0.61`, `accuracy (train=0.9, test=0.8)`."""
    match = _BY_PART.match(text, name.start)
    if not match or vocabulary.clarity(match["name"]) < Clarity.WEAK:
        return 0
    values = list(_EACH_PART.finditer(text, *match.span("parts")))
    _add(line, match["name"], [(value["part"], value) for value in values])
    return match.end()


_BARE_PARTS = re.compile(rf"{vocabulary.SPLIT} \d*\.\d+(?:,? {vocabulary.SPLIT} \d*\.\d+){{1,3}}(?![\w.%/:])")


def bare_parts(text: str, name: Name, line: ScannedLine) -> int:
    """`train 0.69 val 0.68`: the parts stand for what was measured on them."""
    match = _BARE_PARTS.match(text, name.start)
    if not match:
        return 0
    for value in _EACH_PART.finditer(text, *match.span()):
        line.add(value["part"], Span.of(value, "value", number))
    line.has_sign = True
    return match.end()


def _add(
    line: ScannedLine,
    name: str,
    values: Iterable[tuple[str, re.Match[str]]],
    full_name: str = "{part} {name}",
) -> None:
    """Add the value of each part or statistic; what follows belongs to no part."""
    line.has_sign = True
    for part, value in values:
        line.add(
            full_name.format(part=part, name=name),
            Span.of(value, "value", share if value["percent"] else number),
        )
        if vocabulary.is_split(part):
            line.section = ""


RECOGNISERS = [of_kinds, by_part, bare_parts]
