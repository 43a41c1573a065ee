"""The configuration that programs print: objects, and lists of names with values.

Where a heading names it (`Namespace(...)`, `Hyperparameters:`) anywhere; elsewhere only among a
stream's first lines, and only where several names are those of hyperparameters.
"""

from __future__ import annotations

import re

from capture.language.numbers import SI, si
from capture.language.tables import NOT_RECOGNISED
from capture.parsers.printed_config import headings, lists, objects
from capture.parsers.printed_config.state import OpenConfig, Result, config

FIRST_LINES = 1000  # of a stream: a configuration without a heading is printed before the training begins

_CLASSES = ("Namespace", "Arguments", "Args", "Config", "Params", "Options", "Settings")
_HEADINGS = ("onfig", "CONFIG", "onfiguration", "rguments", "args", "ARGS", "arameters", "arams", "ettings")
LITERALS = frozenset(
    [
        *(f"{name}(" for name in _CLASSES),
        *(f"{heading}{sign}" for heading in _HEADINGS for sign in (":", " {")),
        *("arams (", "arams =", "arameters =", "arguments ---"),
        "Running training",
    ]
)

_RULER = re.compile(r"[\W_]*")
# number of parameters: 15.19M   #params: 15.2M   Trainable params: 643 (2.5 KB)
_PARAMETER_COUNT = re.compile(
    rf"[\W_]*(?:of )?(?P<key>(?i:(?:(?:total|number of|num|model|all|trainable|non-trainable|learnable) )"
    rf"{{0,3}}(?:num_|n_|total_)?(?:params|parameters)))(?:\s?\((?P<unit>[kKMB])\))?\s?[:=]\s*(?P<value>{SI})"
    r"(?:\s\(.*\)|\s?(?:params|parameters))?\s*"
)


def begin() -> OpenConfig:
    """What is open at a stream's beginning."""
    return OpenConfig(FIRST_LINES)


def read_next(text: str, final: bool, opened: OpenConfig | None, timeout: float | None) -> Result:
    """What is open after this line, and what the line is."""
    if not final:
        return opened, NOT_RECOGNISED
    state = opened or OpenConfig()
    state.first_lines_left = max(0, state.first_lines_left - 1)
    if state.object:
        return objects.continued(text, state, state.object)
    if _RULER.fullmatch(text) and text.strip() != "{":
        return _ruler(text, state), NOT_RECOGNISED
    return (
        objects.begun(text, state)
        or _parameter_count(text, state)
        or (
            None if state.has_heading else headings.heading(text, state)
        )  # in a list `options:` has rows below
        or lists.row(text, state)
        or lists.in_one_line(text, state)
        or headings.heading(text, state)
        or (state.rest(), NOT_RECOGNISED)
    )


def _ruler(text: str, state: OpenConfig) -> OpenConfig | None:
    """What is open after an empty line, which ends a list without a heading, or a ruler."""
    if not text.strip() and (state.rows or state.is_list) and not state.has_heading:
        return state.rest()
    return state if state.is_expected else None


def _parameter_count(text: str, state: OpenConfig) -> Result | None:
    """How many parameters a model has: a line of its own, or in a list."""
    match = _PARAMETER_COUNT.fullmatch(text)
    if not match:
        return None
    value = si(match["value"] + (match["unit"] or ""))
    return state if state.is_expected else None, config([(match["key"], str(value))])
