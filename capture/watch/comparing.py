"""The signs with which a rule compares two numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "=": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip
