"""Arithmetic of parsers as Python source, for plans: from the checked tree, with the same results.

`(epoch - 1) * batches + batch`, of which the line itself names the last two, is
`((numeric(memory['epoch']) - 1) * v1) + v0`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from capture.language.expressions import CALLS, MAX_INT, Expression, numeric, power

Kind = Literal["int", "float", "number", "text", "any"]
ERRORS = (KeyError, ArithmeticError, TypeError, ValueError)  # an expression that raises one has no value


class NotPlanned(Exception):
    """No plan is made for what is rare or intricate: the interpreter reads it."""


class Variable(NamedTuple):
    """What a plan knows of a value: the variable that holds it.

    kind: `int`: no larger than a count; `float`: never NaN; `number`: any number; `text`; `any` of these
    may_be_none: whether the value may be unknown
    """

    source: str
    kind: Kind
    may_be_none: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is certainly no text."""
        return self.kind in ("int", "float", "number")


Variables = Mapping[str, Variable]
_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.USub: "-", ast.UAdd: "+", ast.Not: "not ", ast.Or: " or ", ast.And: " and ",
}  # fmt: skip


def source(expression: Expression, variables: Variables) -> str:
    """The expression in Python; what no variable holds comes from `memory`.  Raises NotPlanned."""
    return _source(_tree(expression), variables)


def from_memory(expression: Expression, variables: Variables) -> list[str]:
    """The names that no variable holds, and without which the expression has no value."""
    return sorted(name for name in expression.required if name not in variables)


def never_fails(expression: Expression) -> bool:
    """Whether it has a value as soon as its names are known: `batch == batches`."""
    match _tree(expression):
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
            return all(isinstance(side, (ast.Name, ast.Constant)) for side in (left, right))
    return False


def kind(expression: Expression) -> Kind:
    """The kind of its value, if it is more than a name."""
    return "number" if isinstance(_tree(expression), _CALCULATED) else "any"


def bounded(value: Any) -> Any:
    """The value of an expression: a whole number that is too large for a count is no integer."""
    return float(value) if isinstance(value, int) and not -MAX_INT < value < MAX_INT else value


NAMES = {"numeric": numeric, "power": power, "calls": CALLS, "bounded": bounded}  # that the source uses
_CALCULATED = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)


def _tree(expression: Expression) -> ast.AST:
    return ast.parse(expression.source, mode="eval").body


def _source(node: ast.AST, variables: Variables) -> str:
    match node:
        case ast.Constant(value=value):
            if value in (math.inf, -math.inf):  # 1e999 has no other spelling
                raise NotPlanned("an infinite constant")
            return repr(value)
        case ast.Name(id=name):
            variable = variables.get(name)
            if variable and variable.may_be_none:
                raise NotPlanned(f"{name} may be unknown")
            return variable.source if variable else f"memory[{name!r}]"
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"power({_numeric(left, variables)}, {_numeric(right, variables)})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_numeric(left, variables)} {_OPERATORS[type(op)]} {_numeric(right, variables)})"
        case ast.UnaryOp(op=op, operand=operand):
            return f"({_OPERATORS[type(op)]}{_source(operand, variables)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"({_source(left, variables)} {_OPERATORS[type(op)]} {_source(right, variables)})"
        case ast.BoolOp(op=op, values=values):
            return f"({_OPERATORS[type(op)].join(f'bool({_source(v, variables)})' for v in values)})"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            parts = [_source(part, variables) for part in (body, test, orelse)]
            return f"({parts[0]} if {parts[1]} else {parts[2]})"
        case ast.Call(func=ast.Name(id=name), args=args):
            return f"calls[{name!r}]({', '.join(_numeric(arg, variables) for arg in args)})"
    raise NotPlanned(ast.unparse(node))


def _numeric(node: ast.AST, variables: Variables) -> str:
    """The source of an operand: what may be text is checked, since nothing is calculated with that."""
    shown = _source(node, variables)
    match node:
        case ast.Constant(value=int() | float()) | ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.BoolOp():
            return shown
        case ast.Name(id=name) if name in variables and variables[name].is_number:
            return shown
    return f"numeric({shown})"
