"""What a parser remembers between lines: names, bars, what is not complete yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from capture.console.frames import Frame
from capture.language.numbers import Value
from capture.language.patterns import Match
from capture.parsing import bars, wrapped

if TYPE_CHECKING:
    from capture.parsing.outcome import Outcome
    from capture.parsing.rule import Rule

Memory = dict[str, Value]


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class Reading:
    """What one frame means, before it becomes a record."""

    step: int | None = None
    epoch: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    frame: Frame | None = field(default=None, compare=False)  # where it stood, if not where it was read


NOTHING = Reading()


@dataclass(frozen=True)
class Waiting:
    """A line that was recognised, but whose step stands in a later one."""

    rule: Rule
    case: Outcome
    frame: Frame
    match: Match

    def wake(self, state: State, known: bool) -> list[Reading]:
        """What the line means now; without what it waited for, if that did not come."""
        name = self.case.wait or ""
        late = state.memory.pop(name, None) if not known else None
        values, repeated = dict(self.match.values), self.match.pairs
        names = {**state.memory, **values}
        readings = self.rule.meaning(self.case, self.frame, Match(values, repeated), names, state)
        if late is not None:
            state.memory.setdefault(name, late)
        return readings


@dataclass
class State:
    """What one parser remembers."""

    memory: Memory = field(default_factory=dict)
    readers: dict[Rule, Any] = field(default_factory=dict)  # what those of single lines keep
    alone: bool = True  # no other parser has recognised a line
    shown: dict[Any, bars.Bar] = field(default_factory=dict)
    opened: dict[tuple[Rule, str | None], tuple[Any, int]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    woken: list[Reading] = field(default_factory=list)  # what waited, and can be given now

    def wake(self, remembered: Mapping[str, Value]) -> None:
        """Give the lines that have waited for one of these names."""
        ready = [waiting for waiting in self.waiting if waiting.case.wait in remembered]
        self.waiting = [waiting for waiting in self.waiting if waiting not in ready]
        for waiting in ready:
            self.woken += waiting.wake(self, known=True)

    def finish(self) -> list[Reading]:
        """What was not complete when the output ended: wrapped lines, lines that waited, values of bars."""
        readings: list[Reading] = []
        for (rule, _), (item, _) in self.opened.items():
            if isinstance(item, wrapped.WrappedLine):
                readings += rule.mean(item.whole(rule.pattern.wrapped or ""), item.frame, self) or []
        waiting, self.waiting = self.waiting, []
        readings += [reading for item in waiting for reading in item.wake(self, known=False)]
        for bar in self.shown.values():
            readings += [
                Reading(step, epoch, metrics, bar.context, frame=bar.frame)
                for step, epoch, metrics in bar.finish()
            ]
        return readings
