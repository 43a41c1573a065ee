"""A trial's command: the words with the values in them.

Three ways lead a value there: W&B's macros (`${args}`), its name in braces (`--lr {lr}`), and, for what
neither names, `--NAME=VALUE` at the end.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from capture.errors import UserError, nearest

DEFAULT = ("${env}", "${interpreter}", "${program}", "${args}")
INTERPRETER = "python"
_MACRO = re.compile(r"\$\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{envvar:([A-Za-z0-9_]*)\}")
_BRACES = re.compile(r"(?<!\$)\{([A-Za-z_][\w.-]*)\}")
MACROS = (
    *("env", "interpreter", "program", "args", "args_no_equals", "args_no_hyphens", "args_no_boolean_flags"),
    *("args_json", "args_json_file", "args_append_hydra", "args_override_hydra"),
)


def check(words: Sequence[str], names: Sequence[str], program: str | None) -> None:
    """Raises UserError for an unknown macro, a program that is missing, a name in braces that is mistyped."""
    for word in words:
        if match := _MACRO.fullmatch(word):
            if match[1] not in MACROS:
                near = nearest(match[1], MACROS)
                hint = f"did you mean ${{{near}}}?" if near else f"there are {', '.join(MACROS)}, envvar:NAME"
                raise UserError(f"command: {word} is unknown; {hint}")
            if match[1] == "program" and not program:
                raise UserError("command: ${program} is there, but the key program is missing")
        for name in _BRACES.findall(word):
            near = None if name in names else nearest(name, names)
            if near:
                raise UserError(
                    f"the command has {{{name}}}, which is no parameter; did you mean {{{near}}}?"
                )


def build(
    words: Sequence[str],
    program: str | None,
    config: Mapping[str, Any],
    values: Mapping[str, Any],
    json_file: str,
    given: Sequence[str] | None,
) -> list[str]:
    """A trial's command, of words with macros and names in braces.

    config: the values, nested as the program gets them
    values: the same by the names of the parameters
    json_file: the path at which `${args_json_file}` is written
    given: parameters that reach the program another way; what nothing names is put at the end as
        `--NAME=VALUE`.  None where nothing is put there: the file of a sweep says the whole command
    """
    found: list[str] = []
    macros = False
    for word in words:
        text = _VARIABLE.sub(lambda match: os.environ.get(match[1], match[1]), word)
        match = _MACRO.fullmatch(text)
        macros = macros or (match is not None and match[1].startswith("args"))
        if match:
            found += _macro(match[1], program or "", config, json_file)
        else:
            found.append(_BRACES.sub(lambda match: str(values.get(match[1], match[0])), text))
    if given is None or macros:
        return found
    used = {name for word in words for name in _BRACES.findall(word)} | set(given)
    return [*found, *(f"--{name}={value}" for name, value in values.items() if name not in used)]


def needs_json_file(words: Sequence[str]) -> bool:
    """Whether the values are to be written to a file for the command."""
    return "${args_json_file}" in words


def pasted(words: Sequence[str]) -> str:
    """The command as it is typed into a shell."""
    return shlex.join(words)


def _macro(name: str, program: str, config: Mapping[str, Any], json_file: str) -> list[str]:
    items = config.items()
    if name == "env":
        return ["/usr/bin/env"] if os.name != "nt" else []
    if name == "interpreter":
        return [INTERPRETER]
    if name == "program":
        return [program]
    if name == "args":
        return [f"--{key}={value}" for key, value in items]
    if name == "args_no_equals":
        return [word for key, value in items for word in (f"--{key}", str(value))]
    if name == "args_no_hyphens":
        return [f"{key}={value}" for key, value in items]
    if name == "args_no_boolean_flags":
        flags = [(key, value) for key, value in items if value is not False]
        return [f"--{key}" if value is True else f"--{key}={value}" for key, value in flags]
    if name == "args_append_hydra":
        return [f"+{key}={value}" for key, value in items]
    if name == "args_override_hydra":
        return [f"++{key}={value}" for key, value in items]
    return [json.dumps(config)] if name == "args_json" else [json_file]
