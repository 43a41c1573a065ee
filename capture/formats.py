"""A console format as its YAML file says it: the model of the file, its checks, and where files are found.

`docs/formats.md` explains the language; the JSON Schema for editors is `Format.model_json_schema()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from capture import checked
from capture.checked import Checked, Source
from capture.errors import BadInput
from capture.expressions import Expression
from capture.patterns import Matcher, from_line, from_regex
from capture.runs import PARSERS

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


class Bar(Checked):
    """A progress bar: the name of its counter, and of the text that tells one bar from another."""

    count: str
    total: str | None = None
    label: str | None = None


class Naming(Checked):
    """What changes the names and values of metrics, in a format as in a user's configuration."""

    rename: dict[str, str] = {}
    drop: Names = []
    scale: dict[str, float] = {}


class Outcome(Naming):
    """What a frame means once it is recognised."""

    when: Literal["final", "live"] | None = None
    if_: Attempts = Field([], alias="if")
    unless: Attempts = []
    as_: Literal["metrics", "config", "context"] = Field("metrics", alias="as")
    step: Attempts = []
    epoch: Attempts = []
    derive: dict[str, Arithmetic] = {}
    prefix: str = ""
    axis: Axis = {}
    context: Names = []
    remember: Remembered = {}
    forget: Names = []


class Pattern(Outcome):
    """How a frame looks, and what it means; or several `cases`, of which the first that fits counts."""

    line: str | None = None
    regex: Joined | None = None
    pairs: Names = []
    bar: Bar | None = None
    cases: list[Outcome] = []

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

    @model_validator(mode="after")
    def _one_of_two(self) -> Pattern:
        if (self.line is None) == (self.regex is None):
            raise ValueError("a pattern has either line: or regex:")
        return self

    def matcher(self) -> Matcher:
        """The compiled pattern."""
        return from_line(self.line) if self.line is not None else from_regex(self.regex or "")


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


class Format(Naming):
    """A console format: one YAML file."""

    name: str = Field(pattern=r"^[\w.-]+$")
    title: str = ""
    url: str = ""
    notes: str = ""
    unverified: bool = False
    axis: Axis = {}
    patterns: list[Pattern] = Field(min_length=1)
    samples: list[Sample] = []


def load(source: Source, at: checked.Loc = (), samples: bool = True, context: Any = None) -> Format:
    """The format that stands in this YAML.  Raises BadInput where something in it is wrong."""
    form = source.check(Format, at, context=context)
    if samples and not form.samples:
        raise source.error(at, "samples is missing: a format shows at least one line and what it gives")
    return form


def built_in() -> Iterator[tuple[Format, str]]:
    """Every format that an installed package brings, with its text, in the order of their files' names."""
    for name, text in built_in_texts():
        yield load(Source(text, name)), text


def built_in_texts() -> Iterator[tuple[str, str]]:
    """The names of the files of these formats and their texts, unchecked.

    A package names, in the entry-point group `capture.parsers`, a module whose folder holds the files.
    `general.yaml` of any of them comes last: it reads what no other format does.
    """
    found = []
    for point in sorted(entry_points(group="capture.parsers"), key=lambda p: p.name):
        try:
            folder = resources.files(point.value)
        except ImportError as error:
            raise BadInput(
                f"the formats of the package behind {point.name!r} can't be read: {error}"
            ) from None
        for file in folder.iterdir():
            if file.name.endswith(".yaml"):
                found.append(
                    (file.name == "general.yaml", point.name, file.name, file.read_text(encoding="utf-8"))
                )
    for _, package, name, text in sorted(found):
        yield f"{package}/{name}", text


def of_run(folder: Path) -> list[Format]:
    """The formats that were in effect when the run began, in their order."""
    files = sorted((folder / PARSERS).glob("*.yaml"))
    return [load(checked.read(file), samples=False, context=CHECKED) for file in files]


def from_file(path: Path) -> Format:
    """The format in a user's file.  Raises BadInput where something in it is wrong."""
    return load(checked.read(path))


def by_name(name: str) -> Format:
    """The built-in format of this name.  Raises BadInput where there is none."""
    names = []
    for form, _ in built_in():
        if form.name == name:
            return form
        names.append(form.name)
    raise BadInput(f"there is no format {name!r}; there are {', '.join(names)}, or name a YAML file")
