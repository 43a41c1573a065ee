"""A parser as its YAML file says it: pydantic models of the file.

`docs/parsers.md` explains the language; the JSON Schema for editors is `Parser.model_json_schema()`.  The
models know no matchers: whoever loads a file passes `matchers.check` as the context of the validation.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from capture.language.checked import Checked
from capture.language.expressions import compiled

T = TypeVar("T")


def _arithmetic(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("should be arithmetic on names, such as (epoch - 1) * batches")
    return compiled(str(value)).source


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float)) else value


def _as_mapping(value: Any) -> Any:
    """`epoch` or `[epoch]` as `{epoch: epoch}`."""
    if isinstance(value, list):
        return {name: name for name in value}
    return {value: value} if isinstance(value, str) else value


def _replacements(rewrite: dict[str, str]) -> dict[str, str]:
    for pattern, replacement in rewrite.items():
        try:
            re.compile(pattern).sub(replacement, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{pattern!r}: the regular expression does not compile: {error}") from None
    return rewrite


def _check(value: T, info: ValidationInfo) -> T:
    """Calls the context, if there is one: compiling takes long, and is left out for files that are known."""
    if info.context is not None:
        info.context(info.field_name, value)
    return value


Arithmetic = Annotated[str, BeforeValidator(_arithmetic)]
Attempts = Annotated[list[Arithmetic], BeforeValidator(_as_list)]
Names = Annotated[list[str], BeforeValidator(_as_list)]
Remembered = Annotated[dict[str, Arithmetic], BeforeValidator(_as_mapping)]
Joined = Annotated[str, BeforeValidator(lambda v: "".join(map(str, v)) if isinstance(v, list) else v)]
Axis = Annotated[dict[str, Arithmetic], BeforeValidator(lambda v: {v: "step"} if isinstance(v, str) else v)]


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
    split: Literal["spaces", "gaps", "pipes", "commas"] = "spaces"
    row: Joined | None = None
    columns: dict[str, str] = {}
    lower: bool = False
    texts: bool = False


class Block(Checked):
    """A box of rows that make one record."""

    begin: Joined
    row: Joined
    section: Joined | None = None
    end: Joined
    several: str | None = None


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
    hold: bool = False


class Pattern(Case):
    """What all patterns have, however their lines look: what they mean, or several `cases` of it.

    Of the cases the first whose conditions hold counts.
    """

    pairs: Names = []
    bar: Bar | None = None
    cases: list[Case] = []

    @property
    def source(self) -> str:
        """What a message calls it: its expression or the name of its reader; empty for tables and blocks."""
        return ""


class LinePattern(Pattern):
    """A line with names in braces where its values are."""

    model_config = ConfigDict(title="pattern with line")
    line: Annotated[str, AfterValidator(_check)]

    @property
    def source(self) -> str:
        """The line."""
        return self.line


class RegexPattern(Pattern):
    """A regular expression that is searched in a line."""

    model_config = ConfigDict(title="pattern with regex")
    regex: Annotated[Joined, AfterValidator(_check)]
    second: str | None = None
    wrapped: str | None = None

    @property
    def source(self) -> str:
        """The regular expression."""
        return self.regex

    @model_validator(mode="after")
    def _groups_exist(self) -> RegexPattern:
        if self.second and not re.search(r"\(\?P<second>|:second\}", self.regex):
            raise ValueError("second: the regex has no group (?P<second>...)")
        if self.wrapped and f"(?P<{self.wrapped}>" not in self.regex:
            raise ValueError(f"wrapped: the regex has no group (?P<{self.wrapped}>...)")
        return self


class TablePattern(Pattern):
    """The rows of a table."""

    model_config = ConfigDict(title="pattern with table")
    table: Annotated[Table, AfterValidator(_check)]


class BlockPattern(Pattern):
    """The rows of a box."""

    model_config = ConfigDict(title="pattern with block")
    block: Annotated[Block, AfterValidator(_check)]


class ReaderPattern(Pattern):
    """What a Python module reads."""

    model_config = ConfigDict(title="pattern with reader")
    reader: Annotated[str, Field(pattern=r"^[a-z_]\w*$"), AfterValidator(_check)]

    @property
    def source(self) -> str:
        """The reader's name."""
        return self.reader


PATTERNS: dict[str, type[Pattern]] = {
    "line": LinePattern,
    "regex": RegexPattern,
    "table": TablePattern,
    "block": BlockPattern,
    "reader": ReaderPattern,
}
FORMS = tuple(PATTERNS)  # of which a pattern has one


class UndecidedPattern(Pattern):
    """What has none of the keys in FORMS, or several: always an error, after those in its other keys."""

    line: Any = None
    regex: Any = None
    table: Any = None
    block: Any = None
    reader: Any = None
    second: Any = None
    wrapped: Any = None

    @model_validator(mode="after")
    def _has_one_form(self) -> UndecidedPattern:
        raise ValueError(f"a pattern has exactly one of the keys {', '.join(FORMS)}")


def _form(value: Any) -> str:
    """The tag of the model for a pattern: data to be checked, or a model to be dumped."""
    keys = vars(value) if isinstance(value, Pattern) else value if isinstance(value, dict) else ()
    forms = [form for form in FORMS if form in keys]
    return f"<{forms[0]}>" if len(forms) == 1 else "<undecided>"


AnyPattern = Annotated[
    Annotated[LinePattern, Tag("<line>")]
    | Annotated[RegexPattern, Tag("<regex>")]
    | Annotated[TablePattern, Tag("<table>")]
    | Annotated[BlockPattern, Tag("<block>")]
    | Annotated[ReaderPattern, Tag("<reader>")]
    | SkipJsonSchema[Annotated[UndecidedPattern, Tag("<undecided>")]],
    Discriminator(_form),
]


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
    patterns: list[AnyPattern] = Field(min_length=1)
    samples: list[Sample] = []
