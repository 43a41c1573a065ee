"""A line on one stream whose step is on a bar of another: their order is not known."""

import pytest

from capture.language import library
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline

BLANK = "\r" + " " * 40 + "\r"


def bar(count):
    return f"\r  8%|8         | {count}/120 [00:00<00:07, 15.69it/s]"


def line(epoch):
    return f"{{'loss': '0.6921', 'epoch': '{epoch}'}}\n"


def steps(*chunks):
    """The step and the epoch of each record of these chunks: a stream, a text, and when it was read."""
    pipeline, offset, records = Pipeline(Engine([library.by_name("hf_trainer")])), 0, []
    for stream, text, time in chunks:
        records += pipeline.feed(text.encode(), offset, stream, time)
        offset += len(text)
    return [(record.step, record.epoch) for record in records + pipeline.finish()]


FIRST = [("stderr", bar(0) + bar(3), 1)]


def test_a_line_belongs_to_the_bar_that_is_drawn_once_it_was_cleared():
    found = steps(
        *FIRST,
        ("stdout", line(0.25), 2),
        ("stderr", bar(9) + bar(10) + BLANK + bar(10) + bar(11), 2),
        ("stderr", bar(12), 3),
    )
    assert found == [(10, 0.25)]


def test_each_line_belongs_to_a_cleared_bar_of_its_own():
    found = steps(
        *FIRST,
        ("stdout", line(0.25) + line(0.5), 2),
        ("stderr", BLANK + bar(10) + bar(13) + BLANK + bar(20) + bar(21), 2),
    )
    assert found == [(10, 0.25), (20, 0.5)]


def test_the_bar_may_be_read_before_the_line_if_both_were_ready():
    found = steps(
        *FIRST,
        ("stderr", BLANK + bar(10) + bar(13), 2),
        ("stdout", line(0.25), 2.001),
        ("stderr", BLANK, 3),
        ("stdout", line(0.5), 3),
        ("stderr", bar(20) + bar(21), 4),
    )
    assert found == [(10, 0.25), (20, 0.5)]


def test_a_bar_that_another_line_has_cleared_is_not_taken_later():
    found = steps(
        *FIRST,
        ("stderr", BLANK + bar(5) + bar(8), 2),
        ("stdout", line(0.25), 3),
        ("stderr", BLANK + bar(10) + bar(12), 3),
    )
    assert found == [(10, 0.25)]


@pytest.mark.parametrize("stream", ["tty", "stdout", None])
def test_on_one_stream_the_next_bar_counts_cleared_or_not(stream):
    for cleared in ("", BLANK):
        assert steps((stream, bar(0) + cleared + line(0.25) + bar(10) + bar(12), 1)) == [(10, 0.25)]
