"""Secrets are masked in all that is kept in `run.json` or leaves the machine.

Three ways to know one: it is the value of a variable whose name says so, it has the shape of a known
token, or it is printed beside a name that says so.  The terminal and `console.log` are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MASK = "***"
SHORTEST = 6  # characters: a shorter value would be found in any text

_NAME = r"(?:pass(?:word|wd|phrase)|secret|credentials?|api[_-]?key|(?:access|private|secret|auth)[_-]?key)"
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAME}|token|_key)$")
# The shapes that the services publish for their tokens.
_SHAPES = re.compile(
    r"\bhf_[A-Za-z0-9]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{22,}|\bglpat-[\w-]{20,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{35}"
    r"|\bxox[abprs]-[\w-]{10,}"
    r"|\bwandb_v\d_\w{20,}|\blocal-[0-9a-f]{40}\b"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"
)
_URL = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+(?=@)")
# api_key=..., "password": "...", --token ..., Authorization: Bearer ...
_BESIDE = re.compile(
    rf"(?i)\b((?:[\w-]*{_NAME})[\"']?(?:\s*[=:]\s*|\s+(?=\S*\d))[\"']?)(?![\d.,+-]+(?:\s|$))([^\s\"',;)]+)"
    r"|\b([\w-]*token[\"']?(?:\s*[=:]\s*|\s+)[\"']?|bearer\s+)(?=[\w.-]*\d)([\w.-]{16,})"
)


class Redactor:
    """Masks secrets: `environ` holds the values to look for, `patterns` are the user's."""

    def __init__(self, environ: Mapping[str, str], patterns: Iterable[str] = ()) -> None:
        values = {value for name, value in environ.items() if is_secret(name) and len(value) >= SHORTEST}
        longest_first = sorted(values, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first))) if values else None
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if self._values:
            text = self._values.sub(MASK, text)
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        text = _SHAPES.sub(MASK, text)
        if "://" in text:
            text = _URL.sub(rf"\1:{MASK}", text)
        return _BESIDE.sub(lambda m: (m[1] or m[3]) + MASK, text)

    def value(self, name: str, value: Any) -> Any:
        """A value of a config under its name."""
        if isinstance(value, str):
            return MASK if value and is_secret(name) else self.text(value)
        if isinstance(value, Mapping):
            return self.values(value)
        if isinstance(value, (list, tuple)):
            return [self.value(name, item) for item in value]
        return value

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A whole config."""
        return {name: self.value(name, value) for name, value in values.items()}

    def command(self, words: Sequence[str]) -> list[str]:
        """A command line: what follows `--api-key` is one, whatever it looks like."""
        masked, secret = [], False
        for word in words:
            option, equals, _ = word.partition("=")
            if secret and not word.startswith("-"):
                masked.append(MASK)
            elif equals and is_secret(option.lstrip("-")):
                masked.append(f"{option}={MASK}")
            else:
                masked.append(self.text(word))
            secret = word.startswith("-") and not equals and is_secret(word.lstrip("-"))
        return masked


def is_secret(name: str) -> bool:
    """Whether a variable or an option of this name holds a secret, such as WANDB_API_KEY."""
    return bool(_SECRET_NAME.search(name))
