"""Which rules may know a text: those that find a literal in it which they require."""

from __future__ import annotations

import re
from collections.abc import Sequence

from capture.language.required_text import Required, prefilter
from capture.parsing.rule import Rule

_DIGIT = re.compile("[0-9]")


class RuleIndex:
    """Tells which rules find a literal that they require in a text; all digits, being alike, are zeros in it.

    Asks all rules at once, then either half of them: most texts concern few.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._wants = prefilter(_zeroed(rule.matcher.literals) for rule in rules)
        half = len(rules) // 2
        self._halves = [RuleIndex(rules[:half]), RuleIndex(rules[half:])] if half else []

    def __call__(self, text: str, sure: bool = False) -> list[Rule]:
        """The rules in their order; `sure` says that there is one."""
        if not sure and self._wants and not self._wants(text):
            return []
        if not self._halves:
            return [*self._rules]
        first, second = self._halves
        found = first(text)
        return found + second(text, sure=self._wants is not None and not found)


def _zeroed(literals: Required) -> Required:
    return None if literals is None else frozenset(_DIGIT.sub("0", literal) for literal in literals)
