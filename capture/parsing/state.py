"""What a parser remembers between lines: names, bars, and lines that mean something only later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from capture.console.frames import Frame
from capture.language.numbers import Value
from capture.parsing.bars import BARS, Bar

MOST_NAMES = 1000  # that lines of context and config may add to the memory
MOST_WAITING = 8
MOST_BARS = 1000
AT_ONCE = 0.005  # seconds between what was read from two streams that were ready at once

Memory = dict[str, Value]


class Reading(NamedTuple):
    """What one frame means, before it becomes a record.

    frame: where it was printed, if that is not the frame that is being read
    """

    step: int | None = None
    epoch: float | None = None
    metrics: Mapping[str, float] = {}
    context: Mapping[str, Any] = {}
    config: Mapping[str, Any] = {}
    frame: Frame | None = None

    def says_the_same_as(self, other: Reading | None) -> bool:
        """Whether they differ in nothing but their frames."""
        return other is not None and self.step == other.step and self[:-1] == other[:-1]

    def is_part_of(self, other: Reading) -> bool:
        """Whether the other one says the same of the same place, and perhaps more."""
        return (self.step, self.epoch) == (other.step, other.epoch) and (
            self.metrics.items() <= other.metrics.items()
        )


NOTHING = Reading()


class Unfinished(ABC):
    """A line that was recognised, and may go on in the lines below it."""

    @abstractmethod
    def finish(self) -> list[Reading]:
        """What the line means if it goes on no further."""


class Waiting(NamedTuple):
    """A line that was recognised, but needs a value from a later line.

    name: what that value is called
    frame: where the line was printed
    readings: what the line means, from all values that are remembered by then
    """

    name: str
    frame: Frame
    readings: Callable[[Mapping[str, Value]], list[Reading]]


@dataclass
class State:
    """What one parser remembers.

    memory: values by their names
    readers: the states of readers of single lines, by rule
    alone: whether no other parser has recognised a line yet
    in_heading: whether another parser has recognised the line as a heading
    bars: progress bars by way of drawing, name and total
    epoch_of_bar: the epoch in which the last bar was drawn
    unfinished: tables, blocks and wrapped lines that go on, by rule and stream, with their first byte
    waiting: lines that need a value from a later line
    unclaimed: the last cleared bar that no line on another stream has waited for, and its values
    held: what a line has meant that the next one may repeat with more values
    late_readings: what such lines have meant since the engine last took it from here
    """

    memory: Memory = field(default_factory=dict)
    readers: dict[Hashable, Any] = field(default_factory=dict)
    alone: bool = True
    in_heading: bool = False
    bars: dict[Hashable, Bar] = field(default_factory=dict)
    epoch_of_bar: float | None = None
    unfinished: dict[tuple[Hashable, str | None], tuple[Any, int]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    unclaimed: tuple[Frame, Mapping[str, Value]] | None = None
    held: list[Reading] = field(default_factory=list)
    late_readings: list[Reading] = field(default_factory=list)

    def bar(self, mode: str, name: str, total: Value | None) -> Bar:
        """The bar of this name and total; bars of the same name and total that follow each other are one.

        mode: where its values are when its count is drawn: a key of bars.BARS
        """
        key = (mode, name, total)
        bar = self.bars.get(key)
        if bar is None:
            bar = self.bars[key] = BARS[mode]()
            if len(self.bars) > MOST_BARS:
                del self.bars[next(iter(self.bars))]
        return bar

    def remember(self, values: Mapping[str, Value], frame: Frame, forget: Iterable[str] = ()) -> None:
        """Forget some names and remember these values of a frame; lines that have waited for one are read.

        What is printed on two streams has no order.  But who prints a line clears the bar on the other
        stream before, and draws it again behind: each cleared bar belongs to one line, in their order.
        """
        for name in forget:
            self.memory.pop(name, None)
        self.memory |= values
        cleared = frame.cleared
        if self.waiting:
            waiting, self.waiting = self.waiting, []
            for line in waiting:
                apart = line.frame.stream != frame.stream
                if line.name not in values or (apart and not cleared):
                    self.waiting.append(line)
                    continue
                cleared = cleared and not apart
                self.late_readings += line.readings(self.memory)
        if cleared:
            self.unclaimed = frame, values

    def add_context(self, values: Mapping[str, Value]) -> None:
        """Remember what a line of context or config says, as far as there is room; no line waits for it."""
        memory = self.memory
        memory |= {n: v for n, v in values.items() if n in memory or len(memory) < MOST_NAMES}

    def wait(self, line: Waiting) -> None:
        """Keep a line until its value is remembered; the oldest one is given up if there are too many.

        Its bar may have been read before it, if both were ready at once.
        """
        unclaimed, self.unclaimed = self.unclaimed, None
        if unclaimed and not self.waiting:
            (bar, values), frame = unclaimed, line.frame
            if bar.stream != frame.stream and line.name in values and 0 <= _seconds(bar, frame) < AT_ONCE:
                self.late_readings += line.readings({**self.memory, **values})
                return
        self.waiting.append(line)
        if len(self.waiting) > MOST_WAITING:
            self.late_readings += self._give_up(self.waiting.pop(0))

    def release(self, readings: Sequence[Reading]) -> None:
        """Give what was held back, but for what these readings of the next line repeat."""
        held, self.held = self.held, []
        self.late_readings += [one for one in held if not any(map(one.is_part_of, readings))]

    def _give_up(self, line: Waiting) -> list[Reading]:
        """What the line means without its value: one that was remembered before the line is not meant."""
        return line.readings({name: value for name, value in self.memory.items() if name != line.name})

    def finish(self) -> list[Reading]:
        """What was not complete when the output ended: wrapped lines, waiting lines, values of bars."""
        readings, self.held = self.held, []
        for item, _ in self.unfinished.values():
            if isinstance(item, Unfinished):
                readings += item.finish()
        waiting, self.waiting = self.waiting, []
        for line in waiting:
            readings += self._give_up(line)
        for bar in self.bars.values():
            drawing = bar.row.last
            readings += [Reading(*settled, drawing.context, frame=drawing.frame) for settled in bar.finish()]
        return readings


def _seconds(first: Frame, second: Frame) -> float:
    """The time between two frames; infinity if it is not known."""
    return inf if first.time is None or second.time is None else second.time - first.time
