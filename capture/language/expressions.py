"""Arithmetic on captured names, for `step:`, `derive:`, `if:` and the like: never `eval`.

An expression is compiled once to a tree of closures.  It knows numbers, names, `+ - * / // % **`,
comparisons, `and or not`, `a if b else c`, and `abs min max round int`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from capture.errors import UserError

Evaluate = Callable[[Mapping[str, Any]], Any]  # from the values of names: numbers or text
MAX_INT = 10**18  # larger ones are not counts, and no backend's integers hold them
MAX_LENGTH = 400  # characters: deep nesting would reach Python's recursion limit


class Expression:
    """A compiled expression.  Raises UserError for what the language doesn't have."""

    def __init__(self, source: str) -> None:
        self.source = source
        if len(source) > MAX_LENGTH:
            raise UserError(
                f"{source[:40]}... is longer than arithmetic on names may be ({MAX_LENGTH} characters)"
            )
        try:
            tree = ast.parse(source, mode="eval").body
            self._evaluate = _compile(tree)
        except (SyntaxError, MemoryError):  # the latter: too many parentheses
            raise UserError(f"{source!r} is not arithmetic on names, such as (epoch - 1) * batches") from None
        self.name = tree.id if isinstance(tree, ast.Name) else None  # of an expression that is only a name
        lazy = any(isinstance(node, (ast.IfExp, ast.BoolOp)) for node in ast.walk(tree))
        self.names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        self.required = frozenset() if lazy else self.names - CALLS.keys()  # without these it has no value

    def value(self, names: Mapping[str, Any]) -> Any:
        """The value, given those of the names; None if a name is missing or the arithmetic has no result."""
        if self.name is not None:
            value = names.get(self.name)
            return float(value) if isinstance(value, int) and not -MAX_INT < value < MAX_INT else value
        if not self.required <= names.keys():  # cheaper than the exception
            return None
        try:
            value = self._evaluate(names)
            return float(value) if isinstance(value, int) and not -MAX_INT < value < MAX_INT else value
        except (KeyError, ArithmeticError, TypeError, ValueError):
            return None

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether the expression is true.

        One that is only a name is true if the name is known; any other is false if a name is missing.
        """
        if self.name is not None:
            return self.name in names
        return bool(self.value(names))


@lru_cache(maxsize=4096)
def compiled(source: str) -> Expression:
    """The expression, compiled once.  Raises UserError for what the language doesn't have."""
    return Expression(source)


def power(base: Any, exponent: Any) -> Any:
    """The power, of numbers that are not large.  Raises ArithmeticError if it is too large or not real."""
    if abs(exponent) > 64 or abs(base) > 1e9:
        raise ArithmeticError("the power is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise ArithmeticError("the root of a negative number is not real")
    return result


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: power,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
CALLS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "int": lambda value: value if isinstance(value, float) and not math.isfinite(value) else int(value),
}


def numeric(value: Any) -> Any:
    """The value, if it is not text: text can only be compared.  Raises TypeError if it is."""
    if isinstance(value, str):
        raise TypeError("text is not a number")
    return value


def _compile(node: ast.AST) -> Evaluate:
    """The function that evaluates a node.  Raises UserError for what the language doesn't have."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return lambda names: value
        case ast.Name(id=name):
            return operator.itemgetter(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            a, b, binary = _compile(left), _compile(right), _BINARY[type(op)]

            def calculate(names: Mapping[str, Any]) -> Any:
                left, right = a(names), b(names)
                if isinstance(left, str) or isinstance(right, str):  # as in `"a" * 10**9`
                    raise TypeError("text is not a number")
                return binary(left, right)

            return calculate
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            a, unary = _compile(operand), _UNARY[type(op)]
            return lambda names: unary(a(names))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            a, b, compare = _compile(left), _compile(right), _COMPARE[type(op)]
            return lambda names: compare(a(names), b(names))
        case ast.BoolOp(op=op, values=values):
            parts, quantifier = [_compile(value) for value in values], any if isinstance(op, ast.Or) else all
            return lambda names: quantifier(part(names) for part in parts)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            condition, a, b = _compile(test), _compile(body), _compile(orelse)
            return lambda names: a(names) if condition(names) else b(names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in CALLS:
            function, arguments = CALLS[name], [_compile(arg) for arg in args]
            return lambda names: function(*(numeric(arg(names)) for arg in arguments))
    raise UserError(f"{ast.unparse(node)!r} is not allowed here: only arithmetic on names is")
