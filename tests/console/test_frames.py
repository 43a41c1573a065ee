"""Bytes to frames: how a frame ends, what is text, and that chunks do not matter."""

import tracemalloc

import pytest
from helpers import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.console.frames import LINE_LIMIT, FrameReader, visible


def frames(*chunks):
    """The frames of a stream that arrives in these chunks, one behind the other."""
    reader, offset, found = FrameReader(), 0, []
    for chunk in chunks:
        found += reader.feed(chunk, offset)
        offset += len(chunk)
    return found + reader.finish()


def ends(data):
    return [(frame.data, frame.end) for frame in frames(data)]


@pytest.mark.parametrize(("data", "wanted"), [
    (b"a\nb\r\nc", [(b"a", "newline"), (b"b", "newline"), (b"c", "end")]),
    (b"1%\r2%\r3%\n", [(b"1%", "return"), (b"2%", "return"), (b"3%", "newline")]),
    (b"bar\x08\x08\x08\r two\n", [(b"bar", "return"), (b" two", "newline")]),
    (b"a\x1b[Kb\n", [(b"a", "cursor"), (b"b", "newline")]),
    (b"a\x1b[K\r\n", [(b"a", "newline")]),
    (b"in\x1b[A\r", [(b"in", "up")]),
    (b"in\x1b[2A\r", [(b"in", "up"), (b"", "up")]),
    (b"a\x1b[1Gb\n", [(b"a", "return"), (b"b", "newline")]),
    (b"a\x1b[20Gb\n", [(b"a", "cursor"), (b"b", "newline")]),
    (b"a\x1b[2Kb\n", [(b"a", "cursor"), (b"b", "newline")]),
    (b"a\x1b[3;4Hb\n", [(b"a", "cursor"), (b"b", "newline")]),
    (b"a\x1b[Bb\n", [(b"a", "cursor"), (b"b", "newline")]),
    (b"a\x1b[99999Ab", [(b"a", "up"), *[(b"", "up")] * 199, (b"b", "end")]),
    (b"a\x1bMb", [(b"a", "up"), (b"b", "end")]),
    (b"a\x1b[31m\x1b[K\nb", [(b"a", "newline"), (b"b", "end")]),
    (b"a\x1b[K\x1b[0K\r\r\nb", [(b"a", "newline"), (b"b", "end")]),
    (b"half\r", [(b"half", "end")]),
    (b"half\x1b[", [(b"half", "end")]),
    (b"a\r\r\nb\n", [(b"a", "newline"), (b"b", "newline")]),
    (b"\n\n", [(b"", "newline"), (b"", "newline")]),
    (b"", []),
])  # fmt: skip
def test_how_frames_end(data, wanted):
    assert ends(data) == wanted


@pytest.mark.parametrize(("data", "text"), [
    (b"\x1b[1;31mred\x1b[0m bold", "red bold"),
    (b"\x1b]0;title\x07text", "text"),
    (b"\x1b]8;;https://x.org\x1b\\link\x1b]8;;\x1b\\", "link"),
    (b"\x1b[?25lhidden\x1b(B", "hidden"),
    (b"a\x00b\x07c", "abc"),
    (b"tab\there", "tab\there"),
    ("━━ µ".encode(), "━━ µ"),
    (b"bad \xff byte", "bad � byte"),
    (b"\xe2\x94", "�"),
    (b"\x00\x00", ""),
    (b"\x1b]0;never ends", ""),
    (b"\x1b]8;;file:///a\x07one\x1b]8;;\x07 two", "one two"),
    (b"\x1b[38;2;1;2;3mrgb\x1b[m", "rgb"),
    (b"\x1bPq#0\x1b\\after", "after"),
])  # fmt: skip
def test_what_is_text(data, text):
    assert visible(data).decode("utf-8", "replace") == text


def test_only_a_newline_or_the_end_makes_a_frame_final():
    assert [frame.final for frame in frames(b"a\rb\x1b[Ac\nd")] == [False, False, True, True]


recordings = sorted(path.read_bytes() for path in FIXTURES.glob("*/pty.raw"))
pieces = st.one_of(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\x08\x08", b"\x1b[K", b"\x1b[A", b"\x1b[2K", b"\x1b[31m", b"\x1b", b"["]
    ),
    st.sampled_from([data[i : i + 900] for data in recordings for i in (0, 3000)]),
    st.binary(max_size=40),
)


@given(st.lists(pieces, max_size=12), st.lists(st.integers(0, 4000), max_size=30))
def test_chunks_do_not_matter(parts, cuts):
    data = b"".join(parts)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert frames(*(data[a:b] for a, b in zip(edges, edges[1:]))) == frames(data)


plain = st.sampled_from(
    [b"\n", b"\n", b"\r\n", b"loss 0.5", b"\t", b" ", b"\xff", "━ µ".encode(), b"\x1b[31mred\x1b[0m", b"\x1b[1;2m", b"up\x1b[A", b"50%\r"]
)  # fmt: skip


@given(st.lists(plain, max_size=40).map(b"".join))
def test_lines_that_are_read_at_once_are_the_frames_that_they_are_one_by_one(data):
    assert frames(data) == frames(*(data[i : i + 1] for i in range(len(data))))


def test_plain_lines_are_read_at_once_and_others_frame_by_frame():
    data = b"one\n\x1b[31mtwo\x1b[0m\r\n\nbar\rfour\nfive\nsix"
    first, second, third, fourth = FrameReader().read(data, 100)
    assert (first.data, first.texts, first.shown) == (
        [b"one", b"\x1b[31mtwo\x1b[0m\r", b""], ["one", "two\r", ""], 2)  # fmt: skip
    assert [(f.data, f.offset, f.span) for f in [first.frame(0, 100), first.frame(1, 104)]] == [
        (b"one", 100, 3),
        (b"two", 104, 12),
    ]
    assert [(f.data, f.offset) for f in [first.frame(2, 118)]] == [(b"", 118)]
    assert (second.data, third.data) == (b"bar", b"four")
    assert (fourth.data, fourth.offset) == ([b"five"], 128)


@given(st.lists(pieces, max_size=12))
def test_offset_and_span_lead_to_the_bytes(parts):
    data = b"".join(parts)
    for frame in frames(data):
        if frame.data:
            assert visible(data[frame.offset : frame.offset + frame.span]) == frame.data


separators = st.sampled_from(
    [b"\r", b"\n", b"\x1b", b"[", b"K", b"0", b"2", b"A", b"\x08", b"a", b"\xc3\xa9", b"G", b"m", b"]", b"\x07", b"\x00", b"M", b"\x1b[K", b"\r\n"]
)  # fmt: skip


@settings(max_examples=600)
@given(st.lists(separators, max_size=24).map(b"".join), st.lists(st.integers(0, 40), max_size=8))
def test_separators_may_be_cut_anywhere(data, cuts):
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert frames(*(data[a:b] for a, b in zip(edges, edges[1:]))) == frames(data)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(separators, min_size=1, max_size=6).map(b"".join)), max_size=12
    )
)
def test_two_streams_in_one_file_give_what_each_gives_alone_and_lead_to_their_bytes(chunks):
    readers, found = {True: FrameReader(), False: FrameReader()}, {True: [], False: []}
    places, offset = {True: [], False: []}, 0
    for stream, data in chunks:
        found[stream] += readers[stream].feed(data, offset)
        places[stream] += range(offset, offset + len(data))
        offset += len(data)
    for stream, reader in readers.items():
        together = found[stream] + reader.finish()
        alone = frames(*(data for s, data in chunks if s == stream))
        assert [(f.data, f.end) for f in together] == [(f.data, f.end) for f in alone]
        for one, other in zip(together, alone):
            if one.data:
                first, last = places[stream][other.offset], places[stream][other.offset + other.span - 1]
                assert (one.offset, one.offset + one.span - 1) == (first, last)


def test_a_chunk_without_bytes_changes_nothing():
    reader = FrameReader()
    reader.feed(b"half", 0)
    assert reader.feed(b"", 500) == []
    (frame,) = reader.finish()
    assert (frame.data, frame.offset, frame.span) == (b"half", 0, 4)


def test_a_frame_is_given_when_it_has_ended_never_before():
    reader = FrameReader()
    assert [f.data for f in reader.feed(b"loss 0.1\rloss 0.2", 0)] == [b"loss 0.1"]
    assert reader.feed(b"5", 17) == []
    assert [f.data for f in reader.feed(b"\n", 18)] == [b"loss 0.25"]


def test_a_frame_has_the_time_of_its_last_byte():
    reader = FrameReader()
    reader.feed(b"one", 0, 1.0)
    assert [f.time for f in reader.feed(b"\ntwo\n", 3, 2.0)] == [2.0, 2.0]


def test_two_streams_in_one_file_keep_their_places():
    """The chunks of one stream do not stand side by side."""
    reader = FrameReader("stdout")
    first = reader.feed(b"half a ", 0)
    second = reader.feed(b"line\nnext", 107)
    assert first == []
    assert [(f.data, f.offset, f.span) for f in second] == [(b"half a line", 0, 111)]
    assert [(f.data, f.offset) for f in reader.finish()] == [(b"next", 112)]


def test_an_endless_line_is_read_by_its_beginning_and_takes_no_memory():
    reader = FrameReader()
    tracemalloc.start()
    for offset in range(0, 20_000_000, 100_000):
        assert reader.feed(b"x" * 100_000, offset) == []
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    (frame,) = reader.feed(b"\n", 20_000_000)
    assert frame.data == b"x" * LINE_LIMIT
    assert frame.span == 20_000_000
