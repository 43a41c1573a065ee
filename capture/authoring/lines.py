"""The lines of a log that no pattern reads, as a program printed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from capture.console.frames import FrameReader
from capture.language.model import Parser, ReaderPattern
from capture.parsing.engine import Engine
from capture.parsing.pipeline import READ_SIZE
from capture.parsing.rule import ReadLine

MAX_LINES = 100_000
MAX_BYTES = 32 * 1024 * 1024  # of the log that are looked at


class LogLines(NamedTuple):
    """A log's beginning.

    `unread` are its lines that no parser reads, without their prefixes, with an empty one for each that is
    read; `own` says how many lines each parser of the user's, by its name, finds values in.
    """

    unread: list[str]
    own: Counter[str]


def read_lines(file: BinaryIO, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> LogLines:
    """The lines of a log's beginning."""
    found: list[str] = []
    names = {parser.name for parser in own}
    by_own: Counter[str] = Counter()

    def add(line: ReadLine) -> None:
        in_vain = line.rule is None or (isinstance(line.rule.pattern, ReaderPattern) and not line.records)
        found.append(line.text.rstrip() if in_vain else "")
        if line.rule is not None and line.records and line.rule.parser.name in names:
            by_own[line.rule.parser.name] += 1

    engine = Engine(parsers, own, on_line=add, plans=False)
    reader, offset = FrameReader(), 0
    engine.begin(None)
    while len(found) < MAX_LINES and offset < MAX_BYTES and (data := file.read(READ_SIZE)):
        # One by one: of a batch of lines the engine leaves out those that nothing can read.
        for frame in reader.feed(data, offset):
            engine.feed([frame])
        offset += len(data)
    for frame in reader.finish():
        engine.feed([frame])
    engine.finish()
    return LogLines(found, by_own)
