"""Names and values of a printed mapping: JSON, or a Python dict with numbers of any library."""

from __future__ import annotations

import re
from collections.abc import Mapping

from capture.values import NUMBER, Value, is_number, number

DEEPEST = 16
_CALL = r"(?:tensor|array|Array|(?:np\.|numpy\.|jnp\.|torch\.)?(?:float|int|uint|bfloat)\d*_?)\(\s*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<open>\{{)|(?P<close>\}})|(?P<list>[\[(])|(?P<listed>[\])])|(?P<comma>,)|(?P<colon>:)"
    rf"|(?:{_CALL})(?P<called>{NUMBER})(?:\s*,[^()]*)?\s*\)"
    rf"|(?P<number>{NUMBER})(?=\s*(?:[,\]}})]|$))"
    rf"|'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\""
    rf"|(?P<other>[^\s,{{}}\[\]():'\"]+(?:\([^()]*\))?))"
)


def find(text: str, start: int) -> dict[str, Value] | None:
    """The values of the mapping that begins at `start` and ends the text; None if it is none.

    What stands inside of `a` is `a/b`.  Lists are left out; a text that is a number counts as one.
    """
    found: dict[str, Value] = {}
    path: list[str] = []
    key, in_list, depth = "", 0, 0
    value: Value | None = None
    expects_key = False
    at = start
    while True:
        token = _TOKEN.match(text, at)
        if not token:
            return None
        at = token.end()
        what = token.lastgroup or ""
        shown = token[what]
        if what == "list":
            in_list += 1
        elif what == "listed":
            in_list -= 1
            if in_list < 0:
                return None
        elif in_list:
            continue
        elif what == "open":
            if expects_key or depth == DEEPEST:
                return None
            if depth:
                path.append(key)
            depth += 1
            expects_key, value = True, None
        elif what in ("comma", "close"):
            if value is not None:
                found["/".join([*path, key])] = value
            expects_key, value = True, None
            if what == "close":
                depth -= 1
                if not depth:
                    return found if text[at:].strip(" .;)") == "" else None
                key = path.pop()
        elif what == "colon":
            expects_key = False
        elif expects_key:
            if what not in ("single", "double"):
                return None
            key = shown
        elif what in ("called", "number") or is_number(shown):
            value = number(shown)
        else:
            value = shown


def numbers(values: Mapping[str, Value]) -> dict[str, float]:
    """The values that are numbers."""
    return {name: value for name, value in values.items() if not isinstance(value, str)}
