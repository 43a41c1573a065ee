"""YAML that is checked against a model, with errors that name the file and the line.

Parsers and the configuration are read with it: unknown keys, wrong types and broken YAML all become one
`UserError`, a message for a person and never a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from capture.errors import UserError, did_you_mean, nearest, shortest

MOST_NODES = 100_000  # of a text, with each alias counted as what it stands for


class Unusable(yaml.MarkedYAMLError):
    """YAML that is right, and that no parser and no configuration is."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML in which 3e-4 is a number, as in YAML 1.2 and everywhere else.

    Aliases that multiply each other, and an anchor inside itself, are errors.
    """

    def get_single_node(self) -> Any:
        """The text as a node, checked before anything is made of it."""
        node = super().get_single_node()
        if node is not None:
            _count(node, {}, set())
        return node


def _count(node: Any, counted: dict[int, int], open_nodes: set[int]) -> int:
    """How many nodes this one stands for.  Raises Unusable where they are too many, or without end."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in open_nodes:
        raise Unusable(problem="this anchor contains itself", problem_mark=node.start_mark)
    if id(node) not in counted:
        open_nodes.add(id(node))
        total = 1
        for entry in node.value:
            for part in entry if isinstance(entry, tuple) else (entry,):
                total += _count(part, counted, open_nodes)
        if total > MOST_NODES:
            problem = f"its aliases stand for more than {MOST_NODES:,} values"
            raise Unusable(problem=problem, problem_mark=node.start_mark)
        open_nodes.discard(id(node))
        counted[id(node)] = total
    return counted[id(node)]


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)

Loc = tuple[int | str, ...]  # the keys and indices that lead to a part of the data
# What pydantic expected, by the beginning of its error's type.
_EXPECTED = {
    "string_type": "text{quoted}",
    "string_pattern": "a name of letters, digits, dots and dashes",
    "int_": "a whole number",
    "float_": "a number",
    "bool_": "true or false",
    "list_": "a list",
    "too_short": "a list that is not empty",
    "dict_": "a mapping",
    "mapping_": "a mapping",
    "model_type": "a mapping",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "finite_number": "a finite number",
}
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")  # what YAML takes for a truth value
MOST_SHOWN = 80  # characters of a wrong value in a message
SIZE_LIMIT = 1024 * 1024  # characters
_TAG = re.compile(
    r"<\w+>"
)  # how the models of a union are tagged: pydantic names these in the `loc` of an error


Model = TypeVar("Model", bound=BaseModel)


class Source:
    """A YAML text, called `name` in errors.  Raises UserError for what is not YAML."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._text: str | None = None
        self._line: Callable[[Loc], int] | None = None
        if len(text) > SIZE_LIMIT:
            raise UserError(f"{name}: larger than {SIZE_LIMIT // 1024} KiB; no parser or configuration is")
        try:
            self.data: Any = yaml.load(text, Loader)  # noqa: S506  it is the safe loader
            self._text = text
        except Unusable as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UserError(f"{name}:{line}: {error.problem}") from None
        except yaml.MarkedYAMLError as error:
            mark = error.context_mark or error.problem_mark  # where it begins: a quote that is never closed
            context = f"{error.context}: " if error.context else ""
            place = f"{name}:{mark.line + 1}" if mark else name
            raise UserError(f"{place}: this is not YAML: {context}{error.problem}") from None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise UserError(f"{name}: this is not YAML: {error}") from None

    @classmethod
    def of_data(cls, data: Any, name: str, line: Callable[[Loc], int] | None = None) -> Source:
        """Data that came from something other than YAML; `line` says where a part of it is."""
        source = cls("", name)
        source.data, source._text, source._line = data, None, line
        return source

    def line(self, loc: Loc) -> int:
        """The line, from 1, of the part that `loc` leads to; if it is missing, of the nearest part above."""
        if self._line is not None:
            return self._line(loc)
        line = 1
        for shown, _ in self._nodes(loc):
            line = int(shown.start_mark.line) + 1
        return line

    def text(self, loc: Loc) -> str:
        """YAML of the part alone that `loc` leads to: as it is written, on the same lines.

        Written anew if it did not come from YAML, or needs an anchor from elsewhere.
        """
        if self._text is not None and not loc:
            return self._text
        data, nodes = self._part(loc), list(self._nodes(loc))
        if self._text is not None and len(nodes) == len(loc):
            start, end = nodes[-1][1].start_mark, nodes[-1][1].end_mark
            before = "\n" * start.line + " " * start.column
            text = f"{before}{self._text[start.index : end.index].rstrip()}\n"
            try:
                if yaml.load(text, Loader) == data:  # noqa: S506  it is the safe loader
                    return text
            except yaml.YAMLError:
                pass
        return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))

    def _nodes(self, loc: Loc) -> Iterator[tuple[Any, Any]]:
        """For each step to the part that `loc` leads to, the node to show a person and the part itself."""
        node = self._root
        for step in loc:
            entry = _entry(node, step)
            if entry is None:
                return
            _, node = entry
            yield entry

    @cached_property
    def _root(self) -> Any:
        return yaml.compose(self._text or "", yaml.SafeLoader)

    def error(self, loc: Loc, message: str) -> UserError:
        """An error about the part that `loc` leads to."""
        has_lines = self._text is not None or self._line is not None
        where = f"{self.name}:{self.line(loc)}" if has_lines else self.name
        return UserError(f"{where}: {message}")

    def check(self, model: type[Model], at: Loc = (), context: Any = None) -> Model:
        """The data as a `model`, whose validators get the `context`.

        Raises UserError with a line for each mistake.
        """
        try:
            return model.model_validate(self._part(at), context=context)
        except ValidationError as error:
            raise UserError("\n".join(self._lines(error, model, at))) from None

    def check_keys(self, model: type[Model]) -> tuple[Model, list[str]]:
        """The data as a `model` without the keys that are wrong, and a line for each mistake.

        Raises UserError if the data is no mapping.
        """
        try:
            return model.model_validate(self.data), []
        except ValidationError as error:
            lines = self._lines(error, model)
            wrong = {path[0] for e in error.errors() if (path := _path(e["loc"]))}
        if not isinstance(self.data, dict):
            raise UserError("\n".join(lines))
        right = {key: value for key, value in self.data.items() if key not in wrong}
        return model.model_validate(right), lines

    def _part(self, loc: Loc) -> Any:
        data = self.data
        for step in loc:
            data = data[step]
        return data

    def _lines(self, error: ValidationError, model: type[BaseModel], at: Loc = ()) -> list[str]:
        """A line for each mistake, in the order of the text."""
        mistakes = [(_path(e["loc"]), _message(e, model)) for e in error.errors()]
        mistakes.sort(key=lambda mistake: self.line(at + mistake[0]))
        return list(dict.fromkeys(str(self.error(at + path, message)) for path, message in mistakes))


def read(path: Path) -> Source:
    """The YAML file at `path`.  Raises UserError if it can't be read."""
    shown = shortest(path)
    try:
        return Source(path.read_text(encoding="utf-8"), shown)
    except OSError as error:
        raise UserError(f"{shown}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: not UTF-8 text (byte {error.start})") from None


def _entry(node: Any, step: int | str) -> tuple[Any, Any] | None:
    """The node to show to a person (a key rather than its value), and the node to go on from."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    return None


def unknown(key: str, known: Sequence[str]) -> str:
    """The message for a key that is not one of those `known`."""
    hint = did_you_mean(key, known, f"the keys are {', '.join(known) or 'none'}")
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
    message = _in_words(error)
    return f"{where}: {message}" if where else message


def _in_words(error: Any) -> str:
    """What should be there, and what is."""
    kind, given, about = error["type"], error.get("input"), error.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        message = str(about.get("error") or error["msg"])
        return message[0].lower() + message[1:]
    expected = next((words for start, words in _EXPECTED.items() if kind.startswith(start)), None)
    if expected is None:
        return str(error["msg"]).lower().removeprefix("input ")
    if kind == "string_type" and isinstance(given, bool):
        words = TRUE if given else FALSE
        listed = f"{', '.join(words[:-1])} and {words[-1]}"
        return f"should be text; YAML takes {listed} without quotes for {given}: put it in quotes"
    shown = repr(given) if isinstance(given, (str, int, float, bool)) else ""
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", about["expected"])
        near = nearest(given, known) if isinstance(given, str) else None
        shown += f" (did you mean {near!r}?)" if near else ""
    quoted = f' ("{given}")' if isinstance(given, (int, float, bool)) else ""
    text = "should be " + expected.format(**{"quoted": quoted, **about})
    return f"{text}, not {shown}" if 0 < len(shown) < MOST_SHOWN else text


def _owners(model: type[BaseModel]) -> Mapping[str, list[str]]:
    """Every key that the model or a part of it has, with the titles of the models that have it."""
    schema = model.model_json_schema(by_alias=True)
    owners: dict[str, list[str]] = {}
    for part in (schema, *schema.get("$defs", {}).values()):
        for key in part.get("properties", {}):
            owners.setdefault(key, []).append(part["title"].lower())
    return owners
