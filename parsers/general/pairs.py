"""Names with their numbers: `loss=0.53`, `acc: 91.2%`, `Accuracy: 9850/10000 (98%)`.

A recogniser takes a line's text, a name in it, and what was found before, to which it adds.  It returns
where the pair ends, 0 if it does not recognise it.
"""

from __future__ import annotations

import re

from capture.language.key_values import share
from capture.language.numbers import NUMBER, number
from capture.parsers import vocabulary
from capture.parsers.general import other_pairs, parts, phrases, positions
from capture.parsers.general.line import ScannedLine, Span, recognise
from capture.parsers.general.names import Name, is_of_sentence, name_at, without_sentence
from capture.parsers.general.tokens import COUNT, EACH_EPOCH, VALUE, WORD, count, ratio
from capture.parsers.general.values import add_value
from capture.parsers.vocabulary import Clarity

_WITH_SIGN = re.compile(
    r"['\"]?(?P<note> \([A-Za-z][\w@. -]{0,20}\))?(?: (?:is|was|are))?"
    rf"\s{{0,12}}\|{{0,2}}:?[:=](?![:=])\s*{VALUE}(?! / \d)"
)
_FRACTION_BEGINS = re.compile(r" \[\s*\d+/")
_LOSS_BEGINS = re.compile(r",? (?i:loss|acc)\w*\s?[:=]")
_LOOP_VARIABLES = ("i", "t", "k")


def _count_with_sign(text: str, name: Name) -> re.Match[str] | None:
    match = _WITH_SIGN.match(text, name.end)
    return match if match and match["value"].isdigit() else None


def split_with_epoch(text: str, name: Name, line: ScannedLine) -> int:
    """`Train: 3 [  50/1251 (  4%)]`; what counts in `train: 937 loss: 1.75` is not known."""
    match = _count_with_sign(text, name) if vocabulary.is_split(name.text) else None
    if not match:
        return 0
    if _FRACTION_BEGINS.match(text, match.end()):
        line.positions["epoch"] = Span.of(match, "value", count)
    elif not _LOSS_BEGINS.match(text, match.end()):
        return 0
    line.has_sign = True
    line.section = name.text
    return match.end()


_PART_AND_COUNTER = re.compile(
    r"(?P<part>(?P<split>[A-Za-z]+)(?: {1,2}\w+)?)[ _]{1,2}(?P<counter>[A-Za-z]*[A-RT-Za-rt-z])"
)


def position_of_split(text: str, name: Name, line: ScannedLine) -> int:
    """`Eval Epoch: 1 loss 0.5`, `valid step:10 top1:0.5`, `Train source1 iter: 10`, `valid_epoch:0`."""
    match = _PART_AND_COUNTER.fullmatch(name.text)
    if not match or not vocabulary.is_split(match["split"]) or not positions.is_counter(match["counter"]):
        return 0
    end = positions.named(text, name.start + match.start("counter"), line)
    if end:
        line.section = " ".join(match["part"].split())
    return end


def loop_variable(text: str, name: Name, line: ScannedLine) -> int:
    """`i=100`: the step, if there is no other."""
    if name.text not in _LOOP_VARIABLES or "step" in line.positions:
        return 0
    match = _count_with_sign(text, name)
    if not match:
        return 0
    line.has_sign = True
    line.positions["step"] = Span.of(match, "value", count)
    return match.end()


def number_of_process(text: str, name: Name, line: ScannedLine) -> int:
    """`Run: 01`, `rank=3`: no metric."""
    match = _count_with_sign(text, name) if vocabulary.is_process(name.text) else None
    if not match:
        return 0
    line.has_sign = True
    return match.end()


_CALL = re.compile(rf"\([^()=]*\) = {VALUE}\s*$")


def call(text: str, name: Name, line: ScannedLine) -> int:
    """`accuracy(x, y) = 0.91`: what the macro show of Julia prints."""
    match = _CALL.match(text, name.end) if not text[: name.start].strip() else None
    if not match or vocabulary.clarity(name.text) < Clarity.CLEAR:
        return 0
    line.has_sign = True
    return add_value(text, name.text, match, line)


_IN_BRACKETS = re.compile(r"\[(?P<pairs>[A-Za-z][\w ./@-]*\s?[=:][^\[\]]*)\]")


def section(text: str, name: Name, line: ScannedLine) -> int:
    """`tot_loss[loss=0.5, acc=0.9]`, `val[loss: 0.5]`: the name goes before those in the brackets."""
    match = _IN_BRACKETS.match(text, name.end)
    if not match:
        return 0
    inside, at = ScannedLine(), match.start("pairs")
    while at < match.end("pairs"):
        at = (pair(text, at, inside) if text[at].isalpha() else 0) or at + 1
    if not inside.metrics or max(span.end for span in inside.metrics.values()) > match.end():
        return 0
    line.add_section(without_sentence(name, line), inside)
    return match.end()


def with_sign(text: str, name: Name, line: ScannedLine) -> int:
    """`loss=0.53`, `acc: 91.2%`, `loss (mean) = 0.5`."""
    match = _WITH_SIGN.match(text, name.end)
    if not match:
        return 0
    line.has_sign = True
    full_name = without_sentence(name, line) + _note(text, match, line)
    if not vocabulary.is_split(full_name) or full_name not in line.metrics:
        return add_value(text, full_name, match, line)
    metrics = [name for name in line.metrics if not vocabulary.names_split(name)]
    end = add_value(text, " ".join([full_name, *metrics[-1:]]), match, line)  # MSE: 1, Val: 2, MAE: 3, Val: 4
    line.section = ""
    return end


def _note(text: str, match: re.Match[str] | None, line: ScannedLine) -> str:
    """What is in brackets behind a name: ` (micro avg)`; nothing if that is a position: ` (epoch 3)`."""
    if match is None or not match["note"]:
        return ""
    end = positions.named(text, match.start("note") + 2, line)
    return "" if end >= match.end("note") - 1 else match["note"]


_NUMBERED = re.compile(
    rf" (?P<number>\d{{1,3}}) (?P<rest>{WORD}(?: {WORD}){{0,2}})\s{{0,4}}[:=](?![:=])\s*{VALUE}"
)


def numbered(text: str, name: Name, line: ScannedLine) -> int:
    """`Style 1 loss: 12.4`, `Top 5 accuracy: 0.9`: a number tells metrics apart."""
    match = _NUMBERED.match(text, name.end) if " " not in name.text else None
    if not match or vocabulary.clarity(match["rest"]) < Clarity.WEAK:
        return 0
    if is_of_sentence(name.text) or vocabulary.is_split(name.text) or positions.is_counter(name.text):
        return 0
    line.has_sign = line.depends_on_digits = True
    return add_value(text, f"{name.text} {match['number']} {match['rest']}", match, line)


_HITS = re.compile(
    rf"(?:\s{{0,2}}[:=]\s{{0,4}}| )(?P<hits>{COUNT})\s?/\s?(?P<all>{COUNT})(?![\d/]|\.\d)"
    r"(?:\s*\(\s*[\d.]+\s?%\s*\))?"
)


def hits(text: str, name: Name, line: ScannedLine) -> int:
    """`Accuracy: 9850/10000 (98%)`."""
    match = _HITS.match(text, name.end) if vocabulary.clarity(name.last_word) == Clarity.CLEAR else None
    if not match or not line.are_ordered(text, Span.of(match, "hits", count), Span.of(match, "all", count)):
        return 0
    line.add(without_sentence(name, line), Span(match.start("hits"), match.end("all"), ratio))
    return match.end()


_AT_STEP = re.compile(rf" (?P<at>{COUNT}):?\s+(?=-?\d*\.\d|-?\d+e-|nan|inf){VALUE}")


def at_step(text: str, name: Name, line: ScannedLine) -> int:
    """`Validation loss 15: 0.878570`, `Train loss 5 1.171202`."""
    match = _AT_STEP.match(text, name.end) if vocabulary.clarity(name.text) == Clarity.CLEAR else None
    if not match:
        return 0
    line.set_step(Span.of(match, "at", count), None, EACH_EPOCH)
    return add_value(text, without_sentence(name, line), match, line)


_METER = re.compile(rf"\s+(?=-?\d+\.\d+ ){VALUE}(?= ?\(-?\d+\.\d+\)(?:\s|$))")


def meter(text: str, name: Name, line: ScannedLine) -> int:
    """`Xent 7.4725 (6.9198)`: a value and its mean."""
    match = _METER.match(text, name.end) if " " not in name.text else None
    if not match or match["unit"] or is_of_sentence(name.text) or positions.is_counter(name.text):
        return 0
    return add_value(text, name.text, match, line, spaced=True)


_AFTER_SPACE = re.compile(rf"\s+(?:is\s+|was\s+|of\s+)?{VALUE}")
_NOTE = re.compile(r"(?P<note> \([A-Za-z][\w@. -]{0,20}\))")
_EDGES = ("|", ",", ";", "\t", " -")


def after_space(text: str, name: Name, line: ScannedLine) -> int:
    """`loss 0.53`, `episode reward total was -21.0`, `f1-score (micro avg) 0.65`."""
    clarity = vocabulary.clarity(
        name.text if text.startswith((" is ", " was "), name.end) else name.last_word
    )
    if clarity < Clarity.BESIDE:
        return 0
    note = _NOTE.match(text, name.end)
    match = _AFTER_SPACE.match(text, note.end() if note else name.end)
    if not match:
        return 0
    return add_value(text, without_sentence(name, line) + _note(text, note, line), match, line, spaced=True)


def cell(text: str, name: Name, line: ScannedLine) -> int:
    """`| Avg100 4.3 |`: any name, alone between two signs that part pairs; one word may be the last."""
    match = _AFTER_SPACE.match(text, name.end)
    if not match or not text[: name.start].rstrip(" ").endswith(_EDGES):
        return 0
    rest = text[match.end() :].strip(" ")
    before, _, words = name.text.partition(" ")
    is_last_word = not rest and " " not in (words if words and vocabulary.is_split(before) else name.text)
    if not is_last_word and not rest.startswith((*_EDGES, "- ")):
        return 0
    return add_value(text, without_sentence(name, line), match, line, spaced=True)


_RATIO_IS = re.compile(rf"\s{{0,4}}[:=]\s{{0,4}}{NUMBER}\s?/\s?{NUMBER}\s?=\s?{VALUE}")


def ratio_is(text: str, name: Name, line: ScannedLine) -> int:
    """`acc: 364159.0/388505.0=0.9373`."""
    match = _RATIO_IS.match(text, name.end)
    if not match:
        return 0
    line.has_sign = True
    return add_value(text, without_sentence(name, line), match, line)


_SEVERAL = re.compile(
    rf"\s{{0,4}}(?P<equals>[:=]\s{{0,4}})?(?:(?P<list>[\[(])\s*)?(?P<values>{NUMBER}\s?%?(?:\s?(?P<sign>[/,])\s?{NUMBER}\s?%?)"
    rf"(?:\s?(?P=sign)\s?{NUMBER}\s?%?){{0,30}})\s*(?(list)[\])])(?![\w/:]|\.\d)"
)
_ONE_OF_SEVERAL = re.compile(rf"(?P<value>{NUMBER})(?P<percent>\s?%)?")


def several(text: str, name: Name, line: ScannedLine) -> int:
    """`err= 0.60%/14.92%`, `loss_G: 0.5/0.6/0.7`, `dice [0.91, 0.87]`: the parts are err/0, err/1, ..."""
    match = _SEVERAL.match(text, name.end)
    if not match or match["sign"] != ("," if match["list"] else "/") or "." not in match["values"]:
        return 0
    clarity = vocabulary.clarity(name.text)
    if not match["equals"] and clarity < Clarity.BESIDE:
        return 0
    line.has_sign = True
    full_name = without_sentence(name, line)
    for number_of_part, part in enumerate(_ONE_OF_SEVERAL.finditer(text, *match.span("values"))):
        read = share if part["percent"] else number
        line.add(f"{full_name}/{number_of_part}", Span.of(part, "value", read), clarity)
    return match.end()


_CLEAR_NEXT = re.compile(rf"[ ,|]{{1,4}}({WORD})\s?[:=]?\s{{0,4}}[-+]?[\d.]")


def beside(text: str, name: Name, line: ScannedLine) -> int:
    """`L1 0.03 PSNR 18.9`: a word with a decimal beside the name of a metric that has one."""
    match = _AFTER_SPACE.match(text, name.end) if " " not in name.text else None
    if not match or match["unit"] or "." not in match["value"] or is_of_sentence(name.text):
        return 0
    following = _CLEAR_NEXT.match(text, match.end())
    is_before_metric = following is not None and vocabulary.clarity(following[1]) == Clarity.CLEAR
    if not is_before_metric and not (line.metrics and line.ends_at(text, name.start)):
        return 0
    section = line.section if line.section.endswith(" ") or not line.section else f"{line.section}/"
    return add_value(text, section + name.text, match, line, spaced=True)


RECOGNISERS = [
    call,
    other_pairs.place,
    position_of_split,
    numbered,
    section,
    phrases.at_place,
    phrases.at_count,
    phrases.learning_rate,
    phrases.phrase,
    *parts.RECOGNISERS,
    split_with_epoch,
    loop_variable,
    number_of_process,
    ratio_is,
    several,
    other_pairs.how_many,
    other_pairs.days,
    other_pairs.size,
    with_sign,
    hits,
    at_step,
    after_space,
    meter,
    cell,
    beside,
    other_pairs.text_value,
]


def pair(text: str, at: int, line: ScannedLine) -> int:
    """A name with its number."""
    name = name_at(text, at)
    if name and ":" in name.text:  # mAP@.5:.95
        line.depends_on_digits = True
    return recognise(RECOGNISERS, text, name, line) if name else 0


MOST_WORDS_WITHOUT_SIGN = 3


def any_name(text: str, name: Name, line: ScannedLine) -> int:
    """`fitness 12.5`: any name of few words, none of them of a sentence; not `Running generation 18`."""
    match = _AFTER_SPACE.match(text, name.end)
    if match and match["value"].isdigit() and positions.is_counter(name.last_word):
        return 0
    words = name.text.split()
    if not match or len(words) > MOST_WORDS_WITHOUT_SIGN or any(map(is_of_sentence, words)):
        return 0
    return add_value(text, " ".join(words), match, line, spaced=True)


_WITH_ANY_NAME = [*RECOGNISERS, any_name]


def any_pair(text: str, at: int, line: ScannedLine) -> int:
    """A name with its number, also where only recurrence can tell that it is a metric."""
    name = name_at(text, at)
    return recognise(_WITH_ANY_NAME, text, name, line) if name else 0
