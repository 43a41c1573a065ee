"""Plans: what a rule makes of all lines in which it finds the same, written as one Python function.

    def plan(frame, texts, state):
        _, end, _, _, _, _, cleared = frame
        if cleared or state.waiting or state.held:
            return None
        memory = state.memory
        v0, v1, v2 = texts
        v0 = int(v0)  # step
        ...
        return [new(Reading, (step, epoch, {'loss': v1, 'lr': v2}, {}, {}, frame))]

It returns the readings of the line, or None before anything has changed: then `Rule.read` has to read it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from capture.console.frames import FINAL, Frame
from capture.language import model
from capture.language.expressions import Expression
from capture.language.key_values import share
from capture.language.numbers import duration, number, si
from capture.parsing import plan_expressions
from capture.parsing.bars import Drawing
from capture.parsing.outcome import Outcome, is_finite
from capture.parsing.plan_expressions import Kind, NotPlanned, Variable, Variables
from capture.parsing.plan_writer import PlanWriter
from capture.parsing.rule import Rule
from capture.parsing.state import Reading, State

Read = Callable[[str], Any]
Plan = Callable[[Frame, Sequence[Any], State], "list[Reading] | None"]
_OWN_USES = 3  # of a variable: where it is set, and twice where its text is stripped
_NUMERIC = {read.__name__: read for read in (number, si, duration, share)}
_WHEN = {"final": "is_final", "live": "not is_final", "outer": "end != 'up'"}


class Label(NamedTuple):
    """The name and the identity of a bar, as its description says them."""

    name: str
    identity: str


class Found(NamedTuple):
    """What a rule finds in a line: the same in lines of many shapes, in which the values are elsewhere.

    values: the name of each value, and how it is read
    pairs: the same of repeated keys, and of names beside numbers in a text
    label: of a bar; None if the line has no description of it
    """

    rule: Rule
    values: tuple[tuple[str, Read], ...]
    pairs: tuple[tuple[str, Read], ...]
    label: Label | None = None


def source(found: Found) -> str:
    """The plan for such lines.  Raises NotPlanned for what the interpreter reads."""
    writer = _Source(found)
    writer.write()
    return "\n".join(_without_unused(writer.lines)) + "\n"


def compiled(text: str) -> Plan:
    """The function that a plan's source defines."""
    names: dict[str, Any] = {
        **plan_expressions.NAMES, "ERRORS": plan_expressions.ERRORS, "FINAL": FINAL, "nan": math.nan,
        "Reading": Reading, "Drawing": Drawing, "new": tuple.__new__, "is_finite": is_finite,
        "read": _NUMERIC,
    }  # fmt: skip
    exec(compile(text, "<plan>", "exec"), names)  # noqa: S102  written above, from checked parsers
    plan: Plan = names["plan"]
    return plan


def given(value: Any) -> Any:
    """How a value is read that a reader has read."""
    return value


def _without_unused(lines: Sequence[str]) -> list[str]:
    """The lines but for those that strip texts that nothing uses."""
    used = Counter(re.findall(r"\bv\d+\b", "\n".join(lines)))
    return [line for line in lines if not (".strip()" in line and used[line.split()[0]] == _OWN_USES)]


class _Source(PlanWriter):
    """Writes a plan, case by case, as `Outcome` reads them."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found
        self._values: dict[str, Variable] = {}
        self._pairs: list[tuple[str, Variable]] = []

    def write(self) -> None:
        """Write the function."""
        with self.indented("def plan(frame, texts, state):"):
            self.line("_, end, _, _, _, _, cleared = frame")
            with self.indented("if cleared or state.waiting or state.held:"):
                self.line("return None")
            self.line("memory = state.memory")
            if any(case.when in ("final", "live") for case in self.found.rule.cases):
                self.line("is_final = end in FINAL")
            self._convert()
            for case in self.found.rule.cases:
                if self._case(case):
                    break
            else:
                self.line("return None")

    def _convert(self) -> None:
        """Read the values from their texts."""
        values, pairs = self.found.values, self.found.pairs
        names = [f"v{n}" for n in range(len(values) + len(pairs))]
        if names:
            self.line(f"{', '.join(names)}, = texts")
        for variable, (name, read) in zip(names, [*values, *pairs], strict=True):
            kind = self._read(variable, name, read)
            if int(variable[1:]) < len(values):
                self._values[name] = Variable(variable, kind)
            elif kind != "text":
                self._pairs.append((name, Variable(variable, kind)))

    def _read(self, variable: str, name: str, read: Read) -> Kind:
        if read in (int, float):
            self.line(f"{variable} = {read.__name__}({variable})  # {name!r}")
            return "int" if read is int else "float"
        if read in _NUMERIC.values():
            self.line(f"{variable} = read[{read.__name__!r}]({variable})  # {name!r}")
            return "number"
        if read is given:
            return "any"
        if read not in (str, str.strip):
            raise NotPlanned(f"{name} has a kind of its own")
        if read is str.strip:
            self.line(f"{variable} = {variable}.strip()  # {name!r}")
        return "text"

    def _case(self, case: Outcome) -> bool:
        """Write a case; returns whether it always holds, and those after it never do."""
        if not case.forbidden_names.isdisjoint(self._values):
            return False
        tests = [_WHEN[case.when]] if case.when else []
        tests += [f"{name!r} in memory" for name in sorted(case.required_names - self._values.keys())]
        tests += [f"{name!r} not in memory" for name in sorted(case.forbidden_names)]
        depth = self.depth
        if tests:
            self.line(f"if {' and '.join(tests)}:")
            self.depth += 1
        for condition in case.conditions:
            self.line(f"if {self.test(condition, self._values)}:")
            self.depth += 1
        for exception in case.exceptions:
            self.line(f"if not ({self.test(exception, self._values)}):")
            self.depth += 1
        always = self.depth == depth
        self._outcome(case)
        self.depth = depth
        return always

    def _outcome(self, case: Outcome) -> None:
        """Write what a line means in a case."""
        if case.as_ != "metrics" or case.wait or case.hold or case.only_pairs:
            self.line("return None")
            return
        if case.bar:
            self._check_bar(case, case.bar)
        step = self._position("step", case.step)
        epoch = self._position("epoch", case.epoch)
        known = dict(self._values)
        later = {name for e in (*case.derive.values(), *case.remember.values()) for name in e.names}
        for position, attempts in ((step, case.step), (epoch, case.epoch)):
            is_remembered = not attempts and position.source not in self._values  # as the same name
            if position.source in later | {*case.context} and not is_remembered:
                if position.may_be_none:
                    with self.indented(f"if {position.source} is None:"):
                        self.line("return None")
                known[position.source] = position._replace(may_be_none=False)
        values = dict(self._values)
        for name, expression in case.derive.items():
            derived = self.value(self.new("derived"), expression, known)
            if name in known and derived.may_be_none:
                raise NotPlanned(f"{name} is derived, or it is not")
            if derived.kind not in ("int", "float"):
                with self.indented(f"if {derived.source}.__class__ is bool:"):
                    self.line(f"{derived.source} = int({derived.source})")
            values[name] = known[name] = derived
        context = self._context(case, known)
        self._keep(case, known)
        self._metrics(case, values)
        if case.bar:
            self._settle(case, case.bar, known, has_epoch="epoch" in values)
        else:
            self.line(f"return [new(Reading, (step, epoch, metrics, {context}, {{}}, frame))]")

    def _position(self, name: str, attempts: Sequence[Expression]) -> Variable:
        """Write what sets `step` or `epoch`, and return what is known of it."""
        depth = self.depth
        variable = Variable(name, "any", may_be_none=True)
        for n, attempt in enumerate(attempts):
            if n:
                self.line(f"if {name} is None:")
                self.depth += 1
            tried = self.value(name, attempt, self._values)
            variable = variable if n else tried
            if not tried.may_be_none:
                break
        self.depth = depth
        if not attempts:
            if name in self._values:
                variable = Variable(name, self._values[name].kind)
                self.line(f"{name} = {self._values[name].source}")
            elif name == "step":
                self.line("step = None")
                return variable
            else:
                self.line("epoch = memory.get('epoch')")
        if variable.kind == "int" and not variable.may_be_none:
            return variable
        is_whole = name == "step"
        with self.indented(f"if {name} is not None:"):
            self.line(f"{name} = {f'int({name})' if is_whole else name} if is_finite({name}) else None")
        return Variable(name, "int" if is_whole else "number", may_be_none=True)

    def _context(self, case: Outcome, known: Variables) -> str:
        """Write what collects the context; returns its source."""
        if not case.context:
            return "{}"
        self.line("context = {}")
        for name in case.context:
            variable = known.get(name)
            if variable and variable.may_be_none:
                raise NotPlanned(f"{name} may be unknown")
            value = variable.source if variable else f"memory.get({name!r})"
            with self.indented(f"if {value} not in (None, ''):"):
                self.line(f"context[{name!r}] = {value}")
        return "context"

    def _keep(self, case: Outcome, known: Variables) -> None:
        """Write what forgets and remembers; nothing returns None after it."""
        kept = [(name, self.value(self.new("kept"), e, known)) for name, e in case.remember.items()]
        for name in case.forget:
            self.line(f"memory.pop({name!r}, None)")
        for name, variable in kept:
            if variable.may_be_none:
                with self.indented(f"if {variable.source} is not None:"):
                    self.line(f"memory[{name!r}] = {variable.source}")
            else:
                self.line(f"memory[{name!r}] = {variable.source}")

    def _metrics(self, case: Outcome, values: Variables) -> None:
        """Write what collects the metrics under their names."""
        items = [(name, variable) for name, variable in values.items() if name not in case.not_metrics]
        certain: list[str] = []
        rest: list[tuple[str, str, str]] = []  # condition, name, value
        for name, variable in [*items, *self._pairs]:
            renamed = case.renaming.of(name)
            if renamed is None or variable.kind == "text":
                continue
            new, factor = renamed
            value = variable.source if factor is None else f"({variable.source} * {factor!r})"
            if factor is not None or variable.kind not in ("int", "float"):
                value = f"({value} if {value} == {value} else nan)"
            tests = [f"{variable.source} is not None"] if variable.may_be_none else []
            tests += [f"{variable.source}.__class__ is not str"] if variable.kind == "any" else []
            if tests or rest:
                rest.append((" and ".join(tests), new, value))
            else:
                certain.append(f"{new!r}: {value}")
        self.line(f"metrics = {{{', '.join(certain)}}}")
        for condition, name, value in rest:
            with self.indented(f"if {condition or True}:"):
                self.line(f"metrics[{name!r}] = {value}")

    def _check_bar(self, case: Outcome, bar: model.Bar) -> None:
        """Write what leaves a bar to the interpreter that is not described on its line alone."""
        count, total = self._values.get(bar.count), self._values.get(bar.total or "")
        if count is None or count.kind != "int" or (total and total.kind != "int") or case.context:
            raise NotPlanned("a bar without a count")
        for name in (bar.total, bar.label):
            if name and name not in self._values:
                with self.indented(f"if {name!r} in memory:"):
                    self.line("return None")

    def _settle(self, case: Outcome, bar: model.Bar, known: Variables, has_epoch: bool) -> None:
        """Write what gives the values of a bar whose step is certain now."""
        total = known[bar.total].source if bar.total and bar.total in known else "None"
        label = self.found.label or Label("", "")
        context = {"bar": label.name} if label.name else {}
        count, of_bar = known[bar.count].source, "epoch" if has_epoch else "None"
        self.line(f"bar = state.bar({bar.values!r}, {label.identity!r}, {total})")
        self.line(f"drawing = Drawing({count}, metrics, {of_bar}, {total}, frame, {context}, epoch)")
        self.line("state.epoch_of_bar = epoch")
        self.line("settled = bar.refresh(drawing)")
        with self.indented("if not settled:"):
            self.line("return []")
        if case.remember:
            self.line("last_step = settled[-1].step")
            self._keep(case, {**known, "step": Variable("last_step", "int")})
        with self.indented("return ["):
            self.line(f"new(Reading, (step, epoch, metrics, {context}, {{}}, None))")
            self.line("for step, epoch, metrics in settled")
        self.line("]")
