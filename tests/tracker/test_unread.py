"""What is said where no metrics were found."""

import pytest
from helpers import engine_of, parse

from capture import runs
from capture.parsing.pipeline import Pipeline
from capture.tracker.unread import LONGEST, Unread


@pytest.fixture
def said(tmp_path):
    def of(text):
        unread = Unread()
        engine = engine_of(on_line=unread.note)
        pipeline = Pipeline(engine)
        pipeline.feed(text.encode(), 0)
        pipeline.finish()
        (tmp_path / runs.CONSOLE_LOG).write_text(text)
        return unread.notes(tmp_path, "capture-runs/p/1", engine.lines)[1:]

    return of


def test_the_commonest_line_is_shown_with_what_makes_a_parser(said):
    text = "loaded 3 files of data\n" + "".join(f"objective now {i}.5 after it\n" for i in range(5)) + "bye\n"
    assert said(text) == [
        "no parser reads lines such as: objective now 0.5 after it",
        "to have it read them: capture learn last",
    ]


def test_one_line_alone_can_only_be_explained(said):
    assert said("result of the run is 12 now\n") == [
        "no parser reads: result of the run is 12 now",
        "to see why: capture parsers explain last",
    ]


def test_names_of_one_letter_are_names(said):
    assert said("".join(f"<<{i}>> Q={i}.5;W={2 * i}\n" for i in range(5)))[0].endswith("<<0>> Q=0.5;W=0")


def test_the_places_of_a_traceback_are_no_results(said):
    text = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nRuntimeError: no\n'
    assert said(text) == []


def test_a_last_line_without_an_end_counts_too(said):
    assert said("result of the run is 12 now")[0] == "no parser reads: result of the run is 12 now"


def test_words_without_numbers_need_no_advice(said):
    assert said("hello\nworld\n") == []


def test_a_line_that_was_read_is_not_shown(said):
    text = "Namespace(lr=0.1, depth=3, width=64)\n"
    assert parse(text)[0]
    assert said(text) == []


def test_a_long_line_is_cut(said):
    text = "".join(f"objective now {i}.5 {'and on ' * 50}\n" for i in range(5))
    shown = said(text)[0].partition(": ")[2]
    assert len(shown) == LONGEST and shown.endswith("...")
