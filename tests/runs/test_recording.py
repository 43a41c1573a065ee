"""A recording is read as it was written: each chunk with its bytes, its stream and its place."""

import pytest

from capture.runs import CONSOLE_INDEX, CONSOLE_LOG
from capture.runs.recording import Recorder, RecordingReader

CHUNKS = [("stdout", b"one\n"), ("stderr", b"two\nthree"), ("stdout", b"4"), ("stderr", b"\n")]


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path)


def read(reader, limit=1 << 20):
    return [(chunk.stream, chunk.data, chunk.offset) for chunk in reader.read(limit)]


def test_several_chunks_that_are_read_at_once_are_told_apart(tmp_path, recorder):
    for stream, data in CHUNKS:
        recorder.write(stream, data)
    reader = RecordingReader(tmp_path)
    assert read(reader) == [
        ("stdout", b"one\n", 0), ("stderr", b"two\nthree", 4), ("stdout", b"4", 13), ("stderr", b"\n", 14),
    ]  # fmt: skip
    assert read(reader) == []
    assert not reader.finished
    recorder.write("stdout", b"more")
    recorder.close()
    assert read(reader) == [("stdout", b"more", 15)]
    assert reader.finished


def test_a_read_ends_with_the_chunk_that_reaches_its_limit(tmp_path, recorder):
    for stream, data in CHUNKS:
        recorder.write(stream, data)
    recorder.close()
    reader = RecordingReader(tmp_path)
    assert read(reader, limit=5) == [("stdout", b"one\n", 0), ("stderr", b"two\nthree", 4)]
    assert not reader.finished
    assert read(reader, limit=5) == [("stdout", b"4", 13), ("stderr", b"\n", 14)]
    assert reader.finished


def test_where_a_command_was_started_again_is_between_its_chunks(tmp_path, recorder):
    recorder.write("stdout", b"first")
    recorder.close()
    again = Recorder(tmp_path, since=10.0)
    again.write("stdout", b"second")
    again.close()
    reader = RecordingReader(tmp_path)
    assert read(reader) == [("stdout", b"first", 0), ("resume", b"", 5), ("stdout", b"second", 5)]
    assert reader.finished


def test_a_log_that_is_shorter_than_its_index_gives_what_is_there(tmp_path):
    (tmp_path / CONSOLE_LOG).write_bytes(b"one\ntw")
    (tmp_path / CONSOLE_INDEX).write_text("0.1 stdout 4\n0.2 stdout 4\n0.3 stdout 3\n")
    assert read(RecordingReader(tmp_path)) == [("stdout", b"one\n", 0), ("stdout", b"tw", 4)]
