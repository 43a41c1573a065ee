"""Names and values of a printed mapping: JSON, or a Python dict with numbers of any library."""

from __future__ import annotations

import re

from capture.language.numbers import NUMBER, is_number

DEEPEST = 16
_CALL = r"(?:tensor|array|Array|(?:np\.|numpy\.|jnp\.|torch\.)?(?:float|int|uint|bfloat)\d*_?)\(\s*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<open>\{{)|(?P<close>\}})|(?P<list>[\[(])|(?P<listed>[\])])|(?P<comma>,)|(?P<colon>:)"
    rf"|(?:{_CALL})(?P<called>{NUMBER})(?:\s*,[^()]*)?\s*\)"
    rf"|(?P<number>{NUMBER})(?=\s*(?:[,\]}})]|$))"
    rf"|'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\""
    rf"|(?P<other>[^\s,{{}}\[\]():'\"]+(?:\([^()]*\))?))"
)


_AFTER = re.compile(r"[\s.;)]*(?:\w+=[\w.+-]+\s*){0,5}")  # metrics={'loss': 0.5} step=50

Span = tuple[int, int]


def find(text: str, start: int) -> dict[str, Span | None] | None:
    """The names in the mapping that begins at `start` and ends the text; None if it is no mapping.

    With each, where its number stands, if it has one: what stands inside of `a` is `a/b`, a text that is
    a number counts as one, and lists do not.
    """
    found: dict[str, Span | None] = {}
    path: list[str] = []
    key, in_list, depth = "", 0, 0
    span: Span | None = None
    has_value = False
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
            expects_key, has_value, span = True, False, None
        elif what in ("comma", "close"):
            if has_value:
                found["/".join([*path, key])] = span
            expects_key, has_value, span = True, False, None
            if what == "close":
                depth -= 1
                if not depth:
                    return found if _AFTER.fullmatch(text, at) else None
                key = path.pop()
        elif what == "colon":
            expects_key = False
        elif expects_key:
            if what not in ("single", "double"):
                return None
            key = shown
        else:
            has_value = True
            if what in ("called", "number") or is_number(shown):
                span = token.span(what)
