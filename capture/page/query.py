"""Conditions on runs, as in `capture runs --where 'lr < 0.1 and state == finished'`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from capture.errors import UserError, did_you_mean
from capture.language.expressions import Expression
from capture.page.results import named

_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_WORD = re.compile(r"[A-Za-z_][\w./@()-]*[\w)]|[A-Za-z_]")
_OF_THE_LANGUAGE = frozenset(
    ["and", "or", "not", "if", "else", "True", "False", "abs", "min", "max", "round", "int"]
)


def condition(text: str, known: Iterable[str]) -> Callable[[Mapping[str, Any]], bool]:
    """The function that says of a run's values, by their names, whether the condition holds.

    A name is what runs are known by: a hyperparameter, a metric, `state`, `name`, ...  A word that is none is
    text to compare with.  Raises UserError where the condition can't be read or names nothing.
    """
    names = sorted(known, key=len, reverse=True)
    places: dict[str, str] = {}  # the name behind each placeholder
    unknown: list[str] = []

    def placeholder(name: str) -> str:
        place = f"v{names.index(name)}_"
        places[place] = name
        return place

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found in _OF_THE_LANGUAGE or re.fullmatch(r"v\d+_", found):
            return found
        if meant := named(found, names):
            return placeholder(meant[0])
        unknown.append(found)
        return repr(found)

    def arithmetic(part: str) -> str:
        part = re.sub(r"(?<![<>=!])=(?!=)", "==", part)
        for name in names:
            if not _WORD.fullmatch(name) and name in part:  # names of several words: `val loss < 0.5`
                part = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", placeholder(name), part)
        return _WORD.sub(word, part)

    parts = [part if place % 2 else arithmetic(part) for place, part in enumerate(_QUOTED.split(text))]
    try:
        expression = Expression("".join(parts))
    except UserError:  # which would name the placeholders
        raise UserError(f"{text!r} is no condition on runs, such as lr < 0.1 and state == finished") from None
    if not places:
        listed = f"there are {', '.join(sorted(names)[:12])}, ..."
        hint = did_you_mean(unknown[0], names, listed) if unknown else listed
        raise UserError(f"{text!r} names nothing that these runs have; {hint}")
    return lambda values: expression.holds(
        {key: _typed(values[name]) for key, name in places.items() if values.get(name) is not None}
    )


def _typed(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) else str(value)
