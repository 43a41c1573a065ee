"""What the closing block says where no metrics were found: a line that nothing reads, and what to do next."""

from __future__ import annotations

import re
from pathlib import Path

from capture import runs
from capture.console.frames import FrameReader
from capture.console.prefixes import Prefixes
from capture.language.model import ReaderPattern
from capture.parsing import glued
from capture.parsing.rule import ReadLine

LOOKED_AT = 256 * 1024  # bytes of the console
MOST_READ = 1000  # kinds of lines that are remembered as read
LONGEST = 100  # characters of the line that is shown
RECURRING = 3  # lines that differ in their numbers alone, of which a parser can be learnt
_PLACE = re.compile(r'File ".*", line \d+')  # of a traceback: the program's own error says enough
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class Unread:
    """Remembers the kinds of lines that a pattern has read, so that one of the others can be shown."""

    def __init__(self) -> None:
        self._read: set[str] = set()

    def note(self, line: ReadLine) -> None:
        """What the engine made of a line."""
        in_vain = line.rule is None or (isinstance(line.rule.pattern, ReaderPattern) and not line.records)
        if not in_vain and len(self._read) < MOST_READ:
            self._read.add(_shape(line.text))

    def notes(self, folder: Path, place: str, lines: int) -> list[str]:
        """The lines of the closing block after so many printed ones; `place` is how the folder is shown."""
        found = [f"no metrics found in {lines:,} line{'s' * (lines != 1)}; the console is kept in {place}"]
        text, count = self._example(folder / runs.CONSOLE_LOG)
        if count >= RECURRING:
            found.append(f"no parser reads lines such as: {text}")
            found.append("to have it read them: capture learn last")
        elif count:
            found.append(f"no parser reads: {text}")
            found.append("to see why: capture parsers explain last")
        return found

    def _example(self, console: Path) -> tuple[str, int]:
        """A line of the commonest kind of those that nothing has read, and how many there are."""
        try:
            with console.open("rb") as file:
                data = file.read(LOOKED_AT)
        except OSError:
            return "", 0
        reader, prefixes, kinds = FrameReader(), Prefixes(), dict[str, list[str]]()
        for frame in [*reader.feed(data, 0), *reader.finish()]:
            for line in glued.peel(prefixes, frame.text, None):
                text = " ".join(line.views[0].text.split())
                shape = _shape(text)
                if shape == text or shape in self._read or _PLACE.match(text):
                    continue
                if re.search("[A-Za-z]", shape):
                    kinds.setdefault(shape, []).append(text)
        if not kinds:
            return "", 0
        found = max(kinds.values(), key=lambda texts: (len(set(texts)), len(texts)))
        shown = found[0] if len(found[0]) <= LONGEST else f"{found[0][: LONGEST - 3]}..."
        return shown, len(set(found))


def _shape(text: str) -> str:
    """The text with its numbers, and the width of its spaces, left open."""
    return _NUMBER.sub("0", " ".join(text.split()))
