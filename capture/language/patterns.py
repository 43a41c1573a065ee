"""The two ways to write a pattern, `line:` and `regex:`, compiled to one kind of matcher.

`line: "{step} | loss {loss} | lr {lr}"` names the values where they stand; the whole line has to
look like that.  `regex:` is a regular expression of the `regex` module, searched anywhere in the
line, with named groups, `%{NUMBER:name}`, and repeated `key` and `value` groups.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import regex
from pydantic_core import SchemaValidator, core_schema

from capture.language.kinds import GROK, KINDS
from capture.language.numbers import Value, fast_reader, is_number, number
from capture.language.required_text import Required, digit_sensitive_text, required
from capture.language.shape_cache import ShapeCache

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}:\"']*)(?::([^{}]*))?\}")  # {"a": is JSON
_META = re.compile(r"[\\.+*?()|\[\]{}^$#&~-]")
_GROK = re.compile(r"%\{(\w+)(?::([^{}]+))?\}")
_ANYTHING = re.compile(r"(?:\\s\*)?(?:\(\?[=!]|\.)")  # a look ahead, or a dot
_PAIRED = ("key", "value")  # read together, as pairs


Span = tuple[int, int]


class Timeout(Exception):
    """The pattern took longer than it may on one line."""


class Match(NamedTuple):
    """What a pattern found in a line: its named values, and the repeated names with theirs."""

    values: dict[str, Value]
    pairs: Sequence[tuple[str, Value]] = ()


class Spans(NamedTuple):
    """Where in a line a pattern found its values and its repeated keys and values, and how to read them."""

    values: list[tuple[str, Callable[[str], Value], int, int]]
    pairs: list[tuple[int, int, str, Callable[[str], Value], int, int]]  # the string goes behind the key


@dataclass(frozen=True)
class Matcher:
    """A compiled pattern: which text it needs, what its groups are called and how they are read."""

    source: str
    groups: dict[str, tuple[str, Callable[[str], Value]]] = field(default_factory=dict)
    second: str | None = None  # what the second of two values beside one key is called

    @cached_property
    def literals(self) -> Required:
        """Texts of which at least one stands in every line that matches."""
        return required(self.source)

    @cached_property
    def _compiled(self) -> Any:
        return regex.compile(self.source)

    def check(self) -> None:
        """Raises ValueError where the regular expression does not compile."""
        try:
            _ = self._compiled
        except regex.error as error:
            raise ValueError(f"the regular expression does not compile: {error}") from None

    @property
    def _paired(self) -> tuple[str, ...]:
        return _PAIRED if self.second is None else (*_PAIRED, "second")

    @cached_property
    def _readers(self) -> list[tuple[int, str, Callable[[str], Value]]]:
        index = self._compiled.groupindex
        named = [(n, *self.groups.get(group, (group, _read_any))) for group, n in index.items()]
        return sorted((item for item in named if item[1] not in self._paired), key=lambda item: item[0])

    @cached_property
    def repeats(self) -> bool:
        """Whether it has the repeated groups `key` and `value`."""
        return {"key", "value"} <= set(self._names)

    @cached_property
    def _names(self) -> list[str]:
        return [self.groups.get(group, (group,))[0] for group in self._compiled.groupindex]

    @property
    def names(self) -> list[str]:
        """The names that it may capture."""
        return [name for name in self._names if name not in self._paired]

    def find(self, text: str, timeout: float | None = None) -> Any:
        """The match object, or None.  Raises Timeout where it takes longer than `timeout` seconds."""
        try:
            return self._compiled.search(text, timeout=timeout)
        except TimeoutError:
            raise Timeout(self.source) from None

    def reach(self, text: str, timeout: float | None = None) -> int:
        """How many of the text's first characters may begin a match; 0 for what may begin anywhere.

        Raises Timeout where a search takes longer than `timeout` seconds.
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
        """The named values, and the repeated keys with their values; None if nothing matched.

        Raises Timeout where the search takes longer than `timeout` seconds.
        """
        places = self._known(text) if timeout is None else self._places(text, timeout)
        if places is None:
            return None
        values = {name: read(text[start:end]) for name, read, start, end in places.values}
        pairs = [(text[a:b].strip() + behind, read(text[c:d])) for a, b, behind, read, c, d in places.pairs]
        return Match(values, pairs)

    def rejects(self, text: str) -> bool:
        """Whether it is known to match no line of this shape."""
        return self._known.remembers(text, None)

    @cached_property
    def _known(self) -> ShapeCache[Spans | None]:
        """Like `_places`, but found out once for each shape of a line, where digits are all alike."""
        return ShapeCache(self._places, digit_sensitive_text(self.source))

    def _places(self, text: str, timeout: float | None = None) -> Spans | None:
        found = self.find(text, timeout)
        if found is None:
            return None
        values = [
            (name, _reader(read, text[start:end]), start, end)
            for name, read, start, end in ((name, read, *found.span(n)) for n, name, read in self._readers)
            if start >= 0
        ]
        pairs = []
        for key, behind, (start, end) in self._pairs(found) if self.repeats else ():
            pairs.append((*key, behind, _reader(_read_any, text[start:end]), start, end))
        return Spans(values, pairs)

    def _pairs(self, found: Any) -> list[tuple[tuple[int, int], str, tuple[int, int]]]:
        """Where the repeated keys and values stand, and each second value after its first."""
        pairs = [(k, "", v) for k, v in zip(found.spans("key"), found.spans("value"), strict=False)]
        if self.second is None:
            return pairs
        both, seconds = [], found.spans("second")
        ends = [*(value[0] for _, _, value in pairs[1:]), math.inf]
        for (key, behind, value), end in zip(pairs, ends, strict=True):
            both.append((key, behind, value))
            both += [(key, f"/{self.second}", s) for s in seconds if value[1] <= s[0] < end]
        return both


def from_line(line: str) -> Matcher:
    """The matcher of a line with names in it.  Raises ValueError for an unknown kind of value."""
    parts: list[str] = []
    groups: dict[str, tuple[str, Callable[[str], Value]]] = {}
    position = 0
    for match in _FIELD.finditer(line := line.strip()):
        parts.append(_plain(line[position : match.start()]))
        position = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(re.escape(match[0][0]))
        else:
            parts.append(_field(match[1].strip(), match[2], groups))
    parts.append(_plain(line[position:]))
    return Matcher(r"^\s*" + "".join(parts) + r"\s*$", groups)


def _field(name: str, kind: str | None, groups: dict[str, tuple[str, Callable[[str], Value]]]) -> str:
    if kind == "of":  # 3/25: the value, and how many there are under the name's plural
        plural = name if name == "_" else name + "s"
        return rf"{_field(name, 'int', groups)}\s*/\s*{_field(plural, 'int', groups)}"
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{{{name}:{kind}}}: there is no kind {kind!r}; there are {', '.join(KINDS)}, of")
    if name == "_":
        return f"(?:{KINDS[kind].regex})" if kind else r"\S+"
    if not name:
        raise ValueError("{} has no name; {_} skips a value")
    shape = KINDS[kind or "number"]
    if name in _PAIRED:
        return f"(?P<{name}>{shape.regex})"
    if name in (taken for taken, _ in groups.values()):
        raise ValueError(f"{{{name}}} stands in the line twice; {{_}} skips a value")
    group = f"g{len(groups)}"
    groups[group] = (name, shape.read)
    return f"(?P<{group}>{shape.regex})"


def _plain(text: str) -> str:
    """The literal text between the names; spaces match any run of spaces."""
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))


def from_regex(source: str, second: str | None = None) -> Matcher:
    """The matcher of a regular expression.  Raises ValueError for an unknown `%{NAME}`."""
    groups: dict[str, tuple[str, Callable[[str], Value]]] = {}

    def expand(match: re.Match[str]) -> str:
        kind, name = match.groups()
        if kind not in GROK:
            raise ValueError(f"%{{{kind}}} is unknown; there are {', '.join(GROK)}")
        if name is None:
            return f"(?:{GROK[kind].regex})"
        if name in _PAIRED or (second and name == "second"):
            return f"(?P<{name}>{GROK[kind].regex})"
        group = f"g{len(groups)}"
        groups[group] = (name, GROK[kind].read)
        return f"(?P<{group}>{GROK[kind].regex})"

    return Matcher(_GROK.sub(expand, source), groups, second)


def _read_any(shown: str) -> Value:
    return number(shown) if is_number(shown) else shown.strip()


def _reader(read: Callable[[str], Value], shown: str) -> Callable[[str], Value]:
    """How to read this text and all others of its shape."""
    if read is _read_any:
        read = number if is_number(shown) else str.strip
    return fast_reader(read, shown)


def gate(literals: Iterable[Required]) -> Callable[[str], bool] | None:
    """Tells whether a text holds one of all these literals; None if some pattern requires none.

    `re` and `regex` try a hundred literals one by one at each character.  Pydantic checks a string's pattern
    with Rust's regex crate, which looks for all of them in one pass: thirty times as fast.
    """
    texts: set[str] = set()
    for required_ones in literals:
        if required_ones is None:
            return None
        texts |= required_ones
    pattern = "|".join(_META.sub(r"\\\g<0>", text) for text in sorted(texts)) or r"[^\s\S]"
    search: Callable[[str], bool] = SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
    return search
