"""Who prints the lines: a rank, a worker, or nobody in particular.  Each is parsed as a run of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from capture.parsing.restarts import Restarts
from capture.parsing.rule import Rule
from capture.parsing.state import Reading, State

MAX_SOURCES = 4096  # that are told apart
OF_ANY_PROGRAM = "general"  # the parser that reads what no other knows


@dataclass
class Source:
    """What is remembered of one source's lines."""

    context: Mapping[str, Any]
    states: defaultdict[str, State] = field(default_factory=lambda: defaultdict(State))  # by parser
    restarts: Restarts = field(default_factory=Restarts)
    last: dict[tuple[Any, ...], Reading] = field(default_factory=dict)  # of each series of metrics
    open: set[tuple[str | None, Rule]] = field(default_factory=set)  # see Sources.set_open
    epoch_of_bar: float | None = None  # of the last bar that was drawn

    def tell_epoch(self, epoch: float | None) -> None:
        """Let the parser of any program's lines know the epoch of a bar: `val loss: 0.5` may be below it."""
        if epoch is not None and epoch != self.epoch_of_bar:
            self.epoch_of_bar = self.states[OF_ANY_PROGRAM].memory["epoch"] = epoch

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        self.states.clear()
        self.last.clear()
        self.open.clear()
        self.epoch_of_bar = None
        self.restarts.resume()


class Sources:
    """All sources, and on which streams a table or a block of any of them is open."""

    def __init__(self) -> None:
        self.anonymous = Source({})
        self._named: dict[tuple[Any, ...], Source] = {}
        self.open: dict[str | None, int] = {}  # streams, and how many tables and blocks are open on each

    def __iter__(self) -> Iterator[Source]:
        return iter([self.anonymous, *self._named.values()])

    def of(self, context: Mapping[str, Any]) -> Source:
        """The source that a line's prefixes name."""
        if not context:
            return self.anonymous
        key = tuple(sorted(context.items()))
        if key not in self._named and len(self._named) < MAX_SOURCES:
            self._named[key] = Source(context)
        return self._named.get(key, self.anonymous)

    def set_open(self, source: Source, rule: Rule, stream: str | None, is_open: bool) -> None:
        """Note whether a rule reads the next lines of a source on a stream, whatever they hold."""
        key = (stream, rule)
        if is_open == (key in source.open):
            return
        if is_open:
            source.open.add(key)
        else:
            source.open.discard(key)
        self.open[stream] = self.open.get(stream, 0) + (1 if is_open else -1)
        if not self.open[stream]:
            del self.open[stream]

    def close(self, rule: Rule) -> None:
        """Note that a rule has no open table or block."""
        for source in self:
            for stream, opened in list(source.open):
                if opened is rule:
                    self.set_open(source, rule, stream, False)

    def resume(self) -> None:
        """The command was started again, and knows nothing of what it printed before."""
        for source in self:
            source.resume()
        self.open.clear()
