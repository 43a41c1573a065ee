"""A program that keeps its output back is told so, and no other one."""

import math

from capture.runs.recording import Chunk
from capture.tracker.bursts import Bursts

BLOCK = (b"step 1 loss 0.5\n" * 257)[:4096][:-1] + b"s"


def notes(*chunks, stream="stdout", records=100):
    bursts = Bursts()
    for seconds, data in chunks:
        bursts.add(Chunk(seconds, stream, data, 0))
    return bursts.notes(records)


def test_blocks_after_a_long_silence_are_said_once_with_what_helps():
    assert notes((61.0, BLOCK), (123.0, BLOCK), (130.0, b"tep 9 loss 0.1\n")) == [
        "the program keeps its output back (nothing for 62 s, then a block); live with: --tty always, or "
        "stdbuf -oL COMMAND"
    ]


def test_all_at_once_in_the_end_is_said_where_it_holds_metrics():
    (note,) = notes((61.0, b"epoch 1 loss 0.5\nepoch 2 loss 0.4\nepoch 3 loss 0.3\n"), records=3)
    assert "nothing for 61 s, then all at once" in note
    assert notes((61.0, b"final loss 0.5\n"), records=1) == []


def test_lines_that_come_when_they_are_printed_are_no_blocks():
    assert notes((30.0, b"epoch 1 loss 0.5\n"), (60.0, b"epoch 2 loss 0.4\n")) == []


def test_a_program_that_prints_much_fills_blocks_too():
    assert notes(*((n / 10, BLOCK) for n in range(1000))) == []


def test_a_terminal_and_a_log_tell_nothing():
    assert notes((61.0, BLOCK), (123.0, BLOCK), stream="tty") == []
    assert notes((math.nan, BLOCK), (math.nan, BLOCK)) == []


def test_nothing_is_nothing():
    assert notes() == []
