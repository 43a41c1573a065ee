"""Headings of configurations: `Hyperparameters:`, `----- arguments -----`."""

from __future__ import annotations

import re

from capture.language.tables import RECOGNISED
from capture.parsers.printed_config.state import OpenConfig, Result

_NOUN = (
    r"(?:hyper[- ]?param(?:eter)?s?|h?params|parameters|config(?:uration)?s?|arguments|args|cfg|options"
    r"|settings|flags)"
)
_NO_SETTINGS = r"(?:end|best|optimal|final|tuned|the|positional|optional|required)\b"
_BEFORE = rf"(?!{_NO_SETTINGS})(?:[a-z][\w./'-]*[ ])"  # a word before the noun
_AFTER = r"(?:[ ][\w./'-]+){0,4}"
# Hyperparameters:   ====== Model config ======   Training configuration   Arguments passed to the program:
_HEADING = re.compile(
    rf"(?i)(?!\s*options:?\s*$)[\W_]*(?:{_BEFORE}{{0,4}}{_NOUN}{_AFTER}\s?[:=]"
    rf"|(?<=[^\w\s][ \W]){_BEFORE}{{0,4}}{_NOUN}|{_BEFORE}{{0,2}}{_NOUN}|running training)[^\w.]*"
)
_OF_OBJECT = re.compile(rf"(?i)[\W_]*{_BEFORE}{{0,4}}{_NOUN}{_AFTER}\s?[:=]?\s*")


def heading(text: str, state: OpenConfig) -> Result | None:
    """A heading of what follows."""
    if not _HEADING.fullmatch(text):
        return None
    return OpenConfig(state.first_lines_left, has_heading=True), RECOGNISED


def is_of_object(text: str) -> bool:
    """Whether this names the object after it as a configuration: `Model config BertConfig`."""
    return _OF_OBJECT.fullmatch(text) is not None
