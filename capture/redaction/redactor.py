"""Masks secrets in all that is kept of a run, but for its recording, and in all that leaves the machine."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from capture.redaction.names import Secrecy, is_random, is_secret, secrecy

MASK = "***"
SHORTEST = 6  # characters: a shorter value would be found in any text
PATTERN_LIMIT = 0.05  # seconds that a pattern of the user's may take for one text ...
PATTERNS_LIMIT = 0.25  # ... and that may be lost to such texts altogether
_PASSWORD = re.compile(r"://[^\s/@:]{0,255}:([^\s/]{0,1000})@")
# Programs whose option `-p` is a password.
_LOG_IN = frozenset(
    ["sshpass", "mysql", "mysqldump", "mysqladmin", "mariadb", "docker", "podman", "mongo", "mongosh"]
)
_RUN = re.compile(r"[\w.~+/%|:-]{12}")  # the shortest token; most lines of a log have nothing so long
# A text without any of these has nothing that is beside a secret.
_TRIGGERS = (
    *("://", "?", "&", "-u", "pass", "pwd", "secret", "cred", "key", "token", "auth", "bearer", "cookie"),
    *("webhook", "dsn", "pat"),
)


class Redactor:
    """Masks secrets: `environ` holds the values to look for, `patterns` are the user's."""

    def __init__(self, environ: Mapping[str, str], patterns: Iterable[str] = ()) -> None:
        self._values = _values_of(environ)
        self._long_values = [value for value in self._values if "\n" in value]
        self._patterns: list[Any] = []
        self._lost = 0.0  # seconds, to patterns that took too long
        if patterns := list(patterns):
            import regex  # not on the way of every start: it has time limits

            self._patterns = [regex.compile(pattern) for pattern in patterns]

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        if "\n" not in text and "-----BEGIN" not in text:
            return self.line(text)
        for value in self._long_values:
            text = text.replace(value, MASK)
        lines = Lines(self)
        return "\n".join(map(lines.line, text.split("\n")))

    def line(self, text: str) -> str:
        """One line with every secret masked that is in it alone."""
        text = self._known(text)
        low = text.lower()
        if _RUN.search(text) or "password" in low:
            text = _module("shapes").masked(text, low, MASK)
        if any(map(low.__contains__, _TRIGGERS)):
            text = _module("beside").masked(text, low, MASK)
        return text

    def value(self, name: str, value: Any) -> Any:
        """A value of a config under its name."""
        if isinstance(value, str):
            if not value or not is_secret(name, value):
                # What the name says counts for the shapes, too: `datadog_id: 0123...`.
                beside_name = self.text(f"{name}={value}")
                return (
                    beside_name[len(name) + 1 :] if beside_name.startswith(f"{name}=") else self.text(value)
                )
            return MASK
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            return MASK if secrecy(name) is Secrecy.SURE else value
        if isinstance(value, Mapping):
            return self.values(value)
        if isinstance(value, (list, tuple)):
            return [self.value(name, item) for item in value]
        return value

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A whole config."""
        secret = str(values.get("kind", "")).lower() == "secret"  # of Kubernetes: its names say nothing
        return {
            self.text(str(name)): MASK
            if secret and str(name).startswith(("data.", "stringData."))
            else self.value(str(name), value)
            for name, value in values.items()
        }

    def command(self, words: Sequence[str]) -> list[str]:
        """A command line: what follows `--api-key` is one, whatever it looks like."""
        masked: list[str] = []
        before = ""  # the option whose value comes next
        logs_in = any(os.path.basename(word) in _LOG_IN for word in words[:3])
        for word in words:
            option, equals, value = word.partition("=")
            name = option.lstrip("-")
            if before and not word.startswith("-"):
                password = before == "p" and (logs_in or is_random(word))
                masked.append(MASK if password else str(self.value(before, word)))
            elif equals and re.fullmatch(r"[\w.+-]{1,100}", name) and is_secret(name, value):
                masked.append(f"{option}={MASK}")
            elif logs_in and len(word) > 2 and word.startswith("-p"):
                masked.append(f"-p{MASK}")
            else:
                masked.append(self.text(word))
            before = name if word.startswith("-") and not equals else ""
        return masked

    def _known(self, text: str) -> str:
        """Without the values of the environment, and without what the user's patterns find."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        for pattern in self._patterns:
            text = self._limited(pattern, text)
        return text

    def _limited(self, pattern: Any, text: str) -> str:
        """What a pattern leaves of the text; where it takes too long, nothing: it may be a secret."""
        if self._lost >= PATTERNS_LIMIT:
            return MASK
        started = time.monotonic()
        try:
            return str(pattern.sub(MASK, text, timeout=PATTERN_LIMIT))
        except TimeoutError:
            self._lost += time.monotonic() - started
            return MASK


class Lines:
    """One stream of lines: also masks the secrets that reach over several of them."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._blocks = _module("blocks").Blocks()

    def line(self, text: str) -> str:
        """The next line of the stream, with every secret masked."""
        return self._redactor.line(self._blocks.masked(text, MASK))


@cache
def _module(name: str) -> Any:
    """A module that the start of most commands does not need: compiling its expressions takes time."""
    return import_module(f"capture.redaction.{name}")


def _values_of(environ: Mapping[str, str]) -> list[str]:
    """The values to look for, as they are and as they are in JSON and in addresses, the longest first."""
    values: set[str] = set()
    for name, value in environ.items():
        if is_secret(name, value):
            values |= {value, *value.splitlines()} if "\n" in value else {value}
        if "://" in value:
            values |= set(_PASSWORD.findall(value))
    found = {form for value in values for form in (value, value.strip(), _quoted(value), repr(value)[1:-1])}
    return sorted(
        (value for value in found if len(value) >= SHORTEST), key=lambda value: (-len(value), value)
    )


def _quoted(value: str) -> str:
    """As in an address: %2F for a slash."""
    if value.isalnum():
        return value
    return "".join(
        char
        if char.isalnum() or char in "-._~"
        else "".join(f"%{byte:02X}" for byte in char.encode(errors="replace"))
        for char in value
    )
