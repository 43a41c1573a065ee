"""Hyperparameters from a command line, and from the configuration files that it names.

`python train.py --lr 3e-4 --layers 64 64 model.depth=3 --config base.yaml`
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture.language.literals import argument

Config = dict[str, Any]

SIZE_LIMIT = 256 * 1024  # bytes of a file: no configuration is larger
MOST_VALUES = 500
# Programs that start another one; the options before its name are theirs.
_WRAPPERS = frozenset(
    [
        "env",
        "nohup",
        "nice",
        "time",
        "timeout",
        "setsid",
        "stdbuf",
        "ionice",
        "taskset",
        "numactl",
        "sudo",
        "srun",
    ]
)
_SHELLS = frozenset(["sh", "bash", "zsh", "dash"])
_SCRIPT = re.compile(r"(?i)\.(py|pyz|sh|jl|r|lua)$")
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf|nan")
_PAIR = re.compile(r"(?:\+{1,2})?([A-Za-z_][\w./@-]*)=(.*)", re.S)  # as Hydra has them
_REDIRECTION = re.compile(r"(?<!\S)\d?[<>]{1,2}&?\s?\S+")
_SHORT = re.compile(r"-([A-Za-z])(\d.*)")


def of_command(words: Sequence[str]) -> Config:
    """The hyperparameters in a command line, typed."""
    arguments = program_arguments(words)
    config: Config = {}
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word == "--":
            continue
        if word.startswith("-") and not _NUMBER.fullmatch(word) and word != "-":
            name, equals, given = word.lstrip("-").partition("=")
            if equals:
                _put(config, name, argument(given))
                continue
            if short := _SHORT.fullmatch(word):
                _put(config, short[1], argument(short[2]))
                continue
            values = list(_values(arguments[at:]))
            at += len(values)
            if values:
                _put(config, name, argument(values[0]) if len(values) == 1 else [argument(v) for v in values])
            elif name.startswith("no-") or name.startswith("no_"):
                _put(config, name[3:], False)
            else:
                _put(config, name, True)
        elif pair := _PAIR.fullmatch(word):
            _put(config, pair[1], argument(pair[2]))
    return config


def program_arguments(words: Sequence[str]) -> list[str]:
    """The words behind the innermost program: a launcher's own options are no hyperparameters."""
    words = list(words)
    while words and (os.path.basename(words[0]) in _WRAPPERS or _PAIR.fullmatch(words[0])):
        words = words[1:]
        while words and (
            words[0].startswith("-") or _PAIR.fullmatch(words[0]) or _NUMBER.fullmatch(words[0])
        ):
            words = words[1:]
    if not words:
        return []
    if os.path.basename(words[0]) in _SHELLS and "-c" in words[1:-1]:
        return _of_shell(words[words.index("-c") + 1])
    for index, word in enumerate(words):
        if word == "-c" and _is_python(words[:index]):
            return words[index + 2 :]
        if _SCRIPT.search(word) and not word.startswith("-") and "=" not in word:
            return words[index + 1 :]
        if word == "-m" and index + 2 <= len(words) and _is_python(words[:index]):
            inner = words[index + 2 :]
            return program_arguments(["-", *inner]) if any(map(_SCRIPT.search, inner)) else inner
    return words[1:]


def of_files(words: Sequence[str], cwd: Path) -> dict[str, Config]:
    """What the configuration files say that a command line names, each under its name there."""
    found: dict[str, Config] = {}
    for word in program_arguments(words):
        name = word.partition("=")[2] if word.startswith("-") or _PAIR.fullmatch(word) else word
        if name and (config := read_file(cwd / name)):
            found[name] = config
    return found


def read_file(path: Path) -> Config:
    """The values in a configuration file, nested ones joined by dots; nothing where it is none."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        return {}
    from capture.facts import provenance  # slow, and few commands name such a file

    try:
        if not provenance.is_regular(path) or path.stat().st_size > SIZE_LIMIT:
            return {}
        data = read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return {}
    return dict(list(_flat(data, ""))[:MOST_VALUES]) if isinstance(data, Mapping) else {}


def _put(config: Config, name: str, value: Any) -> None:
    name = name.replace("-", "_")
    if name and len(config) < MOST_VALUES:
        config[name] = value


def _values(words: Sequence[str]) -> Iterator[str]:
    """The values behind an option: one, or several numbers."""
    for index, word in enumerate(words):
        number = _NUMBER.fullmatch(word)
        if (word.startswith("-") and len(word) > 1 and not number) or (_PAIR.fullmatch(word) and not number):
            return
        if index and not (number and _NUMBER.fullmatch(words[0])):
            return
        yield word


def _of_shell(line: str) -> list[str]:
    """The arguments of the last command of a shell's line."""
    try:
        lexer = shlex.shlex(_REDIRECTION.sub(" ", line), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return []
    last: list[str] = []
    for word in words:
        if set(word) <= set("();<>|&"):
            if "|" in word.replace("||", ""):
                break  # what follows reads what the program prints
            last = []
        else:
            last.append(word)
    return program_arguments(last) if last else []


def _is_python(words: Sequence[str]) -> bool:
    return any(
        re.match(r"python|torchrun|accelerate|deepspeed|coverage|-$", os.path.basename(w)) for w in words
    )


def _flat(data: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, (bool, int, float, str)) or value is None:
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield name, [item if isinstance(item, (bool, int, float, str)) else str(item) for item in value]
        else:
            yield name, str(value)


def _yaml(text: str) -> Any:
    import yaml  # slow, and few commands name such a file

    from capture.language.checked_yaml import Loader

    try:
        return yaml.load(text, Loader)  # noqa: S506  it is the safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _toml(text: str) -> Any:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _assignments(text: str) -> Config:
    """The constants that a Python file assigns at its top, as llama2.c's and nanoGPT's configurations do.

    Read as text: nothing of it is run.
    """
    config: Config = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name) and not target.id.startswith("_"):
            try:
                config[target.id] = ast.literal_eval(value)
            except (ValueError, SyntaxError, TypeError):
                continue  # not a constant
    return config


_READERS: dict[str, Callable[[str], Any]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json.loads,
    ".toml": _toml,
    ".py": _assignments,
}
