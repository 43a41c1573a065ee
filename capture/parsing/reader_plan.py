"""Plans for lines that a reader reads: its own plan for the line, and a plan for what its values mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from capture.console.frames import Frame
from capture.language.patterns import Match
from capture.language.readers import LinePlan
from capture.parsing.plan_source import Found, Plan, given
from capture.parsing.rule import Rule
from capture.parsing.state import Reading, State


def plan(rule: Rule, line: LinePlan, plan_of: Callable[[Found], Plan | None]) -> Plan | None:
    """The plan for lines that are read so; None if it depends on more than names which case they are.

    plan_of: the plan for lines in which something is found
    """
    case = rule.cases[0]
    if len(rule.cases) > 1 or case.when or case.required_names or case.conditions or case.exceptions:
        return None
    meanings: dict[tuple[str, ...], Plan | None] = {}

    def read(frame: Frame, texts: Sequence[str], state: State) -> list[Reading] | None:
        memory, of_reader = state.memory, state.readers.get(rule)
        if of_reader is None or not case.forbidden_names.isdisjoint(memory):
            return None
        if state.waiting or state.held or frame.cleared:
            return None
        found = line.read(texts, of_reader, memory, state.alone)
        if found is None:
            return None
        values, expects_next = found
        if expects_next or state.unfinished:
            rule.expect(expects_next, frame, state)
        names = tuple(values)
        if names not in meanings:
            meanings[names] = plan_of(Found(rule, tuple((name, given) for name in names), ()))
        meaning = meanings[names]
        readings = meaning(frame, tuple(values.values()), state) if meaning else None
        if readings is None:  # the reader has changed what it remembers: it can't be asked again
            return rule.readings(Match(dict(values)), frame, state) or []
        return readings

    return read
