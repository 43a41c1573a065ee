"""Writes the lines of a plan: their indentation, and what sets variables to the values of expressions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from capture.language.expressions import Expression
from capture.parsing import plan_expressions
from capture.parsing.plan_expressions import Variable, Variables


@dataclass
class PlanWriter:
    """The lines of a plan that are written so far; `depth` is that of the next one."""

    lines: list[str] = field(default_factory=list)
    depth: int = 0
    _temporary: int = 0

    def line(self, line: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.depth + line)

    @contextmanager
    def indented(self, head: str) -> Iterator[None]:
        """Write the head of a block; what is written next is inside of it."""
        self.line(head)
        self.depth += 1
        yield
        self.depth -= 1

    def new(self, prefix: str) -> str:
        """The name of a new variable."""
        self._temporary += 1
        return f"{prefix}{self._temporary}"

    def value(self, target: str, expression: Expression, known: Variables) -> Variable:
        """Write what sets a variable to the value of an expression, or to None.  Raises NotPlanned."""
        if expression.name is not None:
            variable = known.get(expression.name)
            if variable is None:
                self.line(f"{target} = bounded(memory.get({expression.name!r}))")
                return Variable(target, "any", may_be_none=True)
            value = plan_expressions.source(expression, known)
            is_short = variable.kind in ("int", "float", "text")
            self.line(f"{target} = {value}" if is_short else f"{target} = bounded({value})")
            return Variable(target, variable.kind)
        if expression.source.isdecimal() and len(expression.source) < 10:
            self.line(f"{target} = {int(expression.source)}")
            return Variable(target, "int")
        value = f"bounded({plan_expressions.source(expression, known)})"
        if needed := plan_expressions.from_memory(expression, known):
            value += f" if {_all_in_memory(needed)} else None"
        with self.indented("try:"):
            self.line(f"{target} = {value}")
        with self.indented("except ERRORS:"):
            self.line(f"{target} = None")
        return Variable(target, plan_expressions.kind(expression), may_be_none=True)

    def test(self, expression: Expression, known: Variables) -> str:
        """What says in Python whether an expression is true.  Raises NotPlanned."""
        test = plan_expressions.source(expression, known)
        if needed := plan_expressions.from_memory(expression, known):
            test = f"{_all_in_memory(needed)} and {test}"
        if plan_expressions.never_fails(expression):
            return test
        holds = self.new("holds")
        with self.indented("try:"):
            self.line(f"{holds} = {test}")
        with self.indented("except ERRORS:"):
            self.line(f"{holds} = False")
        return holds


def _all_in_memory(names: list[str]) -> str:
    return " and ".join(f"{name!r} in memory" for name in names)
