"""Conditions on runs, as in `capture runs --where 'lr < 0.1 and state == finished'`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from capture.errors import UserError, did_you_mean
from capture.language.expressions import Expression
from capture.page.results import named

_WORD = re.compile(r"""(?P<text>"[^"]*"|'[^']*')|(?P<name>[A-Za-z_][\w./@()-]*[\w)]|[A-Za-z_])""")
_WORDS_OF_THE_LANGUAGE = frozenset(
    ["and", "or", "not", "if", "else", "True", "False", "abs", "min", "max", "round", "int"]
)


def condition(text: str, known: Iterable[str]) -> Callable[[Mapping[str, Any]], bool]:
    """The function that says of a run's values, by their names, whether the condition holds.

    A name is what runs are known by: a hyperparameter, a metric, `state`, `name`, ...  A word that is none is
    text to compare with.  Raises UserError where the condition can't be read or names nothing.
    """
    names = sorted(known, key=len, reverse=True)
    places: dict[str, str] = {}  # the name behind each placeholder

    def placeholder(name: str) -> str:
        places.setdefault(f"v{list(names).index(name)}_", name)
        return f"v{names.index(name)}_"

    spaced = re.sub(r"(?<![<>=!])=(?!=)", "==", text)
    for name in names:  # names of several words first: `val loss < 0.5`
        if not re.fullmatch(r"[A-Za-z_]\w*", name) and name in spaced:
            spaced = re.sub(rf"(?<![\w\"']){re.escape(name)}(?![\w\"'])", placeholder(name), spaced)
    unknown: list[str] = []

    def word(match: re.Match[str]) -> str:
        found = match["name"]
        if found is None or found in _WORDS_OF_THE_LANGUAGE or re.fullmatch(r"v\d+_", found):
            return match[0]
        if meant := named(found, names):
            return placeholder(meant[0])
        unknown.append(found)
        return repr(found)

    expression = Expression(_WORD.sub(word, spaced))
    if not places:
        listed = f"there are {', '.join(sorted(names)[:12])}, ..."
        hint = did_you_mean(unknown[0], names, listed) if unknown else listed
        raise UserError(f"{text!r} names nothing that these runs have; {hint}")
    return lambda values: expression.holds(
        {key: _typed(values[name]) for key, name in places.items() if values.get(name) is not None}
    )


def _typed(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) else str(value)
