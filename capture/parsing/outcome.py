"""One meaning that a pattern may have: when it holds, and where in the run it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capture.console.frames import Frame
from capture.language.expressions import Expression
from capture.language.model import Case, Parser, Pattern
from capture.language.numbers import Value
from capture.parsing.renaming import Renaming

# Where in the run a line stands: never metrics.
KNOWN = frozenset(["step", "steps", "epoch", "epochs", "batch", "batches", "timestamp"])


def expressions(sources: Sequence[str]) -> list[Expression]:
    """The compiled expressions."""
    return [Expression(source) for source in sources]


def first_known(attempts: Sequence[Expression], names: Mapping[str, Value]) -> Any:
    """The value of the first expression whose names are all known; None if there is none."""
    for attempt in attempts:
        value = attempt.value(names)
        if value is not None:
            return value
    return None


class Outcome:
    """One meaning that a pattern may have."""

    def __init__(self, outcome: Case, pattern: Pattern, parser: Parser) -> None:
        self.outcome = outcome
        self.conditions = expressions([*pattern.if_, *outcome.if_])
        self.exceptions = expressions([*pattern.unless, *outcome.unless])
        # What only asks whether a name is known is cheap, and asked first.
        self.known = frozenset(c.name for c in self.conditions if c.name)
        self.unknown = frozenset(c.name for c in self.exceptions if c.name)
        self.computed = [c for c in self.conditions if not c.name]
        self.excluded = [c for c in self.exceptions if not c.name]
        self.when = outcome.when or pattern.when
        self.as_ = outcome.as_ if "as_" in outcome.model_fields_set else pattern.as_
        self.step = expressions(outcome.step or pattern.step)
        self.epoch = expressions(outcome.epoch or pattern.epoch)
        self.derive = {name: Expression(e) for name, e in {**pattern.derive, **outcome.derive}.items()}
        self.remember = {name: Expression(e) for name, e in {**pattern.remember, **outcome.remember}.items()}
        self.forget = [*pattern.forget, *outcome.forget]
        self.prefix = outcome.prefix or pattern.prefix
        self.context = [*pattern.context, *outcome.context]
        self.bar = pattern.bar
        self.wait = outcome.wait or pattern.wait
        self.renaming = Renaming(outcome, pattern, parser, prefix=self.prefix)
        used = [*self.conditions, *self.exceptions, *self.step, *self.epoch, *self.remember.values()]
        self.structure = KNOWN.union(*(e.names for e in used), self.context, pattern.pairs)
        if self.bar:
            self.structure |= {name for name in (self.bar.count, self.bar.total, self.bar.label) if name}

    def fits(self, frame: Frame, names: Mapping[str, Value]) -> bool:
        """Whether the frame has this meaning."""
        if self.when is not None and not _is(self.when, frame):
            return False
        if not self.known <= names.keys() or not self.unknown.isdisjoint(names):
            return False
        for condition in self.computed:  # all() and any() would take longer than the conditions
            if not condition.holds(names):
                return False
        for exception in self.excluded:  # noqa: SIM110
            if exception.holds(names):
                return False
        return True


def _is(when: str, frame: Frame) -> bool:
    """Whether a frame is what `when:` asks for; `outer` is a bar that is not drawn below another one."""
    return frame.end != "up" if when == "outer" else frame.final == (when == "final")
