"""Whatever is printed: nothing raises, and no line takes more than linear time.

A minute by default; `FUZZ_SECONDS=900 pytest -m slow tests/parsing/test_fuzz.py` looks longer.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.console.frames import Frame, FrameReader
from capture.console.prefixes import Prefixes
from capture.language import library
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline
from capture.parsing.rule import Rule
from capture.parsing.state import State

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

SECONDS = float(os.environ.get("FUZZ_SECONDS", 60)) / 3  # for each of the tests that look for time
LENGTH = 8000
FLOOR = 0.03  # seconds of CPU time: what takes less is not measured
PARSERS = [parser for parser, _ in library.built_in()]
RULES = [
    (parser.name, number, Rule(parser, pattern))
    for parser in PARSERS
    for number, pattern in enumerate(parser.patterns)
]
LINES = sorted(
    {
        line
        for parser in PARSERS
        for sample in parser.samples
        for line in sample.text.splitlines()
        if line.strip()
    }
)

# What lines are made of: words of every parser's samples, what launchers and terminals put around them.
WORDS = sorted({word for line in LINES for word in line.split()})
SIGNS = [
    *" \t=:,|/[](){}<>-_.%#*'\"\\0aA1é█━",
    "1.5e-3",
    "nan",
    "\x1b[A",
    "\x1b[2K",
    "\x1b[31m",
    "\x1b]0;x\x07",
    "\r",
    "\b",
]
PREFIXES = [
    "[rank0]: ",
    "0: ",
    "[1,0]<stdout>:",
    "2026-11-20 13:26:40,123 INFO ",
    "(pid=12) ",
    '{"log":"',
    "I1120 ",
]
piece = (
    st.sampled_from(LINES)
    | st.sampled_from(WORDS)
    | st.sampled_from(SIGNS)
    | st.sampled_from(PREFIXES)
    | st.text(max_size=6)
)
pieces = st.lists(piece, max_size=4).map("".join)
unit = st.lists(
    st.sampled_from(SIGNS) | st.sampled_from(WORDS) | st.text(max_size=3), min_size=1, max_size=3
).map("".join)
RELAXED = {
    "deadline": None,
    "database": None,
    "derandomize": False,
    "suppress_health_check": list(HealthCheck),
}


def engine():
    return Engine(PARSERS, [])


def cpu(work):
    """The least CPU time of three; of one where it is not worth measuring."""
    taken = []
    while len(taken) < 3:
        started = time.thread_time()
        work()
        taken.append(time.thread_time() - started)
        if taken[-1] < FLOOR:
            break
    return min(taken)


def superlinear(work, short, long):
    """(time of the short text, time of that twice as long) if the latter is more than three times as much."""
    one = cpu(lambda: work(short))
    if one <= FLOOR:
        return None
    two = cpu(lambda: work(long))
    return (one, two) if two > 3 * one else None


def for_some_time(check):
    """Let hypothesis draw stretched lines for `check(short, long)`, which gives what it has found, until time is up."""
    until = time.monotonic() + SECONDS
    found = []

    @settings(max_examples=10, **RELAXED)
    @given(pieces, unit, pieces)
    def look(before, part, after):
        if part and time.monotonic() < until and len(found) < 20:
            short, long = (
                before + part * (length // len(part) + 1) + after for length in (LENGTH, 2 * LENGTH)
            )
            found.extend((what, before, part, after) for what in check(short, long))

    while time.monotonic() < until and len(found) < 20:
        look()
    return found


def read_frames(text):
    reader = FrameReader("stdout")
    return reader.feed(text.encode("utf-8", "replace"), 0) + reader.finish()


def test_no_line_takes_the_frame_reader_and_the_prefixes_more_than_linear_time():
    def check(short, long):
        for name, work in (("frames", read_frames), ("prefixes", lambda text: Prefixes().peel(text))):
            if taken := superlinear(work, short, long):
                yield name, taken

    found = for_some_time(check)
    assert not found, "\n".join(map(repr, found))


def test_no_line_takes_a_pattern_of_a_built_in_parser_more_than_linear_time():
    def check(short, long):
        for parser, number, rule in RULES:

            def read(text, rule=rule):
                rule.read(
                    Frame(text.encode("utf-8", "replace"), "newline", 0, len(text), None, None), text, State()
                )

            if taken := superlinear(read, short, long):
                yield (parser, number), taken

    found = for_some_time(check)
    assert not found, "\n".join(map(repr, found))


def test_no_line_takes_the_whole_way_more_than_linear_time():
    made = engine()

    def read(text):
        pipeline = Pipeline(made)
        pipeline.feed(text.encode("utf-8", "replace") + b"\n", 0, "stdout", 0.0)
        pipeline.finish(0.0)

    def check(short, long):
        if taken := superlinear(read, short, long):
            yield "all", taken

    found = for_some_time(check)
    assert not found, "\n".join(map(repr, found))


@settings(max_examples=int(15 * SECONDS), **RELAXED)
@given(
    st.lists(
        st.binary(max_size=60) | pieces.map(lambda text: text.encode("utf-8", "replace") + b"\n"), max_size=12
    )
)
def test_no_bytes_make_anything_raise_and_records_point_into_them(chunks):
    pipeline = Pipeline(engine_for_bytes())
    records, offset = [], 0
    for chunk in chunks:
        records += pipeline.feed(chunk, offset, "stdout", 0.0)
        offset += len(chunk)
    records += pipeline.finish(0.0)
    for record in records:
        start, length = record.at
        assert 0 <= start <= start + length <= offset
        assert all(
            isinstance(name, str) and isinstance(value, (int, float))
            for name, value in record.metrics.items()
        )


MADE = []


def engine_for_bytes():
    """One engine for all examples: making it takes long, and what it remembers must not make it raise either."""
    if not MADE:
        MADE.append(engine())
    return MADE[0]
