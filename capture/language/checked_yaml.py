"""YAML that is checked against a model, with errors that name the file and the line.

Parsers and the configuration are read with it: unknown keys, wrong types and broken YAML all become one
`UserError`, a message for a person and never a traceback.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from capture.errors import UserError


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML in which 3e-4 is a number, as in YAML 1.2 and everywhere else."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)

Loc = tuple[int | str, ...]  # the keys and indices that lead to a part of the data
SIZE_LIMIT = 1024 * 1024  # characters
_TAG = re.compile(
    r"<\w+>"
)  # how the models of a union are tagged: pydantic names these in the `loc` of an error


class Checked(BaseModel):
    """A model in which a key that it doesn't have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Model = TypeVar("Model", bound=BaseModel)


class Source:
    """A YAML text, called `name` in errors.  Raises UserError for what is not YAML."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._text: str | None = None
        if len(text) > SIZE_LIMIT:
            raise UserError(f"{name}: larger than {SIZE_LIMIT // 1024} KiB; no parser or configuration is")
        try:
            self.data: Any = yaml.load(text, Loader)  # noqa: S506  it is the safe loader
            self._text = text
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UserError(f"{name}:{line}: this is not YAML: {error.problem}") from None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise UserError(f"{name}: this is not YAML: {error}") from None

    @classmethod
    def of_data(cls, data: Any, name: str) -> Source:
        """Data that came from something other than YAML: its errors name no line."""
        source = cls("", name)
        source.data, source._text = data, None
        return source

    def line(self, loc: Loc) -> int:
        """The line, from 1, of the part that `loc` leads to; if it is missing, of the nearest part above."""
        node, line = self._root, 1
        for step in loc:
            entry = _entry(node, step)
            if entry is None:
                break
            mark, node = entry
            line = int(mark.start_mark.line) + 1
        return line

    @cached_property
    def _root(self) -> Any:
        return yaml.compose(self._text or "", yaml.SafeLoader)

    def error(self, loc: Loc, message: str) -> UserError:
        """An error about the part that `loc` leads to."""
        where = self.name if self._text is None else f"{self.name}:{self.line(loc)}"
        return UserError(f"{where}: {message}")

    def check(
        self, model: type[Model], at: Loc = (), ignored: list[str] | None = None, context: Any = None
    ) -> Model:
        """The data as a `model`, whose validators get the `context`.

        Raises UserError with a line for each mistake; or, if `ignored` is a list, adds these lines to it and
        leaves out the keys that are wrong.
        """
        data = self.data
        for step in at:
            data = data[step]
        try:
            return model.model_validate(data, context=context)
        except ValidationError as error:
            mistakes = [(_path(e["loc"]), _message(e, model)) for e in error.errors()]
        mistakes.sort(key=lambda mistake: self.line(at + mistake[0]))
        lines = dict.fromkeys(str(self.error(at + path, message)) for path, message in mistakes)
        if ignored is None or not isinstance(data, dict):
            raise UserError("\n".join(lines))
        ignored.extend(lines)
        wrong = {path[0] for path, _ in mistakes}
        return model.model_validate(
            {key: value for key, value in data.items() if key not in wrong}, context=context
        )


def read(path: Path) -> Source:
    """The YAML file at `path`.  Raises UserError if it can't be read."""
    try:
        return Source(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start})") from None


def _entry(node: Any, step: int | str) -> tuple[Any, Any] | None:
    """The node to show to a person (a key rather than its value), and the node to go on from."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    return None


def unknown(key: str, known: Sequence[str]) -> str:
    """The message for a key that is not one of those `known`."""
    close = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(known) or 'none'}"
    return f"unknown key {key!r}; {hint}"


def _path(loc: Loc) -> Loc:
    """The `loc` of an error as it leads through the data."""
    return tuple(step for step in loc if not _TAG.fullmatch(str(step)))


def _message(error: Any, model: type[BaseModel]) -> str:
    """What pydantic says of a mistake in a `model`, for a person."""
    where = ".".join(map(str, _path(error["loc"])))
    if error["type"] == "extra_forbidden":
        key, owners = str(error["loc"][-1]), _owners(model)
        if key in owners:
            return f"{where} does not belong here; it is a key of: {', '.join(owners[key])}"
        return unknown(key, sorted(owners))
    if error["type"] == "missing":
        return f"{where} is missing"
    message = "should be a mapping" if error["type"] == "model_type" else error["msg"]
    message = message.removeprefix("Value error, ")
    return f"{where}: {message[0].lower() + message[1:]}" if where else message


def _owners(model: type[BaseModel]) -> Mapping[str, list[str]]:
    """Every key that the model or a part of it has, with the titles of the models that have it."""
    schema = model.model_json_schema(by_alias=True)
    owners: dict[str, list[str]] = {}
    for part in (schema, *schema.get("$defs", {}).values()):
        for key in part.get("properties", {}):
            owners.setdefault(key, []).append(part["title"].lower())
    return owners
