"""Lists of settings: rows of names and values, or all in one line."""

from __future__ import annotations

import re
from dataclasses import replace

from capture.language.literals import literal
from capture.parsers.printed_config.names import are_hyperparameters, identifier, is_metric
from capture.parsers.printed_config.reprs import Pairs, entry, open_brackets, pairs
from capture.parsers.printed_config.state import OpenConfig, OpenObject, Result, config, held_back

LONGEST_VALUE, MOST_WORDS = 200, 8  # in characters and words: what is longer is a sentence
LONGEST_WITHOUT_HEADING = 80  # characters of a value
MIN_ROWS = 3  # that make a list
MIN_ROWS_WITH_HEADING = 2

_KEY = r"[A-Za-z_][\w./-]*(?: [A-Za-z_&][\w./-]*){0,6}"
# lr: 0.1   'lr' = 0.1   lr ..... 0.1   | lr | 0.1 |   lr    0.1
_ROW = re.compile(
    rf"(?P<indent>[\s│|┃]*)(?P<quote>['\"]?)(?P<key>{_KEY})(?P=quote)(?:\s?\([^()]*\))?"
    r"(?:\s*(?:[:=](?![:=/\\])|\.{3,})\s*|\s*[|│┃]\s*|\s{2,})(?P<value>.*)"
)
_OPTION = re.compile(r"--?[a-z]")
_TABLE_HEADER = re.compile(r"(?i)\W*(?:option|name|key|param(?:eter)?|argument|setting)s?\W+values?\W*")
_ITEM = re.compile(r"\s*- (?P<value>[^:]+|.*\S:\S.*)")
_LIST = re.compile(
    r"(?:[\w/ -]{1,40}:\s+|(?:[A-Za-z]+ ){1,4}(?=\w+=))?"
    r"(?P<list>[A-Za-z_](?:[\w.]| (?=\w+\s?[:=]))*\s?[=:]\s?[^\s=].*)"
)
# Spaces are looked at from their beginning only: there may be thousands.
_SEPARATOR = re.compile(r"(?:(?<!\s)\s+)?[|;]\s*|(?:,|(?<![\s,]))\s+(?=[A-Za-z_][\w.]*=)")


def row(text: str, state: OpenConfig) -> Result | None:
    """A row of a list: a name and its value, or a name with rows below."""
    if not state.is_expected:
        return None
    if state.parents and (item := _ITEM.fullmatch(text)):
        state.items.append(repr(literal(item["value"])))
        return _rows(state, [(state.parents[-1][1], f"[{', '.join(state.items)}]")])
    match = _ROW.fullmatch(text)
    strict = not (state.has_heading or state.is_list)
    if not match or _OPTION.match(match["value"].lstrip()) or _TABLE_HEADER.fullmatch(text):
        return None
    indent, value = len(match["indent"]), match["value"].rstrip(" \t│|┃")
    if is_metric(match["key"], value, strict):
        return None
    if not state.has_heading and (" " in match["key"] or not _is_no_sentence(value)):
        return None
    depth = open_brackets(value)
    if depth <= 0 and (len(value) > LONGEST_VALUE or len(value.split()) > MOST_WORDS):
        return None
    column = max(match.start("value"), 0) or len(text)
    state.first_row = state.first_row or (indent, column)
    if (
        indent < state.first_row[0] and column != state.first_row[1]
    ):  # names may be aligned at their right end
        return row(text, OpenConfig(state.first_lines_left))
    while state.parents and state.parents[-1][0] >= indent:
        state.parents.pop()
    state.items = []
    name = ".".join([*(key for _, key in state.parents[-1:]), identifier(match["key"])])
    if not value:
        state.parents.append((indent, name))
        return held_back(state)
    if depth > 0:
        return held_back(replace(state, object=OpenObject(value, depth, name)))
    return _rows(state, entry(name, value))


def _rows(state: OpenConfig, found: Pairs) -> Result:
    """Rows of a list, held back until there are enough to tell that it is one."""
    if state.is_list:
        return state, config(found)
    state.rows += found
    least = MIN_ROWS_WITH_HEADING if state.has_heading else MIN_ROWS
    if len(state.rows) < least or not (state.has_heading or are_hyperparameters(state.rows)):
        return held_back(state)
    rows, state.rows, state.is_list = state.rows, [], True
    return state, config(rows)


def in_one_line(text: str, state: OpenConfig) -> Result | None:
    """A line that is a list: `lr0=0.01, lrf=0.01, batch=16`."""
    if not state.first_lines_left or text.count("=") + text.count(":") < MIN_ROWS:
        return None
    match = _LIST.fullmatch(text.strip())
    if not match:
        return None
    found = pairs(match["list"])
    if len(found) < MIN_ROWS:
        found = pairs(_SEPARATOR.sub(", ", match["list"]))
    if len(found) < MIN_ROWS or not are_hyperparameters(found):
        return None
    return state.rest(), config(found)


def _is_no_sentence(value: str) -> bool:
    """Whether this may be a value in a list without a heading."""
    return len(value) <= LONGEST_WITHOUT_HEADING and (value[:1] in "[({'\"" or len(value.split()) <= 2)
