"""A parser as its YAML file says it: the model of the file, its checks, and where files are found.

`docs/parsers.md` explains the language; the JSON Schema for editors is `Parser.model_json_schema()`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from capture.language import blocks, readers, tables
from capture.language.checked_yaml import Checked
from capture.language.expressions import Expression
from capture.language.patterns import Matcher, from_line, from_regex
from capture.language.readers import LineReader, StreamReader

# Compiling all expressions is most of the tracker's start: what was checked before is compiled when needed.
CHECKED = "checked"


def _expression(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("should be arithmetic on names, such as (epoch - 1) * batches")
    return Expression(str(value)).source


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float)) else value


Arithmetic = Annotated[str, BeforeValidator(_expression)]
Attempts = Annotated[list[Arithmetic], BeforeValidator(_as_list)]
Names = Annotated[list[str], BeforeValidator(_as_list)]
Remembered = Annotated[
    dict[str, Arithmetic],
    BeforeValidator(lambda v: {n: n for n in v} if isinstance(v, list) else _as_dict(v)),
]
Joined = Annotated[str, BeforeValidator(lambda v: "".join(map(str, v)) if isinstance(v, list) else v)]
Axis = Annotated[dict[str, Arithmetic], BeforeValidator(lambda v: {v: "step"} if isinstance(v, str) else v)]


def _as_dict(value: Any) -> Any:
    return {value: value} if isinstance(value, str) else value


def _replacements(rewrite: dict[str, str]) -> dict[str, str]:
    for pattern, replacement in rewrite.items():
        try:
            re.compile(pattern).sub(replacement, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{pattern!r}: the regular expression does not compile: {error}") from None
    return rewrite


class Bar(Checked):
    """A progress bar: the name of its counter, and of the text that tells one bar from another."""

    count: str
    total: str | None = None
    label: str | None = None
    values: Literal["ahead", "behind", "exact"] = "ahead"


class Table(Checked):
    """A table: the header that names its columns, and how they are split."""

    header: Joined
    below: Joined | None = None
    split: Literal["spaces", "gaps", "pipes"] = "spaces"
    row: Joined | None = None
    columns: dict[str, str] = {}
    lower: bool = False

    @model_validator(mode="after")
    def _compiles(self, info: ValidationInfo) -> Table:
        if info.context != CHECKED:
            tables.TableMatcher(self).check()
        return self


class Block(Checked):
    """A box of rows that make one record."""

    begin: Joined
    row: Joined
    section: Joined | None = None
    end: Joined
    several: str | None = None

    @model_validator(mode="after")
    def _compiles(self, info: ValidationInfo) -> Block:
        if info.context != CHECKED:
            blocks.BlockMatcher(self).check()
        return self


class Naming(Checked):
    """What changes the names and values of metrics, in a parser as in a user's configuration."""

    rename: dict[str, str] = {}
    drop: Names = []
    scale: dict[str, float] = {}


class Rewriting(Naming):
    """The same in a parser, where expressions may change names, too."""

    rewrite: Annotated[dict[str, str], AfterValidator(_replacements)] = {}


class Case(Rewriting):
    """What a frame means once it is recognised."""

    when: Literal["final", "live", "outer"] | None = None
    if_: Attempts = Field([], alias="if")
    unless: Attempts = []
    as_: Literal["metrics", "config", "context", "peek"] = Field("metrics", alias="as")
    step: Attempts = []
    epoch: Attempts = []
    derive: dict[str, Arithmetic] = {}
    prefix: str = ""
    axis: Axis = {}
    context: Names = []
    remember: Remembered = {}
    forget: Names = []
    wait: str | None = None


class Pattern(Case):
    """How a frame looks, and what it means; or several `cases`, of which the first that fits counts."""

    line: str | None = None
    regex: Joined | None = None
    reader: str | None = Field(None, pattern=r"^[a-z_]\w*$")
    table: Table | None = None
    block: Block | None = None
    second: str | None = None
    wrapped: str | None = None
    pairs: Names = []
    bar: Bar | None = None
    cases: list[Case] = []

    @field_validator("line")
    @classmethod
    def _line(cls, line: str, info: ValidationInfo) -> str:
        if info.context != CHECKED:
            from_line(line).check()
        return line

    @field_validator("regex")
    @classmethod
    def _regex(cls, source: str, info: ValidationInfo) -> str:
        if info.context != CHECKED:
            from_regex(source).check()
        return source

    @field_validator("reader")
    @classmethod
    def _reader(cls, name: str) -> str:
        readers.find(name)
        return name

    @model_validator(mode="after")
    def _one_of_two(self) -> Pattern:
        ways = (self.line, self.regex, self.table, self.block, self.reader)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a pattern has either line: or regex:, or it is a table:, a block: or a reader:")
        if self.second and not re.search(r"\(\?P<second>|:second\}", self.regex or ""):
            raise ValueError("second: is the name of what the regex's group (?P<second>...) holds")
        if self.wrapped and f"(?P<{self.wrapped}>" not in (self.regex or ""):
            raise ValueError(f"wrapped: the regex has no group (?P<{self.wrapped}>...)")
        return self

    def lines(self) -> tables.TableMatcher | blocks.BlockMatcher | StreamReader | None:
        """What is read over several lines, compiled; None for the other patterns."""
        if self.table:
            return tables.TableMatcher(self.table)
        if self.block:
            return blocks.BlockMatcher(self.block)
        reader = readers.find(self.reader) if self.reader else None
        return reader if isinstance(reader, StreamReader) else None

    def matcher(self) -> Matcher | LineReader | StreamReader:
        """The compiled pattern; that of its first line where it has several."""
        lines = self.lines()
        if lines:
            return lines.start
        if self.reader is not None:
            return readers.find(self.reader)
        return from_line(self.line) if self.line is not None else from_regex(self.regex or "", self.second)


class Gives(Checked):
    """A record as a sample says it; what is left out is not compared."""

    step: int | None = None
    epoch: float | None = None
    metrics: dict[str, float] = {}
    config: dict[str, Any] = {}
    context: dict[str, Any] = {}


class Sample(Checked):
    """Console text, of one or many lines, and the records that it gives."""

    text: str
    gives: Annotated[
        list[Gives], BeforeValidator(lambda v: [] if v == "nothing" else v if isinstance(v, list) else [v])
    ]


class Parser(Rewriting):
    """A parser, as its YAML file describes it."""

    name: str = Field(pattern=r"^[\w.-]+$")
    title: str = ""
    url: str = ""
    notes: str = ""
    unverified: bool = False
    generic: bool = False
    axis: Axis = {}
    patterns: list[Pattern] = Field(min_length=1)
    samples: list[Sample] = []
