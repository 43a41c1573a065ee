"""Names with words of a sentence before their number: `Accuracy of the network on the test images: 55 %`.

They are recognisers as those in `pairs`: where the pair ends is returned, 0 if it is not recognised.
"""

from __future__ import annotations

import re

from capture.language.numbers import number
from capture.parsers import vocabulary
from capture.parsers.general import positions
from capture.parsers.general.line import ScannedLine, Span
from capture.parsers.general.names import Name, without_sentence
from capture.parsers.general.tokens import COUNT, EACH_EPOCH, VALUE, WORD, count
from capture.parsers.general.values import add_value
from capture.parsers.vocabulary import Clarity

_PHRASE = re.compile(
    rf"(?P<name>{WORD}(?: (?!(?:of|on|for|over|after|at|in) ){WORD}){{0,3}}) (?:\([^()]*\) )?"
    r"(?:of|on|for|over|after|at|in) (?:(?![:=] ?[-+.\d])[^=|,;]|(?<=\d),(?=\d{3}\b)){1,80}?"
    rf"(?:(?<!\d):|:(?!\d)|=| is)\s*{VALUE}\s*[.!]?\s*(?:$|(?=±|\+/?-|[A-Za-z][\w ]{{0,30}}[:=]))"
)
_PHRASE_END = re.compile(r"\s*(?::|=| is)\s*$")
_WHEN = re.compile(r" (?=(?:after|at|in|for) [\da-z])")


def phrase(text: str, name: Name, line: ScannedLine) -> int:
    """`Accuracy of the network on the 10000 test images: 55 %`."""
    match = _PHRASE.match(text, name.start)
    if not match or vocabulary.clarity(match["name"]) < Clarity.WEAK:
        return 0
    line.has_sign = True
    start = _behind_split(match["name"], name, line)
    words = _PHRASE_END.sub("", text[start : match.start("value")])
    if when := _WHEN.search(words):
        begin = start + when.end()
        if positions.after(text, begin, line) or positions.named(text, text.index(" ", begin) + 1, line):
            words = words[: when.start()]
    without_numbers = " ".join(re.sub(r"(?<!@)\b\d[\d,.]*\b|:", " ", words).split())
    return add_value(text, without_numbers, match, line)


_AT_PLACE = re.compile(
    rf"(?P<name>{WORD}(?: (?!(?:at|in|after|for) ){WORD}){{0,3}}) (?:at|in|after|for) "
    rf"(?P<place>(?i:(?:,? ?(?:epoch|step|iteration|iter|batch|update|episode) ?#?{COUNT}){{1,2}}))"
    rf"(?::| is| =| (?=\d*\.\d)) ?{VALUE}"
)
_AT_COUNT = re.compile(
    rf"(?P<name>{WORD}(?: (?!at ){WORD}){{0,3}}) at (?P<at>{COUNT})"
    rf"\s?(?::| is| =) ?(?=-?\d*\.\d|-?\d+e-|nan|inf){VALUE}"
)
_PLACE = re.compile(r"[A-Za-z]+")


def at_place(text: str, name: Name, line: ScannedLine) -> int:
    """`loss in epoch 1 iteration 0: 1.38`, `loss at iteration 100: 0.5`, `Val Loss for epoch 0 0.8`."""
    match = _AT_PLACE.match(text, name.start)
    if not match or vocabulary.clarity(match["name"]) < Clarity.WEAK:
        return 0
    for word in _PLACE.finditer(text, *match.span("place")):
        positions.named(text, word.start(), line)
    line.has_sign = True
    start = _behind_split(match["name"], name, line)
    own = Name(text[start : match.end("name")], start, match.end("name"))
    return add_value(text, without_sentence(own, line), match, line)


def at_count(text: str, name: Name, line: ScannedLine) -> int:
    """`Loss at 1000 = 1.2029`."""
    match = _AT_COUNT.match(text, name.start)
    if not match or vocabulary.clarity(match["name"]) < Clarity.WEAK:
        return 0
    line.set_step(Span.of(match, "at", count), None, EACH_EPOCH)
    line.has_sign = True
    start = _behind_split(match["name"], name, line)
    return add_value(text, text[start : match.end("name")], match, line)


_LEARNING_RATE = re.compile(
    rf"(?i:(?:(?:reduc|adjust|decreas|increas|updat|decay|dropp)\w* |(?:set|new) )?"
    rf"(?P<name>learning[ _]rate|lr)(?: (?:of|for) (?:param(?:eter)? )?group (?P<group>\d{{1,3}}))?"
    rf" to) {VALUE}"
)


def learning_rate(text: str, name: Name, line: ScannedLine) -> int:
    """`reducing learning rate of group 0 to 1.0000e-04.`, `lr to 0.01`."""
    match = _LEARNING_RATE.match(text, name.start)
    if not match:
        return 0
    group = match["group"] or "0"
    line.depends_on_digits |= match["group"] is not None
    full_name = match["name"] if group == "0" else f"{match['name']}/{group}"
    line.add(full_name, Span.of(match, "value", number), Clarity.CLEAR)
    line.has_sign = True
    return match.end()


def _behind_split(words: str, name: Name, line: ScannedLine) -> int:
    """Where the name begins behind the part of the data that it names, which becomes the line's section."""
    if " " not in words or not vocabulary.is_split(name.first_word):
        return name.start
    line.section = name.first_word
    return name.start + len(name.first_word) + 1
