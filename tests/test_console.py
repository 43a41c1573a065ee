"""Finished lines: what a backend's log shows of a console with bars."""

from conftest import FIXTURES

from capture.console import ConsoleLines
from capture.frames import FrameReader


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
