"""The lines of a log that no pattern reads, as a program printed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from capture.console.frames import FrameReader
from capture.language.model import Parser, ReaderPattern
from capture.parsing.engine import Engine
from capture.parsing.pipeline import READ_SIZE
from capture.parsing.rule import ReadLine

MAX_LINES = 100_000
MAX_BYTES = 32 * 1024 * 1024  # of the log that are looked at


def read_lines(file: BinaryIO, parsers: Sequence[Parser], own: Sequence[Parser] = ()) -> list[str]:
    """The unread lines of a log's beginning, without their prefixes, with an empty one for each read one."""
    found: list[str] = []

    def add(line: ReadLine) -> None:
        in_vain = line.rule is None or (isinstance(line.rule.pattern, ReaderPattern) and not line.records)
        found.append(line.text.rstrip() if in_vain else "")

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
    return found
