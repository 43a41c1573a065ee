"""Blocks: a box whose rows, each a name and its value, make one record.

-----------------------------
| rollout/       |          |
|    ep_rew_mean | 22.3     |
-----------------------------
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capture.language.numbers import Value, is_number, number
from capture.language.patterns import Match, from_regex
from capture.language.tables import NO_ROW, NOT_RECOGNISED, RECOGNISED, LineResult

if TYPE_CHECKING:
    from capture.language import model

MOST_ROWS = 500


@dataclass
class OpenBlock:
    """A box that is being drawn."""

    section: str = ""
    rows: list[tuple[str, Value]] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)  # by their names without the section


class BlockMatcher:
    """A box as a parser describes it."""

    def __init__(self, spec: model.Block) -> None:
        self.start = from_regex(spec.begin)
        self.row = from_regex(spec.row)
        self.section = from_regex(spec.section) if spec.section else None
        self.end = from_regex(spec.end)
        self.several = spec.several

    def check(self) -> None:
        """Raises ValueError where something in it is wrong."""
        for matcher in (self.start, self.row, self.section, self.end):
            if matcher:
                matcher.check()
        if not self.row.repeats:
            raise ValueError("row: has no groups (?P<key>...) and (?P<value>...)")
        if self.section and "section" not in self.section.names:
            raise ValueError("section: has no group (?P<section>...)")

    def read(
        self, text: str, final: bool, opened: OpenBlock | None, timeout: float | None
    ) -> tuple[OpenBlock | None, LineResult]:
        """What the line is, and the box that is open afterwards.  Raises patterns.Timeout."""
        if opened is not None and len(opened.rows) >= MOST_ROWS:
            opened = None
        if opened is not None:
            section = self.section.match(text, timeout) if self.section else None
            if section:
                opened.section = str(section.values["section"])
                return opened, RECOGNISED
            if self._add(opened, text, timeout):
                return opened, RECOGNISED
            if opened.rows and self.end.match(text, timeout):
                return None, LineResult(True, Match(opened.values, opened.rows), whole=True)
        start = self.start.match(text, timeout)
        if start:
            return OpenBlock(values=start.values), RECOGNISED
        goes_on = not final or NO_ROW.fullmatch(text)  # another bar is drawn, or a ruler inside the box
        return opened if goes_on else None, NOT_RECOGNISED

    def _add(self, opened: OpenBlock, text: str, timeout: float | None) -> bool:
        found = self.row.find(text, timeout)
        if found is None:
            return False
        name, shown = found["key"].strip(), found.captures("value")
        for n, text_ in enumerate(shown):
            several = self.several.format(key=name, n=n) if self.several and len(shown) > 1 else name
            value: Value = number(text_.strip()) if is_number(text_.strip()) else text_.strip()
            opened.rows.append((opened.section + several, value))
            if not isinstance(value, str):
                opened.values.setdefault(name, value)
        return True
