"""Finished lines: what a backend's log shows of a console with bars."""

from helpers import FIXTURES

from capture.console.frames import FrameReader
from capture.console.screen import ConsoleLines


def lines(data):
    reader, console = FrameReader("stdout"), ConsoleLines("stdout")
    found = console.feed(reader.feed(data, 0)) + console.feed(reader.finish()) + console.finish()
    return [line.text for line in found]


def test_plain_lines_and_blank_ones():
    assert lines(b"one\n\n  two\r\nlast") == ["one", "", "  two", "last"]


def test_a_bar_is_one_line_its_last_state():
    assert lines(b"\r 10%\r 50%\r100%\ndone\n") == ["100%", "done"]


def test_keras_bars_that_go_back_letter_by_letter():
    text = (FIXTURES / "keras3_v1" / "stdout.raw").read_bytes()
    found = [line.split()[0] for line in lines(text) if "/step" in line]
    # A callback's message comes between a refresh and the bar's last state.
    assert found == ["100/100", "100/100", "99/100", "100/100", "99/100", "100/100", "10/10", "10/10"]


def test_nested_bars_do_not_fill_the_log():
    found = lines((FIXTURES / "tqdm_nested" / "pty.raw").read_bytes())
    assert len([line for line in found if "val_loss=" in line and line.startswith("[")]) == 4
    assert found[-1].startswith("epochs: 100%")
    assert not any("epoch 0:" in line for line in found)


def test_what_was_wiped_away_is_no_line():
    assert lines(b"\rworking\r       \r\nnext\n") == ["next"]


def test_pieces_between_erasures_stand_on_one_line():
    assert lines(b"\x1b[1ma.c:\x1b[m\x1b[K warning\x1b[K: x\n") == ["a.c: warning: x"]


def test_a_line_is_given_when_it_has_been_left_alone():
    reader, console = FrameReader("stdout"), ConsoleLines("stdout")
    assert console.feed(reader.feed(b"one\ntwo\nbar", 0, 100.0)) == []
    assert console.settled(101.0) == []
    assert [(line.text, line.time) for line in console.settled(103.0)] == [("one", 100.0), ("two", 100.0)]
    assert [line.text for line in console.feed(reader.finish()) + console.finish()] == ["bar"]


def test_many_lines_do_not_pile_up():
    reader, console = FrameReader("stdout"), ConsoleLines("stdout")
    data = b"".join(b"%d\n" % i for i in range(1000))
    assert len(console.feed(reader.feed(data, 0))) > 900


def test_nested_bars_that_leave_nothing_behind():
    """tqdm(leave=False) inside a bar that stays."""
    inner = b"\n\rinner:  50%\rinner: 100%\r            \r\x1b[A"
    assert lines(b"\router:   0%" + inner + b"\router:  50%" + inner + b"\router: 100%\nend\n") == [
        "outer: 100%",
        "end",
    ]


def test_nested_bars_that_stay_are_each_one_line_in_their_order():
    assert lines(b"\router: 0%\n\rinner: 1%\x1b[A\router: 1%\n\rinner: 2%\x1b[A\n\n") == [
        "outer: 1%",
        "inner: 2%",
    ]


def test_text_in_columns_stays_on_its_line():
    assert lines(b"step one\x1b[40G[ok]\n") == ["step one[ok]"]


def test_going_up_further_than_the_screen_is_harmless():
    assert lines(b"one\x1b[500Atwo\n") == ["two"]


def test_a_line_without_end_takes_little_memory():
    reader, console = FrameReader("stdout"), ConsoleLines("stdout")
    for offset in range(0, 3_000_000, 30_000):
        console.feed(reader.feed(b"x" * 29_997 + b"\x1b[C", offset))
    (line,) = console.finish()
    assert len(line.text) < 100_000


def test_chunks_do_not_matter():
    for path in FIXTURES.glob("*/pty.raw"):
        data = path.read_bytes()
        reader, console, found = FrameReader("tty"), ConsoleLines("tty"), []
        for offset in range(0, len(data), 61):
            found += console.feed(reader.feed(data[offset : offset + 61], offset))
        found += console.feed(reader.finish()) + console.finish()
        assert [line.text for line in found] == lines(data), path


def test_a_stream_has_its_own_name():
    console = ConsoleLines("stderr")
    assert [
        line.stream for line in console.feed(FrameReader("stderr").feed(b"x\n", 0)) + console.finish()
    ] == ["stderr"]
