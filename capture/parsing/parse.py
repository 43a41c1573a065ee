"""`capture.parse`: the records of a log, without a run."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

from capture import runs
from capture.language import library, run_parsers
from capture.parsing import pipeline
from capture.parsing.engine import Engine
from capture.records import Record
from capture.runs.logs import open_log

Source = runs.PathLike | bytes | BinaryIO | Iterable[str] | Iterable[bytes]


def parse(source: Source, parsers: Sequence[runs.PathLike] = ()) -> Iterator[Record]:
    """The records of a log, as they are completed: no run is made, nothing else is read.

    Args:
        source: the path of a log (also .gz, .bz2, .xz, .zst) or of a run's folder; or its bytes; or a binary
            file, such as fsspec opens; or its lines, text or bytes, which may come from a generator that
            never ends.
        parsers: files of your own parsers, tried before the built-in ones.

    Raises UserError where a path or a parser can't be read.
    """
    own = [library.from_file(Path(path)) for path in parsers]
    engine = Engine(run_parsers.of_packages(), own) if own else _engine().anew()
    if isinstance(source, bytes):
        return pipeline.parse(io.BytesIO(source), engine)
    if not isinstance(source, (str, os.PathLike)):
        if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
            return pipeline.parse(cast(BinaryIO, source), engine)
        return _of_lines(source, engine)
    if (Path(source) / runs.CONSOLE_INDEX).exists():
        return pipeline.parse_recording(Path(source), engine)
    return _of_file(open_log(Path(source) / runs.CONSOLE_LOG if Path(source).is_dir() else source), engine)


@cache
def _engine() -> Engine:
    """The engine that others are made of: whoever maps `parse` over many logs makes it once."""
    return Engine(run_parsers.of_packages())


def _of_file(file: BinaryIO, engine: Engine) -> Iterator[Record]:
    with file:
        yield from pipeline.parse(file, engine)


def _of_lines(lines: Iterable[str] | Iterable[bytes], engine: Engine) -> Iterator[Record]:
    """The records of lines, each with or without what ends it."""
    feeder, offset = pipeline.Pipeline(engine), 0
    for line in lines:
        data = line.encode(errors="replace") if isinstance(line, str) else line
        data = data if data.endswith((b"\n", b"\r")) else data + b"\n"
        yield from feeder.feed(data, offset)
        offset += len(data)
    yield from feeder.finish()
