"""What is found in a line of an unknown program: where its numbers are, and what they say."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from capture.language.numbers import fast_reader
from capture.parsers import vocabulary
from capture.parsers.general.tokens import EACH_EPOCH
from capture.parsers.vocabulary import Clarity

At = TypeVar("At")


class Span(NamedTuple):
    """Where a number is in the text, and how it is read."""

    start: int
    end: int
    read: Callable[[str], Any]

    @staticmethod
    def of(match: re.Match[str], group: str, read: Callable[[str], float]) -> Span:
        """Where a group of a match is."""
        return Span(*match.span(group), read)

    def value(self, text: str) -> float:
        """The number in this text."""
        number: float = self.read(text[self.start : self.end])
        return number


_PART = re.compile(r"(?:(?i:best|final|current|last|mean|average|avg)\.? )?(?P<part>\w+) (?=\S)")
# What a statement may say of where the run is, in its order.
POSITIONS = ("epoch", "epochs", "step", "steps", "fold")


class Statement(NamedTuple):
    """What a line says."""

    metrics: Mapping[str, float]
    epoch: float | None = None
    epochs: float | None = None
    step: float | None = None
    steps: float | None = None
    fold: float | None = None
    bar: str = ""
    step_of_epoch: bool = False  # the step starts over in each epoch, as its word says

    @property
    def has_position(self) -> bool:
        """Whether it says how far the run is."""
        return self.epoch is not None or self.step is not None


@dataclass
class ScannedLine:
    """What is found in a line, and where.

    It is the same in all lines that differ only in the digits outside of names, as far as `ordered` holds
    there too; unless `depends_on_digits`.
    """

    metrics: dict[str, Span] = field(default_factory=dict)
    clearest: Clarity = Clarity.NONE  # of the metrics' names
    has_sign: bool = False  # a colon or the like is between a name and its number
    section: str = ""  # the part of the data that the names after it belong to: `Val: loss 0.5 acc 0.9`
    positions: dict[str, Span] = field(default_factory=dict)  # epoch, epochs, step, steps, fold
    step_priority: int = 0  # of the word for the step
    fractions: list[tuple[Span, Span]] = field(default_factory=list)  # 12/100, without a word
    bar: str = ""  # its label
    unknown_words: int = 0
    unknown_numbers: int = 0
    ordered: list[tuple[Span, Span]] = field(default_factory=list)  # the first is not above the second
    depends_on_digits: bool = False

    def add(self, name: str, span: Span, clarity: Clarity | None = None) -> str:
        """Add a metric and return its full name: `loss` after `Val:` is `Val/loss`.

        `clarity` is that of the name, unless it is less clear for another reason.
        """
        if clarity is None:
            clarity = vocabulary.clarity(name)
        part = _PART.match(name)
        if part and vocabulary.is_part(part["part"]):
            if clarity >= Clarity.WEAK:
                self.section = part[0]
        elif self._is_of_section(name, clarity):
            name = self.section + name if self.section.endswith(" ") else f"{self.section}/{name}"
        if self._is_placed and vocabulary.is_learning_rate(name):
            clarity = max(clarity, Clarity.WEAK)
        self.clearest = max(self.clearest, clarity)
        self.metrics.setdefault(name, span)
        return name

    def _is_of_section(self, name: str, clarity: Clarity) -> bool:
        """Whether the name needs the part of the data: that of a metric, an unknown one after `Val:`."""
        if not self.section or self._names_its_part(name):
            return False
        is_unknown = vocabulary.clarity(name) == Clarity.NONE and not vocabulary.is_model_part(self.section)
        return clarity >= Clarity.WEAK or (is_unknown and not vocabulary.is_setting_word(name))

    def _names_its_part(self, name: str) -> bool:
        """Whether the name says itself what `section` says of the names after it: `G_loss` after `D loss`."""
        if self.section.endswith(" ") and vocabulary.is_part(name.partition("_")[0]):
            return True
        return vocabulary.names_split(name)

    def add_section(self, name: str, inside: ScannedLine) -> None:
        """Add what is found in the brackets behind a name: `tot_loss[loss=0.5]` is `tot_loss/loss`."""
        for key, span in inside.metrics.items():
            self.metrics.setdefault(f"{name}/{key}", span)
        self.clearest = max(self.clearest, inside.clearest)
        self.has_sign |= inside.has_sign
        self.unknown_words += inside.unknown_words
        self.unknown_numbers += inside.unknown_numbers
        self.depends_on_digits |= inside.depends_on_digits

    @property
    def _is_placed(self) -> bool:
        """Whether how far the run is has been found; the `batch` of `lr=0.01 batch=32` is a setting."""
        has_step = "step" in self.positions and self.step_priority != EACH_EPOCH
        return has_step or "epoch" in self.positions or bool(self.fractions)

    def set_step(self, step: Span, steps: Span | None, priority: int) -> None:
        """Keep a step, perhaps of a number of steps, unless there is one of at least this priority."""
        if priority <= self.step_priority:
            return
        self.step_priority = priority
        self.positions["step"] = step
        self.positions.pop("steps", None)
        if steps:
            self.positions["steps"] = steps

    @property
    def step_of_epoch(self) -> bool:
        """Whether the step starts over in each epoch, as its word says."""
        return self.step_priority == EACH_EPOCH

    def ends_at(self, text: str, at: int) -> bool:
        """Whether the last metric is directly before this place."""
        end = max(span.end for span in self.metrics.values())
        return not text[end:at].strip(" ,|")

    def are_ordered(self, text: str, part: Span, total: Span) -> bool:
        """Whether the first of two numbers is not above the second, which is kept in mind."""
        if 0 < total.value(text) >= part.value(text):
            self.ordered.append((part, total))
            return True
        self.depends_on_digits = True
        return False

    def holds_for(self, text: str) -> bool:
        """Whether the same is found in this text, which differs only in digits outside of names."""
        return all(0 < total.value(text) >= part.value(text) for part, total in self.ordered)

    def statement(self, text: str) -> Statement:
        """What the line says if it has this text."""
        metrics = {name: read(text[start:end]) for name, (start, end, read) in self.metrics.items()}
        positions = {name: read(text[start:end]) for name, (start, end, read) in self.positions.items()}
        of = {name: value for name, value in positions.items() if math.isfinite(value)}.get
        return Statement._make((metrics, *map(of, POSITIONS), self.bar, self.step_of_epoch))

    def read_faster(self, text: str) -> None:
        """Read the numbers as those in this text, which is of the shape of all lines to come."""
        for spans in (self.metrics, self.positions):
            for name, (start, end, read) in spans.items():
                spans[name] = Span(start, end, fast_reader(read, text[start:end]))


class Scan(NamedTuple):
    """A line of metrics, None if it is none, and the text that its spans are in."""

    line: ScannedLine | None
    text: str
    reusable: bool  # for all lines that differ only in digits outside of names


def recognise(
    recognisers: Sequence[Callable[[str, At, ScannedLine], int]], text: str, at: At, line: ScannedLine
) -> int:
    """Where that ends which the first of the recognisers recognises; 0 if none does."""
    for recogniser in recognisers:
        if end := recogniser(text, at, line):
            return end
    return 0
