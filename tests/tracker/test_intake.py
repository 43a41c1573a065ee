"""What of a record is kept: no secret, and no more names than a backend can show."""

import time

from capture.records import Record
from capture.redaction import Redactor
from capture.tracker.intake import MOST_NAMES, Intake

TOKEN = "hf_" + "aB3" * 11


def record(metrics, context=None, **more):
    return Record(0.0, "general", None, None, metrics, context or {}, **more)


def test_the_first_ten_thousand_names_are_kept_and_one_line_says_so():
    intake = Intake(Redactor({}))
    kept = [intake.take(record({f"m{n}": 1.0, "loss": 0.5})) for n in range(12_000)]
    names = {name for one in kept for name in one.metrics}
    assert len(names) == MOST_NAMES
    assert all(one.metrics["loss"] == 0.5 for one in kept)
    (note,) = intake.notes()
    assert note.startswith(
        "only the first 10,000 names of metrics are kept, 2,001 values of others are not, from 'm9999' on"
    )


def test_a_record_of_which_nothing_is_left_is_none():
    intake = Intake(Redactor({}))
    for n in range(MOST_NAMES):
        intake.take(record({f"m{n}": 1.0}))
    assert intake.take(record({"new": 1.0})) is None
    assert intake.take(record({"new": 1.0}, config={"lr": 0.1})).config == {"lr": 0.1}
    assert intake.take(record({"m7": 2.0})).metrics == {"m7": 2.0}


def test_names_that_only_their_context_tells_apart_count_each():
    intake = Intake(Redactor({}))
    for n in range(MOST_NAMES):
        intake.take(record({"loss": 1.0}, {"bar": f"bar {n}"}))
    assert intake.take(record({"loss": 1.0}, {"bar": "another"})) is None
    assert intake.take(record({"loss": 1.0}, {"bar": "bar 3", "stream": "stderr"})) is not None


def test_names_context_and_config_hold_no_secret():
    intake = Intake(Redactor({"A_TOKEN": "tomato-soup"}))
    one = intake.take(record({f"x/{TOKEN}": 1.0}, {"bar": "tomato-soup"}, config={"hub_token": "x9"}))
    assert one.metrics == {"x/***": 1.0}
    assert one.context == {"bar": "***"}
    assert one.config == {"hub_token": "***"}


def test_a_number_beside_the_name_of_a_secret_is_no_metric_and_results_are():
    intake = Intake(Redactor({}))
    assert intake.take(record({"password": 48151623.0})) is None
    results = {"secret": 0.25, "password_acc": 0.5, "tokens": 123456.0, "token": 9000.0, "ms/token": 12.0}
    assert intake.take(record(results)).metrics == results


def test_a_hundred_thousand_names_take_little_time():
    intake = Intake(Redactor({}))
    started = time.process_time()
    for n in range(100_000):
        intake.take(record({f"layer{n}/norm": 1.0}))
    assert time.process_time() - started < 5
