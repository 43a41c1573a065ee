"""Objects that are printed on one line or many: `Namespace(lr=0.1)`, dataclasses, dicts, JSON."""

from __future__ import annotations

import re
from dataclasses import replace

from capture.language.tables import NOT_RECOGNISED
from capture.parsers.printed_config.headings import is_of_object
from capture.parsers.printed_config.names import are_hyperparameters
from capture.parsers.printed_config.reprs import entry, open_brackets, pairs
from capture.parsers.printed_config.state import OpenConfig, OpenObject, Result, config, held_back

MOST_LINES = 2000
MOST_CHARACTERS = 64 * 1024

_CLASS = re.compile(r"(?:.{0,80}[\s:=(])?(?P<name>[A-Za-z_][\w.]*)")
_CLASS_OF_CONFIG = re.compile(
    r"(?i).*(?:namespace|args|arguments|config(?:uration)?|cfg|h?params|parameters|options|opts?|settings|flags)"
)
# The end of a line that may have another one below it in the same object, and a line that may follow any.
_UNFINISHED = re.compile(r"[,(\[{:=]\s*$")
_CONTINUATION = re.compile(r"\s*[)\]}'\"]")


def begun(text: str, state: OpenConfig) -> Result | None:
    """An object that begins in this line."""
    starts = [at for at in (text.find("("), text.find("{")) if at >= 0]
    if not starts:
        return None
    start = min(starts)
    head = text[:start]
    if text[start] == "(":
        match = _CLASS.fullmatch(head)
        if not match or not _CLASS_OF_CONFIG.fullmatch(match["name"]):
            return None
        has_name, shown = True, text[match.start("name") :]
    else:
        has_name = is_of_object(head)
        if not has_name and (head.strip() or not state.first_lines_left):
            return None
        shown = text[start:]
    depth = open_brackets(shown)
    if depth > 0:
        return held_back(OpenConfig(state.first_lines_left, has_name, OpenObject(shown, depth)))
    found = pairs(shown.rstrip(" .;,"))
    if not found or not (has_name or are_hyperparameters(found)):
        return None
    return state.rest(), config(found)


def continued(text: str, state: OpenConfig, opened: OpenObject) -> Result:
    """One more line of the object that is open in `state`."""
    is_broken = not _UNFINISHED.search(opened.text) and not _CONTINUATION.match(text)
    opened.text += "\n" + text
    opened.depth += open_brackets(text)
    opened.lines += 1
    if is_broken or opened.lines > MOST_LINES or len(opened.text) > MOST_CHARACTERS:
        return state.rest(), NOT_RECOGNISED
    if opened.depth > 0:
        return held_back(state)
    found = entry(opened.key, opened.text.strip()) if opened.key else pairs(opened.text)
    if not state.has_heading and not are_hyperparameters(found):
        return state.rest(), NOT_RECOGNISED
    if not opened.key:
        return state.rest(), config(found, whole=True)
    goes_on = replace(state, object=None, rows=[], is_list=True)
    return goes_on, config(state.rows + found, whole=True)
