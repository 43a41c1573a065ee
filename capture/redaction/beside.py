"""Secrets that are known by what is beside them in a line of text.

A name (`api_key=...`, `"password": "..."`, `--token ...`, `Authorization: Bearer ...`), an address
(`https://user:password@host/?sig=...`), the options of programs that log in.  All of it takes time that is
linear in the length of the text: repetitions are bounded, and what is before a name is looked for backwards.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from capture.redaction.names import Secrecy, is_random, is_secret, secrecy

LONGEST_NAME = 64
_ASKED = 1000  # characters of a value that are looked at before it is known to be a secret
_CORE = re.compile(
    r"""(?P<name>(?:passw(?:or)?d|passphrase|pass|pwd|secrets?|cred(?:ential)?s?|key|token|authorization|auth|cookie
    |webhook|dsn|pat)
    [\w-]{0,24})
    \\{0,3}["'`]?\]?
    (?P<sign>\s{0,8}(?::=|=>|[=:]|(?<=["'`]),)\s{0,8}|\s{1,8})
    (?P<quote>\\{0,3}["'`])?""",
    re.X | re.I,
)
_BEARER = re.compile(r"\bbearer\s{1,8}(?=[^\s\d]{0,200}\d)[\w.~+/=-]{16,}", re.I)
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey|negotiate)\s{1,8}", re.I)
_LONG_SCHEME = re.compile(r"digest\s|aws4-hmac-sha256\s", re.I)  # several values, to the end of the header
_VALUE = re.compile(r"[^\s\"'`]+")
_TRAILING = "\\,;)}]>"  # of the text around a value
# What follows such a word in the results of a training: `secret: 0.25`, `pass 3`, `key: 7%`.
_FIGURE = re.compile(r"[+-]?(?:\d{1,3}|\d*\.\d*(?:e[+-]?\d+)?|\d+/\d+|nan|inf|none|null|true|false)%?", re.I)
_TOKEN = re.compile(r"(?=[^\d]{0,200}\d)[\w.~+/=-]{16,}")
_BLOCK = ("|", ">", "|-", ">-", "|+", ">+")  # of YAML: the value is below
_DIGIT = re.compile(r"\d")
_LOUD = re.compile(r"[A-Z0-9_]+")  # a variable of the environment

_ADDRESS = re.compile(r"://([^\s/@:\"'<>]{0,255})(:[^\s/\"'<>]{0,1000})?@")
_PARAMETER = re.compile(r"([?&;])([\w.~%-]{1,64})=([^\s&\"'<>#;]+)")
_PARAMETERS = frozenset(["sig", "signature", "key", "code", "auth", "credential", "hmac", "jwt"])
_LOGIN = re.compile(r"\b(login\s{1,8}\S{1,100}\s{1,8}password\s{1,8})\S+")  # a line of ~/.netrc
_USER_OPTION = re.compile(r"(?<!\S)((?:-u|-U|--user|--proxy-user)[=\s]{0,5}[\"']?[^\s:\"']{0,100}:)[^\s\"']+")
_LOGS_IN = re.compile(r"\b(?:curl|wget|https?|xh)\b")


def masked(text: str, low: str, mask: str) -> str:
    """One line with all that is beside such a name masked; `low` is the line in small letters."""
    if "://" in text:
        text = _ADDRESS.sub(lambda match: _address(match, mask), text)
    if "=" in text and ("?" in text or "&" in text):
        text = _PARAMETER.sub(lambda match: _parameter(match, mask), text)
    if "-u" in low and _LOGS_IN.search(low):
        text = _USER_OPTION.sub(rf"\1{mask}", text)
    if "login" in low:
        text = _LOGIN.sub(rf"\1{mask}", text)
    if "bearer" in low:
        text = _BEARER.sub(lambda match: f"{match[0].split()[0]} {mask}", text)
    return _beside_names(text, mask)


def _beside_names(text: str, mask: str) -> str:
    out, done, at = [], 0, 0
    while (match := _CORE.search(text, at)) is not None:
        start, end = _secret(text, match)
        if start == end or text.startswith(mask, start):
            at = match.start("sign")  # the value may begin with a name: `sort_key=token=...`
            continue
        out += [text[done:start], mask]
        done = at = end
    return "".join([*out, text[done:]])


class _Announced(NamedTuple):
    """What a name announces: where its value begins, and what may be known before that is read."""

    name: str
    secrecy: Secrecy
    is_option: bool  # two dashes are before the name
    sign: str  # what is between the name and the value
    quote: str  # the quotation mark before the value
    start: int
    to_end: bool  # the value reaches to the end of the quotation or of the line: a header's


def _secret(text: str, match: re.Match[str]) -> tuple[int, int]:
    """From where to where the secret reaches that this name announces; nothing where it announces none."""
    one = _announced(text, match)
    if one.secrecy is not Secrecy.NO:
        value = text[one.start : _end(text, one, one.start + _ASKED)]
        if value and _is_secret(one, value):
            return one.start, _end(text, one, len(text))
    return one.start, one.start


def _announced(text: str, match: re.Match[str]) -> _Announced:
    first, limit = match.start(), max(0, match.start() - LONGEST_NAME)
    while first > limit and (text[first - 1].isalnum() or text[first - 1] in "_.-"):
        first -= 1
    written = text[first : match.end("name")]
    name = written.lstrip("-")
    start, to_end = match.end(), name.lower().endswith("cookie")
    if name.lower().endswith("authorization"):
        to_end = _LONG_SCHEME.match(text, start) is not None
        if scheme := _SCHEME.match(text, start):
            start = scheme.end()
    sign = match["sign"].strip()
    return _Announced(
        name, secrecy(name), written.startswith("--"), sign, match["quote"] or "", start, to_end
    )


def _is_secret(one: _Announced, value: str) -> bool:
    if value in _BLOCK:
        return False
    if one.to_end:
        return True
    if one.is_option:
        return not value.startswith("-") and is_secret(one.name, value)
    if not one.sign and (one.secrecy is Secrecy.RANDOM or len(value) < 6 or not _DIGIT.search(value)):
        return False  # words of a sentence
    if not one.quote and _FIGURE.fullmatch(value):
        return False
    if one.secrecy is Secrecy.LIKELY and not (one.sign == "=" and _LOUD.fullmatch(one.name)):
        return _TOKEN.fullmatch(value) is not None
    return is_secret(one.name, value)


def _end(text: str, one: _Announced, limit: int) -> int:
    """Where the value ends, `limit` at most: at its quote; else at a space, or where the whole line does."""
    start, quote = one.start, one.quote
    if quote:
        end = text.find(quote, start, limit)
        while end > start and len(quote) == 1 and text[end - 1] == "\\":
            end = text.find(quote, end + 1, limit)
        return end if end >= 0 else min(limit, len(text))
    if one.to_end:
        ends = [found for mark in "\"'" if (found := text.find(mark, start, limit)) >= 0]
        return min(ends, default=min(limit, len(text)))
    value = _VALUE.match(text, start, limit)
    return start + len(value[0].rstrip(_TRAILING)) if value else start


def _address(match: re.Match[str], mask: str) -> str:
    """The user and the password of an address: the user only where it may be a token."""
    user, behind = match[1], match[2]
    if behind is not None and len(behind) > 1 and behind != ":x-oauth-basic":
        return f"://{mask if is_random(user) else user}:{mask}@"
    if user in ("", "git") or not (behind is not None or is_random(user) or len(user) >= 20):
        return match[0]
    return f"://{mask}{behind or ''}@"


def _parameter(match: re.Match[str], mask: str) -> str:
    mark, name, value = match.groups()
    last = name.lower().rpartition("-")[2]
    if last in _PARAMETERS or is_secret(name, value):
        return f"{mark}{name}={mask}"
    return match[0]
