"""Blocks: a box whose rows, each a name and its value, make one record.

-----------------------------
| rollout/       |          |
|    ep_rew_mean | 22.3     |
-----------------------------
"""

from __future__ import annotations

from dataclasses import dataclass, field

from capture.errors import UserError
from capture.language.model import Block
from capture.language.numbers import Value, is_number, number
from capture.language.patterns import Match, from_regex
from capture.language.required_text import Required
from capture.language.tables import NOT_RECOGNISED, RECOGNISED, RULER, LineResult

MAX_ROWS = 500


@dataclass
class OpenBlock:
    """A box that is being drawn."""

    section: str = ""
    rows: list[tuple[str, Value]] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)  # by their names without the section

    @property
    def match(self) -> Match:
        """What its rows say."""
        return Match(self.values, self.rows)


class BlockMatcher:
    """A compiled `block:`.  Raises UserError for an unknown kind of value."""

    def __init__(self, spec: Block) -> None:
        self.first = from_regex(spec.begin)
        self.row = from_regex(spec.row)
        self.section = from_regex(spec.section) if spec.section else None
        self.end = from_regex(spec.end)
        self.several = spec.several

    def check(self) -> None:
        """Raises UserError if an expression does not compile or lacks a group."""
        for matcher in (self.first, self.row, self.section, self.end):
            if matcher:
                matcher.check()
        if not self.row.repeats:
            raise UserError("row: has no groups (?P<key>...) and (?P<value>...)")
        if self.section and "section" not in self.section.names:
            raise UserError("section: has no group (?P<section>...)")

    @property
    def literals(self) -> Required:
        """The literals of which every first line contains at least one."""
        return self.first.literals

    def rejects(self, text: str) -> bool:
        """Whether it is known that no line of this text's shape is the first of a box."""
        return self.first.rejects(text)

    def match(self, text: str, timeout: float | None = None) -> Match | None:
        """The values in the first line of a box; None for other lines.  Raises patterns.Timeout."""
        return self.first.match(text, timeout)

    def begin(self) -> OpenBlock | None:
        """What is open at the beginning of a stream: no box."""
        return None

    def read(
        self, text: str, final: bool, opened: OpenBlock | None, timeout: float | None
    ) -> tuple[OpenBlock | None, LineResult]:
        """What a line is if `opened` is the open box, and the box that is open after it.

        `final` says that the line ended with a newline.  `timeout` is in seconds.  Raises patterns.Timeout.
        """
        if opened is not None and len(opened.rows) >= MAX_ROWS:
            opened.rows.clear()  # it is none
            opened = None
        if opened is not None:
            section = self.section.match(text, timeout) if self.section else None
            if section:
                opened.section = str(section.values["section"])
                return opened, RECOGNISED
            if self._add(opened, text, timeout):
                return opened, RECOGNISED
            if opened.rows and self.end.match(text, timeout):
                return None, LineResult(True, opened.match, whole=True)
        first = self.first.match(text, timeout)
        if first:
            return OpenBlock(values=first.values), RECOGNISED
        goes_on = not final or RULER.fullmatch(text)  # a bar is drawn meanwhile, or a ruler inside the box
        return opened if goes_on else None, NOT_RECOGNISED

    def _add(self, opened: OpenBlock, text: str, timeout: float | None) -> bool:
        """Add a row to the box; returns whether the line is one."""
        found = self.row.find(text, timeout)
        if found is None:
            return False
        key, texts = found["key"].strip(), found.captures("value")
        for n, shown in enumerate(texts):
            name = self.several.format(key=key, n=n) if self.several and len(texts) > 1 else key
            value: Value = number(shown.strip()) if is_number(shown.strip()) else shown.strip()
            opened.rows.append((opened.section + name, value))
            if not isinstance(value, str):
                opened.values.setdefault(key, value)
        return True
