"""The shapes of lines: the words that stay, the numbers that change, and what the numbers are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from capture.language.numbers import NUMBER

MAX_KEPT = 200  # lines of one shape
MAX_SHAPES = 2000
LONGEST = 4000  # characters of a line

_CLOCK = r"(?:\d+ days?, )?(?:\d+:)+\d\d(?:\.\d+)?|\d+[dhm](?: \d+[hms])+"
UNIT = r"(?:%|[a-zµ]{1,3}\b|[kKMGT]i?B\b)?(?:/[A-Za-z]+\b)?"
# 0:01:02   3/25   0.5   12ms   91.2%, but neither the 50 of mAP50 nor 1.2.3 nor 0.53.ckpt
_VALUE = re.compile(
    r"(?<![\w./@])(?<![\w)]-)(?<!\d:)(?<!\.\w\w:)(?<!\.\w\w\w:)"
    rf"(?:(?P<bar>\d+%\|[^|]*\|)|(?P<clock>{_CLOCK})(?!\w)|(?P<of>\d+\s?/\s{{0,8}}\d+)(?![\w./])|(?P<range>\d+-\d+)(?![\w.-])"
    rf"|(?P<number>{NUMBER})(?P<unit>[KMGTB]\b|epoch|it\b|{UNIT})(?!\w|:\d|[./-]\w))"
)
_WORD = r"[A-Za-z_][\w./@%()-]*"
_BEFORE = re.compile(
    rf"(?P<name>{_WORD}(?: {_WORD}){{0,3}})['\"]?(?P<sign>\s*[:=]\s*|\s+[#]?|\s*(?=[\[(]))[\[(]*['\"]?$"
)
_DIGITS = re.compile(r"\d+")
_SECTION = re.compile(r"([A-Za-z_]\w*)\s*[:=]?\s*[\[({]")
UNITS = frozenset(
    ["s", "ms", "us", "sec", "m", "min", "h", "d", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib"]
)  # no names
_FILLERS = frozenset(
    ["is", "of", "at", "after", "to", "for", "the", "a", "in", "took", "and", "over", "with", "on"]
)
_RESERVED = frozenset(["_", "key", "value", "second", "steps", "epochs", "batch", "batches", "timestamp"])
COUNTERS = frozenset(
    """
    step steps iter iters iteration iterations it itr global_step globalstep update updates round episode
    episodes generation gen tree trial tick t i num_updates training_iteration batch minibatch up time
    """.split()  # noqa: SIM905
)
RESULT = re.compile(
    r"(?i)(?<![a-z])(?:\w*loss\w*|acc(?:uracy)?\w*|\w*reward\w*|rew|returns?|err(?:or)?|rmse\w*|mse|mae|ppl|"
    r"perplexity|lr|learning[_ ]rate|grad\w*|gnorm|auc|f1|iou|m?ap|dice|bleu|wer|cer|score|residual|"
    r"objective|obj|energy|likelihood|probability|\w*entropy|kl|cost|psnr|ssim|fid|precision|recall|"
    r"fitness|train|valid|val|eval)(?![a-z])"
)


class Field(NamedTuple):
    """A value in a line: its offsets, its kind, and its name.

    `kind` is `bar`, `clock`, `of` (3/25), `range` or `number`.  `end` is behind its unit.  `sign` stands
    between the name and it, `role` is `avg` or `std` for a second value beside another.
    """

    start: int
    end: int
    kind: str
    text: str
    unit: str
    name: str
    sign: str
    role: str = ""


@dataclass
class Shape:
    """Lines that differ in their numbers alone: their fields, the lines and where they are in the log."""

    fields: Sequence[Field]
    texts: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)  # of each field, its texts
    count: int = 0
    tails: set[str] = field(default_factory=set)  # what follows the last value

    def add(self, text: str, place: int, fields: Sequence[Field]) -> None:
        """One more line."""
        self.count += 1
        if len(self.texts) < MAX_KEPT:
            self.texts.append(text)
            self.places.append(place)
            self.tails.add(text[fields[-1].end :])
            for column, one in zip(self.columns, fields, strict=True):
                column.append(one.text)


def fields_of(text: str) -> list[Field]:
    """The values of a line, from left to right, each with the name that the text around it gives."""
    found: list[Field] = []
    end, taken = 0, set[str]()
    for match in _VALUE.finditer(text[:LONGEST]):
        kind = next((name for name in ("bar", "clock", "of", "range") if match[name]), "number")
        before = text[end : match.start()]
        named = _BEFORE.search(before)
        name = _plain(named["name"]) if named else ""
        if named and "#" in named["sign"] and last_word(name) not in ("epoch", *COUNTERS):
            name = ""  # which of several it is
        if match[kind][:1].lower() in "ni" and re.search(r"\b(?:of|the|any|no) $", before):
            continue  # the word, as in "number of nan iterations"
        name = name or (_topic(text[: match.start()]) if kind == "number" else "")
        name = "" if name.lower() in UNITS else name
        value, unit = match[kind], (match["unit"] or "") if kind == "number" else ""
        role = ""
        if (
            not name
            and found
            and kind == "number"
            and found[-1].unit == unit
            and not is_counter(found[-1].name)
        ):
            role = "avg" if re.fullmatch(r"\s*\(\s*", before) else ""
            role = role or ("std" if re.fullmatch(r"\s*(?:±|\+/?-|\+)\s*", before) else "")
        if role:
            name = f"{found[-1].name}/{role}" if found[-1].name else ""
        elif (
            not name
            and found
            and kind == "number"
            and re.fullmatch(r"\s*,\s*", before)
            and _in_list(text, found[-1])
        ):
            base, _, index = found[-1].name.rpartition("/")
            if not index.isdigit():
                base, index = found[-1].name, "0"
                found[-1] = found[-1]._replace(name=f"{base}/0")
            name = f"{base}/{int(index) + 1}" if base else ""
        elif name and name in taken and kind == "number" and not is_counter(name):
            sections = [section for section in _SECTION.findall(text[: match.start()]) if section != name]
            name = f"{sections[-1]}/{name}" if sections else name
        base, number = name, 1
        while name and (name in taken or name in _RESERVED) and not is_counter(name) and kind == "number":
            number += 1
            name = f"{base} {number}"
        taken |= {name} if name else set()
        end = match.end()
        if kind == "number" and not unit and value.endswith("."):  # of the sentence
            value, end = value[:-1], end - 1
        sign = named["sign"] if named and not role else ""
        found.append(Field(match.start(), end, kind, value, unit, name, sign, role))
    return found


def shapes_of(lines: Iterable[str]) -> list[Shape]:
    """The shapes of the lines that hold values, the most frequent first."""
    shapes: dict[str, Shape] = {}
    full: dict[str, Shape] = {}  # by the text with its digits blanked out: there are enough lines of these
    for place, line in enumerate(lines):
        text = " ".join(line.split())
        if not any(map(str.isdigit, text)) and "nan" not in text.lower():
            continue
        blank = _DIGITS.sub("0", text)
        if blank in full:
            full[blank].count += 1
            continue
        fields = fields_of(text)
        if not fields:
            continue
        key = _key(text, fields)
        shape = shapes.get(key)
        if shape is None:
            if len(shapes) >= MAX_SHAPES:
                continue
            shape = shapes[key] = Shape(fields, columns=[[] for _ in fields])
        shape.add(text, place, fields)
        if shape.count >= MAX_KEPT and len(full) < MAX_SHAPES:
            full[blank] = shape
    return sorted(shapes.values(), key=lambda shape: -shape.count)


def _key(text: str, fields: Sequence[Field]) -> str:
    """The text up to its last value, with its values blanked out: words at the end come and go."""
    parts, position = [], 0
    for one in fields:
        parts.append(text[position : one.start])
        parts.append("\0" + one.kind[0] + one.unit)
        position = one.end
    return "".join(parts)


def _plain(name: str) -> str:
    """A name without the words that only lead to the number."""
    words = name.split(" ")
    while words and words[0].lower() in _FILLERS:
        words.pop(0)
    while words and words[-1].lower() in _FILLERS:
        words.pop()
    text = " ".join(words).strip(".,-/")
    while text.count("(") > text.count(")"):
        text = text.partition("(")[2]
    while text.count(")") > text.count("("):
        text = text[:-1] if text.endswith(")") else text.partition(")")[2]
    return text.strip()


def _in_list(text: str, first: Field) -> bool:
    """Whether a value is in square brackets."""
    opened = text.rfind("[", 0, first.start)
    return opened >= 0 and "]" not in text[opened : first.end]


def _topic(before: str) -> str:
    """What a sentence is about that ends in `is`, or the like: its first words that are a result's."""
    if not re.search(r"(?:^|\s)(?:is|was|of|at)\s+$", before):
        return ""
    runs = re.findall(rf"{_WORD}(?: {_WORD})*", before)
    about = [run for run in runs if RESULT.search(run)]
    return _plain(" ".join(about[-1].split(" ")[:3])) if about else ""


def is_counter(name: str) -> bool:
    """Whether a name is that of a counter, and not of how many there are or were of something."""
    word = last_word(name)
    counts = word in COUNTERS or word.endswith(("_step", "_iter", "_iteration"))
    return counts and not re.match(r"(?i)(?:total|max|no|starting|seen)[ _]", name)


def last_word(name: str) -> str:
    """The last word of a name, as counters are known by it."""
    return re.split(r"[ /]", name.lower())[-1] if name else ""


def growth(column: Sequence[str]) -> int:
    """By how much whole numbers grow from one line to the next; 0 unless they grow evenly.

    They may start over, and stand still: a line may be printed twice.
    """
    if not all(re.fullmatch(r"\d[\d,]*(?:\.0)?", text) for text in column):
        return 0
    values = [int(float(text.replace(",", ""))) for text in column]
    steps = [b - a for a, b in zip(values, values[1:]) if b != a]
    if not steps:
        return 0
    by, often = Counter(steps).most_common(1)[0]
    back = sum(step < 0 for step in steps)
    return by if by > 0 and back * 3 <= len(steps) and (often * 2 >= len(steps) or not back) else 0
