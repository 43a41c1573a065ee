"""The file that configures a program, with the values of a trial in it: YAML, JSON, TOML or INI.

A parameter is the key of its name: `optimizer.lr` leads through sections, `lr` alone may be in any of them
as long as there is only one.  What else is in the file stays.
"""

from __future__ import annotations

import configparser
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from capture.errors import UserError, did_you_mean

Path_ = tuple[str, ...]
YAML, JSON, TOML, INI = "YAML", "JSON", "TOML", "INI"
_KINDS = {".yaml": YAML, ".yml": YAML, ".json": JSON, ".toml": TOML, ".ini": INI, ".cfg": INI, ".conf": INI}


def kind_of(path: str) -> str:
    """What a file is written in, by its name.  Raises UserError where that does not tell."""
    kind = _KINDS.get(Path(path).suffix.lower())
    if kind is None:
        raise UserError(
            f"{path}: a configuration file is YAML, JSON, TOML or INI, and is called so ({', '.join(_KINDS)})"
        )
    return kind


def places(path: str, names: Sequence[str]) -> dict[str, Path_]:
    """Where in the file each of these parameters is; those that it does not have are left out.

    Raises UserError for a file that can't be read, a name that occurs at several places, and a file that has
    none of them.
    """
    keys = list(_keys(_data(path)))
    found: dict[str, Path_] = {}
    for name in names:
        wanted = tuple(name.split("."))
        matches = [key for key in keys if key in (wanted, (name,))]
        matches = matches or [key for key in keys if key[-len(wanted) :] == wanted]
        if len(matches) > 1:
            listed = " and ".join(".".join(key) for key in matches[:3])
            raise UserError(f"{path}: {name} is there more than once: {listed}; name it so")
        if matches:
            found[name] = matches[0]
    if not found:
        known = sorted({".".join(key) for key in keys} | {key[-1] for key in keys})
        hint = did_you_mean(names[0], known, f"it has {', '.join('.'.join(key) for key in keys[:8])}")
        raise UserError(f"{path} has none of the parameters {', '.join(names)}; {hint}")
    return found


def filled(path: str, where: Mapping[str, Path_], values: Mapping[str, Any]) -> str:
    """The text of the file with the values at their places."""
    text, kind = _read(path), kind_of(path)
    changes = [(where[name], values[name]) for name in where]
    if kind == YAML:
        return _fill_yaml(text, changes)
    if kind == INI:
        parser = _ini(text)
        for key, value in changes:
            parser.set(key[0], key[1], str(value))
        written = io.StringIO()
        parser.write(written)
        return written.getvalue()
    if kind == JSON:
        data = json.loads(text)
    else:
        import tomlkit  # only for these

        data = tomlkit.parse(text)
    for key, value in changes:
        place = data
        for step in key[:-1]:
            place = place[step]
        place[key[-1]] = value
    return json.dumps(data, indent=2) + "\n" if kind == JSON else data.as_string()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or 'this is not text'}") from None


def _data(path: str) -> Any:
    """What the file holds.  Raises UserError for a mistake in it."""
    text, kind = _read(path), kind_of(path)
    try:
        if kind == YAML:
            return _of_node(yaml.compose(text, yaml.SafeLoader))
        if kind == JSON:
            return json.loads(text)
        if kind == INI:
            parser = _ini(text)
            return {section: dict(parser.items(section)) for section in parser.sections()}
        import tomlkit  # only for these

        return tomlkit.parse(text).unwrap()
    except (ValueError, yaml.YAMLError, configparser.Error) as error:
        raise UserError(f"{path}: this is not {kind}: {' '.join(str(error).split())}") from None


class _Ini(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """The name of an option as it is written."""
        return optionstr


def _ini(text: str) -> configparser.RawConfigParser:
    parser = _Ini()
    parser.read_string(text)
    return parser


def _of_node(node: Any) -> Any:
    """The keys of a YAML document, whatever its values and their tags are."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return {key.value: _of_node(value) for key, value in node.value}


def _keys(data: Any, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _keys(value, (*path, str(key)))
    elif path:
        yield path


def _fill_yaml(text: str, changes: Sequence[tuple[Path_, Any]]) -> str:
    """The text with nothing changed but the values: comments and tags stay."""
    spans = []
    for key, value in changes:
        node: Any = yaml.compose(text, yaml.SafeLoader)
        for step in key:
            node = next(item for name, item in node.value if name.value == step)
        spans.append((node.start_mark.index, node.end_mark.index, json.dumps(value, ensure_ascii=False)))
    for start, end, new in sorted(spans, reverse=True):
        old = text[start:end]
        tail = old[len(old.rstrip()) :]  # a block ends behind its line break
        text = (
            f"{text[:start]}{new}{tail}{text[end:]}" if start < end else f"{text[:start]} {new}{text[end:]}"
        )
    return text
