"""The literal text that a regular expression cannot match without.

One search for all literals of all patterns decides whether a frame is looked at more closely, so
that most lines cost one search.  The answer is a set of which at least one stands in every match;
None means that nothing is required.  Whatever this small reader of regular expressions is unsure
of counts as not required: the set may be too weak, never wrong.
"""

from __future__ import annotations

import re

Required = frozenset[str] | None


class _Unsure(Exception):
    """What follows may change how the rest is read."""


_QUANTIFIER = re.compile(r"([*+?]|\{(\d*)(?:,\d*)?\})[?+]?")
_GROUP = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|:|>|=)|\((?!\?)")
_ESCAPED_LITERAL = re.compile(r"\\([^\w\s])")
_FLAGS = re.compile(r"\(\?[A-Za-z0-9]*[ixV]")
_FUZZY = re.compile(r"\{[\dides]")
_WITHOUT_TEXT = re.compile(r"\\(?:[AbBdDfGhKmMnrRsSvwWXZ]|[1-9](?!\d))")
_NAMED_CHARACTER = re.compile(r"\\(?:[pP]\{[^}]*\}|N\{[^}]*\}|x..|u.{4}|U.{8})")
_PLAIN_CLASS = re.compile(r"\[([A-Za-z0-9]{1,4})\]")
# A character by its name, number or kind, what stood before, and what changes how the rest is read.
_SPECIAL = re.compile(r"\\[NpPxuUgk]|\(\?P=|\(\?[A-Za-z0-9]*[ixV]|\{[\dides]*[ides]")
_SPELT = re.compile(r"(\[[A-Za-z]+\]|[A-Za-z])\d+")
_MAY_HOLD_DIGITS = re.compile(
    r"(?:\[[A-Za-z]+\]|[A-Za-z])\d+(?![\d*?{])"  # mAP50
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\{\d*(?:,\d*)?\}|\(\?P?<[A-Za-z_]\w*>|\d",
    re.DOTALL,
)
_ALL_DIGITS = re.compile(r"(?<=^\[)0-9|(?<=^\[\^)0-9")
_DIGIT = re.compile(r"\d")
MOST_SPELLINGS = 16
_ORDINARY = frozenset(["step", "Step", "STEP", "iter", "Iter", "ITER"])  # in the logs of all programs


def required(regex: str) -> Required:
    """Texts of which at least one stands in every match of `regex`."""
    try:
        found, end = _alternatives(regex, 0)
    except (IndexError, _Unsure):  # an unfinished expression: the compiler has the better message
        return None
    return found if end == len(regex) else None


def digit_sensitive_text(regex: str) -> Required:
    """Texts, their digits zeros, without which the expression treats one digit like any other.

    `mAP50` is such a text: in a line in which `P0` does not stand once all digits are zeros, the pattern
    matches alike whatever the digits are.  None where it is not sure.
    """
    if _SPECIAL.search(regex):
        return None
    found = set()
    for token in _MAY_HOLD_DIGITS.findall(regex):
        spelt = _SPELT.fullmatch(token)
        if spelt:
            found |= {letter + "0" for letter in spelt[1].strip("[]")}
        elif token[0] not in "{(" and _DIGIT.search(_ALL_DIGITS.sub("", token)):  # how often; a group's name
            return None
    return frozenset(found)


def _alternatives(regex: str, at: int) -> tuple[Required, int]:
    branches = []
    while True:
        found, at = _sequence(regex, at)
        branches.append(found)
        if at >= len(regex) or regex[at] == ")":
            break
        at += 1  # the bar
    if any(branch is None for branch in branches):
        return None, at
    return frozenset().union(*(branch for branch in branches if branch)), at


def _sequence(regex: str, at: int) -> tuple[Required, int]:
    """The best requirement of one branch, and where the branch ends."""
    best: Required = None
    runs = {""}  # the literal texts that may stand here; several where a character has several spellings
    while at < len(regex) and regex[at] not in "|)":
        characters, found, after = _atom(regex, at)
        quantifier = _QUANTIFIER.match(regex, after)
        after = quantifier.end() if quantifier else after
        optional = quantifier is not None and quantifier[1] != "+" and not int(quantifier[2] or 0)
        if characters and not quantifier and len(runs) * len(characters) <= MOST_SPELLINGS:
            runs = {run + character for run in runs for character in characters}
        else:
            best, runs = _better(best, runs), {""}
            if not optional:
                best = _stronger(best, frozenset(characters) if characters else found)
        at = after
    return _better(best, runs), at


def _atom(regex: str, at: int) -> tuple[str, Required, int]:
    """One atom: the literal characters that it may be, or what its group requires; and where it ends."""
    character = regex[at]
    if character == "\\":
        literal = _ESCAPED_LITERAL.match(regex, at)
        if literal:
            return literal[1], None, at + 2
        if regex[at + 1] == "t":
            return "\t", None, at + 2
        escape = _WITHOUT_TEXT.match(regex, at) or _NAMED_CHARACTER.match(regex, at)
        if not escape:  # a group that is repeated by its name, an octal number, ...
            raise _Unsure
        return "", None, escape.end()
    if character == "[":
        end = _class_end(regex, at)
        if "[:" in regex[at + 1 : end]:  # [[:alpha:]] ends later
            raise _Unsure
        plain = _PLAIN_CLASS.fullmatch(regex, at, end)
        return (plain[1] if plain else ""), None, end
    if character == "(":
        if regex.startswith(("(*", "(?#"), at) or _FLAGS.match(regex, at):
            raise _Unsure
        group = _GROUP.match(regex, at)
        found, end = _alternatives(regex, group.end() if group else at + 2)
        return "", found if group else None, end + 1
    if _FUZZY.match(regex, at):  # {e<=1}: the text before may differ
        raise _Unsure
    return ("" if character in ".^$" else character), None, at + 1


def _class_end(regex: str, at: int) -> int:
    at += 1
    if regex[at] == "^":
        at += 1
    if regex[at] == "]":
        at += 1
    while regex[at] != "]":
        at += 2 if regex[at] == "\\" else 1
    return at + 1


def _better(best: Required, runs: set[str]) -> Required:
    return _stronger(best, frozenset(runs) if runs != {""} else None)


def _stronger(one: Required, other: Required) -> Required:
    """The requirement that fewer lines fulfil by chance: the one whose shortest text is longer."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda texts: (min(map(_rarity, texts)), -len(texts)))


def _rarity(text: str) -> float:
    """How seldom a text stands in a line by chance: longer ones do more seldom, letters than signs."""
    signs = sum(character.isascii() and not character.isalnum() for character in text)
    return len(text) - signs / 2 - 2.5 * (text in _ORDINARY)
