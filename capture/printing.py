"""All that we print: text of others in it, such as the name of a run, can't steer the terminal."""

from __future__ import annotations

from typing import Any, TextIO

# Control characters but for line break and tab; marks that turn the direction of what follows.
_MARKS = (*range(0x2028, 0x202F), *range(0x2066, 0x206A))
_STEERING = (*range(9), *range(11, 32), *range(0x7F, 0xA0), *_MARKS)
# Those that JSON leaves as they are become its own escapes.
_ESCAPED = {code: f"\\x{code:02x}" if code < 32 else f"\\u{code:04x}" for code in _STEERING}


def plain(text: str) -> str:
    """The text with what would steer a terminal written as in Python: ESC is \\x1b."""
    return text if text.isprintable() else text.translate(_ESCAPED)


class PlainOutput:
    """Standard output or error of a command of ours, on which all text is plain."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write the text, escaped."""
        return self._file.write(plain(text))

    def writelines(self, lines: Any) -> None:
        """Write the lines, escaped."""
        self._file.writelines(map(plain, lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def make_plain(file: Any) -> Any:
    """The file, on which from now on all text is plain."""
    return file if isinstance(file, PlainOutput) else PlainOutput(file)
