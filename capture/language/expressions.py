"""Arithmetic on captured names, for `step:`, `derive:`, `if:` and the like: never `eval`.

An expression is compiled once to a tree of closures.  It knows numbers, names, `+ - * / // % **`,
comparisons, `and or not`, `a if b else c`, and `abs min max round int`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Value = Any  # a number or a string
Compiled = Callable[[Mapping[str, Value]], Value]
MOST = 10**18  # larger integers are no counts, and no backend's integers hold them
LONGEST = 400  # characters: deep nesting ends in Python's recursion limit


class Unknown(Exception):
    """A name in the expression is not known here and now."""


class Expression:
    """A compiled expression.  Raises ValueError for what the language doesn't have."""

    def __init__(self, source: str) -> None:
        self.source = source
        if len(source) > LONGEST:
            raise ValueError(
                f"{source[:40]}... is longer than arithmetic on names may be ({LONGEST} characters)"
            )
        try:
            tree = ast.parse(source, mode="eval").body
            self._run = _compile(tree)
        except (SyntaxError, MemoryError):  # the latter: too many parentheses
            raise ValueError(
                f"{source!r} is not arithmetic on names, such as (epoch - 1) * batches"
            ) from None
        self.name = tree.id if isinstance(tree, ast.Name) else None  # if it is a name alone
        lazy = any(isinstance(node, (ast.IfExp, ast.BoolOp)) for node in ast.walk(tree))
        self.names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        self._needs = frozenset() if lazy else self.names - _CALLS.keys()  # without these it has no value

    def __call__(self, names: Mapping[str, Value]) -> Value:
        """The value.  Raises Unknown where a name is missing or the arithmetic has no result."""
        value = self.value(names)
        if value is None:
            raise Unknown(self.source)
        return value

    def value(self, names: Mapping[str, Value]) -> Value | None:
        """The value; None where a name is missing or the arithmetic has no result."""
        if self.name is not None:
            value = names.get(self.name)
            return float(value) if isinstance(value, int) and not -MOST < value < MOST else value
        if not self._needs <= names.keys():  # cheaper than the exception
            return None
        try:
            value = self._run(names)
            return float(value) if isinstance(value, int) and not -MOST < value < MOST else value
        except (KeyError, ArithmeticError, TypeError, ValueError):
            return None

    def holds(self, names: Mapping[str, Value]) -> bool:
        """Whether the expression is true.  A name alone asks if it is known; a missing one makes it false."""
        if self.name is not None:
            return self.name in names
        return bool(self.value(names))


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > 64 or abs(base) > 1e9:
        raise ArithmeticError("the power is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise ArithmeticError("the power of a negative number is no number")
    return result


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
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
_CALLS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "int": lambda value: value if isinstance(value, float) and not math.isfinite(value) else int(value),
}


def _number(value: Any) -> Any:
    """The value, if it is no text: that is for comparison only."""
    if isinstance(value, str):
        raise TypeError("text is no number")
    return value


def _compile(node: ast.AST) -> Compiled:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return lambda names: value
        case ast.Name(id=name):
            return operator.itemgetter(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            a, b, binary = _compile(left), _compile(right), _BINARY[type(op)]

            def calculate(names: Mapping[str, Value]) -> Value:
                left, right = a(names), b(names)
                if isinstance(left, str) or isinstance(right, str):  # keeps `"a" * 10**9` out
                    raise TypeError("text is no number")
                return binary(left, right)

            return calculate
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            c, unary = _compile(operand), _UNARY[type(op)]
            return lambda names: unary(c(names))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            a, b, compare = _compile(left), _compile(right), _COMPARE[type(op)]
            return lambda names: compare(a(names), b(names))
        case ast.BoolOp(op=op, values=values):
            parts, any_of = [_compile(value) for value in values], isinstance(op, ast.Or)
            quantifier = any if any_of else all
            return lambda names: quantifier(part(names) for part in parts)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            t, a, b = _compile(test), _compile(body), _compile(orelse)
            return lambda names: a(names) if t(names) else b(names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
            function, arguments = _CALLS[name], [_compile(arg) for arg in args]
            return lambda names: function(*(_number(arg(names)) for arg in arguments))
    raise ValueError(f"{ast.unparse(node)!r} is not allowed here: only arithmetic on names is")
