"""Secrets of several lines: keys between BEGIN and END, and what YAML indents below a secret's name."""

from __future__ import annotations

import re

from capture.redaction.names import Secrecy, secrecy

_BEGIN = re.compile(r"-----BEGIN[ A-Z0-9]{0,60}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")
_END = re.compile(r"-----END[ A-Z0-9]{0,60}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(
    r"(?:[\s>|+#*-]|\d+[:|]){0,20}(?:[A-Za-z0-9+/]{4,100}={0,3}|[\w-]{1,30}: .{0,80})?\s*", re.ASCII
)
_BLOCK = re.compile(r"([+-]?\s{0,200})(?:-\s)?[\"']?([\w.-]{1,64})[\"']?:\s{1,8}[|>][+-]?\d?\s*")
_INDENT = re.compile(r"[+-]?\s*")
LONGEST = 200  # lines of a key


class Blocks:
    """Where one stream of lines is: inside a secret of several lines, or not."""

    def __init__(self) -> None:
        self._left = 0  # lines that the key may still have
        self._indent: int | None = None  # of the name whose value is below it

    def masked(self, line: str, mask: str) -> str:
        """The next line of the stream, without what belongs to such a secret."""
        if self._left:
            return self._in_key(line, mask)
        if self._indent is not None:
            if not line.strip("+- \t\r\n"):
                return line
            if _width(line) > self._indent:
                return line[: _width(line)] + mask
            self._indent = None
        if ("-----BEGIN" in line or "PuTTY-User-Key" in line) and (begin := _BEGIN.search(line)):
            end = _END.search(line, begin.end())
            self._left = 0 if end else LONGEST
            return line[: begin.start()] + mask + (line[end.end() :] if end else "")
        block = _BLOCK.fullmatch(line) if "|" in line or ">" in line else None
        if block and secrecy(block[2]) >= Secrecy.LIKELY:
            self._indent = _width(line)
        return line

    def _in_key(self, line: str, mask: str) -> str:
        """A line between BEGIN and END; others that are printed in between are none of it."""
        self._left -= 1
        if end := _END.search(line):
            self._left = 0
            return mask + line[end.end() :]
        return mask if _BODY.fullmatch(line) and line.strip() else line


def _width(line: str) -> int:
    return len(_INDENT.match(line)[0])  # type: ignore[index]  # it matches everywhere
