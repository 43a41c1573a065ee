"""The two ways to write a pattern for a line, `line:` and `regex:`, compiled to a matcher.

`line: "{step} | loss {loss} | lr {lr}"` names the values where they are; the whole line has to look like
that.  `regex:` is a regular expression of the `regex` module, searched anywhere in the line, with named
groups, `%{NUMBER:name}`, and repeated groups `key` and `value`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import regex

from capture.errors import UserError, did_you_mean
from capture.language.kinds import GROK, KINDS, Kind
from capture.language.numbers import Value, fast_reader, is_number, number
from capture.language.required_text import Required, digit_sensitive_text, required
from capture.language.shape_cache import ShapeCache

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}:\"']*)(?::([^{}]*))?\}")  # {"a": is JSON
_UNCLOSED = re.compile(r"\{\s*\w[^{}:\s]*")
_GROK = re.compile(r"%\{(\w+)(?::([^{}]+))?\}")
# A text that spaces or the end of the line follow does not end with a space itself: else each space of a long
# run would be taken for its end, and the rest of the run read again.
_TEXT_BEFORE_SPACE = r"(?:|.*?\S)"
_ANYTHING = re.compile(r"(?:\\s\*)?(?:\(\?[=!]|\.)")  # a look ahead, or a dot
_PAIRED = ("key", "value")  # the groups that are read together, as pairs

Read = Callable[[str], Value]


class Timeout(Exception):
    """The pattern took longer than it may on one line."""


class Match(NamedTuple):
    """What a pattern found in a line: its named values, and the repeated keys with their values."""

    values: dict[str, Value]
    pairs: Sequence[tuple[str, Value]] = ()


class Group(NamedTuple):
    """The name that a group of the expression has for the user, and how its text is read."""

    name: str
    read: Read


class ValueSpan(NamedTuple):
    """The offsets of a named value in a line, and how it is read."""

    name: str
    read: Read
    start: int
    end: int


class PairSpan(NamedTuple):
    """The offsets of a repeated key and its value in a line; `suffix` is added to the key."""

    key_start: int
    key_end: int
    suffix: str
    read: Read
    start: int
    end: int


class Spans(NamedTuple):
    """Where a pattern found its values and pairs in a line; the same for all lines of one shape."""

    values: list[ValueSpan]
    pairs: list[PairSpan]


@dataclass(frozen=True)
class RegexMatcher:
    """A compiled `line:` or `regex:`.

    `groups` are those that are called something else in the expression, because their names are not
    identifiers.  `second` is the name of the second of two values beside one key.
    """

    source: str
    groups: Mapping[str, Group] = field(default_factory=dict)
    second: str | None = None

    @cached_property
    def literals(self) -> Required:
        """The literals of which every line that matches contains at least one."""
        return required(self.source)

    @cached_property
    def _compiled(self) -> Any:
        return regex.compile(self.source)

    def check(self) -> None:
        """Raises UserError if the regular expression does not compile."""
        try:
            _ = self._compiled
        except regex.error as error:
            raise UserError(f"the regular expression does not compile: {error}") from None

    @cached_property
    def _groups(self) -> list[tuple[int, Group]]:
        """The named groups by their numbers."""
        index = self._compiled.groupindex
        return sorted((n, self.groups.get(name) or Group(name, _read_any)) for name, n in index.items())

    @cached_property
    def repeats(self) -> bool:
        """Whether it has the repeated groups `key` and `value`."""
        return {*_PAIRED} <= {group.name for _, group in self._groups}

    @cached_property
    def _value_groups(self) -> list[tuple[int, Group]]:
        """The groups that are not repeated."""
        paired = _PAIRED if self.second is None else (*_PAIRED, "second")
        return [(n, group) for n, group in self._groups if group.name not in paired]

    @property
    def names(self) -> list[str]:
        """The names that it may capture, but for those of the repeated keys."""
        return [group.name for _, group in self._value_groups]

    def find(self, text: str, timeout: float | None = None) -> Any:
        """The match object of the regex module, or None.  Raises Timeout after `timeout` seconds."""
        try:
            return self._compiled.search(text, timeout=timeout)
        except TimeoutError:
            raise Timeout(self.source) from None

    def reach(self, text: str, timeout: float | None = None) -> int:
        """How many of the text's first characters may begin a match; 0 if a match may begin anywhere.

        Raises Timeout if a search takes longer than `timeout` seconds.
        """
        if not self.source.startswith("^") or _ANYTHING.match(self.source, 1):
            return 0
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            try:
                begins = self._compiled.match(text[:middle], partial=True, timeout=timeout)
            except TimeoutError:
                raise Timeout(self.source) from None
            low, high = (middle, high) if begins else (low, middle - 1)
        ended_early = low == len(text) and not any(literal in text for literal in self.literals or ())
        return 0 if ended_early else low  # `.*` would go on for ever

    def match(self, text: str, timeout: float | None = None) -> Match | None:
        """The values and pairs of a line; None if it does not match.

        Raises Timeout if the search takes longer than `timeout` seconds.
        """
        spans = self._cached_spans(text) if timeout is None else self._spans(text, timeout)
        if spans is None:
            return None
        values = {name: read(text[start:end]) for name, read, start, end in spans.values}
        pairs = [
            (text[key_start:key_end].strip() + suffix, read(text[start:end]))
            for key_start, key_end, suffix, read, start, end in spans.pairs
        ]
        return Match(values, pairs)

    def rejects(self, text: str) -> bool:
        """Whether it is known to match no line of this text's shape."""
        return self._cached_spans.has(text, None)

    def known_spans(self, text: str) -> Spans | None:
        """Where the values of all lines of this text's shape are; None if that is not known."""
        return self._cached_spans.cached(text)

    @cached_property
    def _cached_spans(self) -> ShapeCache[Spans | None]:
        return ShapeCache(self._spans, digit_sensitive_text(self.source))

    def _spans(self, text: str, timeout: float | None = None) -> Spans | None:
        found = self.find(text, timeout)
        if found is None:
            return None
        values = []
        for n, group in self._value_groups:
            start, end = found.span(n)
            if start >= 0:
                values.append(ValueSpan(group.name, _reader_for(text[start:end], group.read), start, end))
        return Spans(values, [*self._pair_spans(found)] if self.repeats else [])

    def _pair_spans(self, found: Any) -> Iterator[PairSpan]:
        """Each repeated key with its value, and again with each second value that follows that one."""
        text, second = found.string, f"/{self.second}"
        seconds = found.spans("second") if self.second is not None else []
        pairs = [*zip(found.spans("key"), found.spans("value"), strict=False)]
        next_values = [
            *(start for _, (start, _) in pairs[1:]),
            math.inf,
        ]  # too many without pairs
        for ((key_start, key_end), (start, end)), next_value in zip(pairs, next_values, strict=False):
            yield PairSpan(key_start, key_end, "", _reader_for(text[start:end]), start, end)
            for a, b in seconds:
                if end <= a < next_value:
                    yield PairSpan(key_start, key_end, second, _reader_for(text[a:b]), a, b)


@dataclass(frozen=True)
class WrappedMatcher(RegexMatcher):
    """A `regex:` whose group `wrapped` may go on below, where a narrow terminal has wrapped its text."""

    wrapped: str = ""

    def column(self, text: str, timeout: float | None = None) -> int:
        """The offset of the group's text, without leading spaces, in a line that matches."""
        start: int = self.find(text, timeout).start(self.wrapped)
        return start + len(text[start:]) - len(text[start:].lstrip())


def from_line(line: str) -> RegexMatcher:
    """The matcher of a line with names in braces.  Raises UserError for a field that is wrong."""
    parts: list[str] = []
    groups: dict[str, Group] = {}
    position = 0
    for match in _FIELD.finditer(line := line.strip()):
        parts.append(_literal(line[position : match.start()]))
        position = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(re.escape(match[0][0]))
        else:
            parts.append(_field(match[1].strip(), match[2], groups))
            if match[2] == "text" and not line[position : position + 1].strip():
                parts[-1] = parts[-1].replace(KINDS["text"].regex, _TEXT_BEFORE_SPACE)
    parts.append(_literal(line[position:]))
    return RegexMatcher(r"^\s*" + "".join(parts) + r"\s*$", groups)


def _field(name: str, kind: str | None, groups: dict[str, Group]) -> str:
    """The expression of `{name:kind}`; its group is added to `groups`."""
    if kind == "of":  # 3/25: the value, and the total under the name's plural
        plural = name if name == "_" else name + "s"
        return rf"{_field(name, 'int', groups)}\s*/\s*{_field(plural, 'int', groups)}"
    if kind is not None and kind not in KINDS:
        hint = did_you_mean(kind, [*KINDS, "of"], f"there are {', '.join(KINDS)}, of")
        raise UserError(f"{{{name}:{kind}}}: there is no kind {kind!r}; {hint}")
    if name == "_":
        return f"(?:{KINDS[kind].regex})" if kind else r"\S+"
    if not name:
        raise UserError("{} has no name; {_} skips a value")
    if name in (group.name for group in groups.values()):
        raise UserError(f"{{{name}}} occurs twice in the line; {{_}} skips a value")
    return _group(name, KINDS[kind or "number"], groups, _PAIRED)


def _literal(text: str) -> str:
    """The expression of the text between two fields; spaces match any run of spaces."""
    if unclosed := _UNCLOSED.search(text):
        raise UserError(f"{unclosed[0]!r} is not closed: {unclosed[0]}}}; a brace of the line itself is {{{{")
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))


def from_regex(source: str, second: str | None = None, wrapped: str | None = None) -> RegexMatcher:
    """The matcher of a regular expression.  Raises UserError for an unknown `%{NAME}`."""
    groups: dict[str, Group] = {}
    paired = (*_PAIRED, "second") if second else _PAIRED

    def expand(match: re.Match[str]) -> str:
        kind, name = match.groups()
        if kind not in GROK:
            raise UserError(f"%{{{kind}}} is unknown; there are {', '.join(GROK)}")
        return f"(?:{GROK[kind].regex})" if name is None else _group(name, GROK[kind], groups, paired)

    expanded = _GROK.sub(expand, source)
    if wrapped:
        return WrappedMatcher(expanded, groups, second, wrapped)
    return RegexMatcher(expanded, groups, second)


def _group(name: str, kind: Kind, groups: dict[str, Group], paired: Sequence[str]) -> str:
    """The expression of a named group; its meaning is added to `groups`, unless it is one of a pair."""
    if name in paired:
        return f"(?P<{name}>{kind.regex})"
    alias = f"g{len(groups)}"
    groups[alias] = Group(name, kind.read)
    return f"(?P<{alias}>{kind.regex})"


def _read_any(text: str) -> Value:
    return number(text) if is_number(text) else text.strip()


def _reader_for(text: str, read: Read = _read_any) -> Read:
    """A faster function that reads this text, and all others of its shape, as `read` does."""
    if read is _read_any:
        read = number if is_number(text) else str.strip
    return fast_reader(read, text)
