"""A prefilter for regular expressions: the literal text without which one can't match.

As in the literal extraction of Rust's regex crate: one search for the literals of all patterns tells which
lines are worth a closer look, so that most lines cost one search.  The requirement of an expression is a set
of literals of which every match contains at least one; None means that nothing is required.  This is a small
parser of regular expressions, not a complete one: what it does not understand it takes as not required, so a
requirement may be too weak but is never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic_core import SchemaValidator, core_schema

Required = frozenset[str] | None


class _NotUnderstood(Exception):
    """Syntax that may change what the rest of the expression means."""


_SPECIAL, _QUANTIFIERS = frozenset("\\[({.^$"), frozenset("*+?{")
_QUANTIFIER = re.compile(r"([*+?]|\{(\d*)(?:,\d*)?\})[?+]?")
_GROUP = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|:|>|=)|\((?!\?)")
_ESCAPED_LITERAL = re.compile(r"\\([^\w\s])")
_FLAGS = re.compile(r"\(\?[A-Za-z0-9]*[ixV]")
_FUZZY = re.compile(r"\{[\dides]")
_TEXTLESS_ESCAPE = re.compile(r"\\(?:[AbBdDfGhKmMnrRsSvwWXZ]|[1-9](?!\d))")
_CHARACTER_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|N\{[^}]*\}|x..|u.{4}|U.{8})")
_SMALL_CLASS = re.compile(r"\[([A-Za-z0-9]{1,4})\]")
# A character by its name, number or category, a back-reference, and what changes what the rest means.
_UNKNOWN_DIGITS = re.compile(r"\\[NpPxuUgk]|\(\?P=|\(\?[A-Za-z0-9]*[ixV]|\{[\dides]*[ides]")
_LETTER_AND_DIGITS = re.compile(r"(\[[A-Za-z]+\]|[A-Za-z])\d+")
_MAY_HOLD_DIGITS = re.compile(
    r"(?:\[[A-Za-z]+\]|[A-Za-z])\d+(?![\d*?{])"  # mAP50
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\{\d*(?:,\d*)?\}|\(\?P?<[A-Za-z_]\w*>|\d",
    re.DOTALL,
)
_ALL_DIGITS = re.compile(r"(?<=^\[)0-9|(?<=^\[\^)0-9")
_DIGIT = re.compile(r"\d")
_META = re.compile(r"[\\.+*?()|\[\]{}^$#&~-]")
MAX_SPELLINGS = 16  # of one literal: a class such as [Ll] spells a character in several ways
known: dict[str, Required] = {}  # what expressions require, as far as it was asked: it takes long to find
# In the logs of all programs.
_COMMON = frozenset(
    ["step", "Step", "STEP", "iter", "Iter", "ITER", "train", "Train", "model", "value", " of "]
)


def prefilter(requirements: Iterable[Required]) -> Callable[[str], bool] | None:
    """A function that tells whether a text contains any of the literals that some patterns require.

    Returns None if a pattern requires nothing.  `re` and `regex` try a hundred literals one by one at each
    character.  Pydantic checks a string's pattern with Rust's regex crate, which looks for all of them in one
    pass: thirty times as fast.  That is how pydantic is made, not what it promises, so each search is tried
    before it is used, and `re` takes its place if it does not do what it should.
    """
    literals: set[str] = set()
    for required_literals in requirements:
        if required_literals is None:
            return None
        literals |= required_literals
    pattern = "|".join(_META.sub(r"\\\g<0>", literal) for literal in sorted(literals)) or r"[^\s\S]"
    try:
        search: Callable[[str], bool] = SchemaValidator(
            core_schema.str_schema(pattern=pattern)
        ).isinstance_python
    except Exception:  # whatever another version may raise
        return plain_search(literals)
    return search if finds(search, literals) else plain_search(literals)


def finds(search: Callable[[str], bool], literals: Iterable[str]) -> bool:
    """Whether a search lets through each literal in a text of several lines, and not a text without any."""
    try:
        return search("") is search("\0\n") is False and all(
            search(f"\0\n\0{literal}\0\n") is True for literal in literals
        )
    except Exception:
        return False


def plain_search(literals: Iterable[str]) -> Callable[[str], bool]:
    """The same search by `re` alone, thirty times as slow."""
    find = re.compile("|".join(map(re.escape, sorted(literals))) or r"(?!)").search
    return lambda text: find(text) is not None


def required(regex: str) -> Required:
    """The literals of which every match of `regex` contains at least one; None if nothing is required."""
    if regex not in known:
        known[regex] = _required(regex)
    return known[regex]


def _required(regex: str) -> Required:
    try:
        found, end = _alternatives(regex, 0)
    except (IndexError, _NotUnderstood):  # an unfinished expression: the compiler has the better message
        return None
    return found if end == len(regex) else None


def digit_sensitive_text(regex: str) -> Required:
    """The texts, with zeros for digits, in which the expression tells digits apart.

    `P0` is such a text of `mAP50`: a line that does not contain it, with zeros for digits, is matched alike
    whatever its digits are.  Returns None if that holds for no line.
    """
    if _UNKNOWN_DIGITS.search(regex):
        return None
    texts = set()
    for token in _MAY_HOLD_DIGITS.findall(regex):
        letters = _LETTER_AND_DIGITS.fullmatch(token)
        if letters:
            texts |= {letter + "0" for letter in letters[1].strip("[]")}
        elif token[0] not in "{(" and _DIGIT.search(_ALL_DIGITS.sub("", token)):  # {3} and (?P<f1> match none
            return None
    return frozenset(texts)


def _alternatives(regex: str, at: int) -> tuple[Required, int]:
    """What all branches from `at` to the end of their group require, and the offset of that end."""
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
    """The strongest requirement of one branch, and the offset of its end."""
    strongest: Required = None
    literals = {""}  # the literal text just before `at`, in all its spellings
    while at < len(regex) and regex[at] not in "|)":
        character = regex[at]
        characters, found, after = _atom(regex, at) if character in _SPECIAL else (character, None, at + 1)
        quantifier = _QUANTIFIER.match(regex, after) if regex[after : after + 1] in _QUANTIFIERS else None
        after = quantifier.end() if quantifier else after
        optional = quantifier is not None and quantifier[1] != "+" and not int(quantifier[2] or 0)
        if characters and not quantifier and len(literals) * len(characters) <= MAX_SPELLINGS:
            literals = {literal + character for literal in literals for character in characters}
        else:
            strongest, literals = _stronger(strongest, _non_empty(literals)), {""}
            if not optional:
                strongest = _stronger(strongest, frozenset(characters) if characters else found)
        at = after
    return _stronger(strongest, _non_empty(literals)), at


def _atom(regex: str, at: int) -> tuple[str, Required, int]:
    """One atom: the characters that it may be, or what its group requires; and the offset of its end."""
    character = regex[at]
    if character == "\\":
        literal = _ESCAPED_LITERAL.match(regex, at)
        if literal:
            return literal[1], None, at + 2
        if regex[at + 1] == "t":
            return "\t", None, at + 2
        escape = _TEXTLESS_ESCAPE.match(regex, at) or _CHARACTER_ESCAPE.match(regex, at)
        if not escape:  # a group's expression once more, an octal number, ...
            raise _NotUnderstood
        return "", None, escape.end()
    if character == "[":
        end = _class_end(regex, at)
        if "[:" in regex[at + 1 : end]:  # [[:alpha:]] ends later
            raise _NotUnderstood
        small = _SMALL_CLASS.fullmatch(regex, at, end)
        return (small[1] if small else ""), None, end
    if character == "(":
        if regex.startswith(("(*", "(?#"), at) or _FLAGS.match(regex, at):
            raise _NotUnderstood
        group = _GROUP.match(regex, at)
        found, end = _alternatives(regex, group.end() if group else at + 2)
        return "", found if group else None, end + 1
    if _FUZZY.match(regex, at):  # {e<=1}: the text before may differ
        raise _NotUnderstood
    return ("" if character in ".^$" else character), None, at + 1


def _class_end(regex: str, at: int) -> int:
    """The offset of the end of the character class that begins at `at`."""
    at += 1
    if regex[at] == "^":
        at += 1
    if regex[at] == "]":
        at += 1
    while regex[at] != "]":
        at += 2 if regex[at] == "\\" else 1
    return at + 1


def _non_empty(literals: set[str]) -> Required:
    return frozenset(literals) if literals != {""} else None


def _stronger(one: Required, other: Required) -> Required:
    """The requirement that fewer lines meet by chance: the one whose most common literal is rarer."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda literals: (min(map(_rarity, literals)), -len(literals)))


def _rarity(literal: str) -> float:
    """How rarely a literal occurs by chance: a long one more rarely than a short one, letters than signs."""
    signs = sum(character.isascii() and not character.isalnum() for character in literal)
    return len(literal) - signs / 2 - 2.5 * (literal in _COMMON)
