"""Which rules may read a text: those that find one of their required texts in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from capture.language.required_text import Required, prefilter
from capture.language.shape_cache import ShapeCache, zeroed
from capture.parsing.rule import Rule

ONE_BY_ONE = 10_000  # characters of text
_DIGIT = re.compile("[0-9]")


@dataclass
class _Candidates:
    """The rules that may read the lines of one shape."""

    rules: Sequence[Rule]


class RuleIndex:
    """Finds the rules that may read a text, once for all texts that differ in their digits alone."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        # Whether any rule may read a text: much faster than to find which ones.
        self.may_match = prefilter(rule.matcher.literals for rule in rules) or _always
        search = _Search([(rule, _zeroed(rule.matcher.literals)) for rule in rules])
        self._candidates = ShapeCache(lambda text: _Candidates(search(zeroed(text))))

    def __call__(self, text: str) -> Sequence[Rule]:
        """The rules that may read this text, in their order."""
        return self._candidates(text).rules

    def forget_rejecting(self, text: str) -> None:
        """No longer return, for texts of this shape, the rules that are known to match none of them."""
        candidates = self._candidates(text)
        candidates.rules = [rule for rule in candidates.rules if not rule.matcher.rejects(text)]


class _Search:
    """Searches a text, whose digits are all zeros, for the required texts of some rules.

    Asks all rules at once, then either half of them: most texts concern few.  That has to be prepared, which
    takes longer than to ask the rules one by one about a program's first lines.
    """

    def __init__(self, rules: Sequence[tuple[Rule, Required]]) -> None:
        self._rules = rules  # each with what it requires
        self._one_by_one = ONE_BY_ONE

    @cached_property
    def _may_match(self) -> Callable[[str], bool] | None:
        return prefilter(required for _, required in self._rules)

    @cached_property
    def _halves(self) -> list[_Search]:
        """Made when a text first concerns one of the rules: a program is read by few."""
        half = len(self._rules) // 2
        return [_Search(self._rules[:half]), _Search(self._rules[half:])] if half else []

    def __call__(self, text: str, certain: bool = False) -> list[Rule]:
        """The rules in their order; `certain` says that there is at least one."""
        if self._one_by_one > 0:
            self._one_by_one -= len(text)
            return [rule for rule, required in self._rules if _is_met(required, text)]
        if not certain and self._may_match and not self._may_match(text):
            return []
        if not self._halves:
            return [rule for rule, _ in self._rules]
        first, second = self._halves
        found = first(text)
        return found + second(text, certain=self._may_match is not None and not found)


def _zeroed(literals: Required) -> Required:
    return None if literals is None else frozenset(_DIGIT.sub("0", literal) for literal in literals)


def _is_met(required: Required, text: str) -> bool:
    if required is None:
        return True
    for literal in required:  # noqa: SIM110  any() takes twice as long
        if literal in text:
            return True
    return False


def _always(text: str) -> bool:
    return True
