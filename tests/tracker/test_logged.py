"""What a program logs itself: read once, in order, with all that is there at the end."""

import json
import math

import pytest

from capture.records import from_json, to_line
from capture.tracker.logged import LoggedReader


@pytest.fixture
def write(tmp_path):
    (tmp_path / "logged").mkdir()

    def add(rank, *items, end="\n"):
        with (tmp_path / "logged" / f"{rank}.jsonl").open("a") as file:
            file.write(
                "\n".join(json.dumps(item) if isinstance(item, dict) else item for item in items) + end
            )

    return add


def logged(time, value):
    return {"time": time, "step": int(value), "metrics": {"own": value}}


def found(reader, until=math.inf):
    reader.look()
    return reader.read(until)


def values(records):
    return [record.metrics["own"] for record in records]


def test_what_comes_later_than_asked_for_waits_and_at_the_end_all_is_there(tmp_path, write):
    reader = LoggedReader(tmp_path, {})
    write(0, logged(1, 1), logged(5, 2))
    assert values(found(reader, until=3)) == [1]
    write(0, logged(6, 3))
    assert values(found(reader, until=4)) == []
    assert values(found(reader)) == [2, 3]
    assert found(reader) == []


def test_ranks_are_merged_by_their_times_and_told_apart(tmp_path, write):
    write(0, logged(1, 1), logged(3, 3))
    write(2, logged(2, 2))
    records = found(LoggedReader(tmp_path, {}))
    assert [(record.metrics["own"], dict(record.context)) for record in records] == [
        (1, {}),
        (2, {"rank": 2}),
        (3, {}),
    ]


def test_a_later_reader_goes_on_behind_what_was_written(tmp_path, write):
    write(0, logged(1, 1), logged(2, 2))
    first, second = found(LoggedReader(tmp_path, {}))
    write(0, logged(3, 3))
    name, offset, length = from_json(to_line(first)).logged
    assert values(found(LoggedReader(tmp_path, {name: offset + length}))) == [2, 3]
    assert second.logged[1] == length


def test_a_line_is_read_when_it_is_whole_and_a_torn_one_costs_nothing_else(tmp_path, write):
    reader = LoggedReader(tmp_path, {})
    write(0, '{"time": 1, "st', end="")
    assert found(reader) == []
    write(0, "\n", logged(2, 2), {"metrics": {"own": 3}}, {"time": 4, "step": 4, "metrics": {"own": "NaN"}})
    first, second = found(reader)
    assert first.metrics == {"own": 2}
    assert math.isnan(second.metrics["own"])


def test_texts_of_the_summary_are_config(tmp_path, write):
    write(0, {"time": 1, "summary": {"best": 0.5, "note": "good"}})
    [record] = found(LoggedReader(tmp_path, {}))
    assert (dict(record.metrics), dict(record.config)) == ({"summary/best": 0.5}, {"summary/note": "good"})
