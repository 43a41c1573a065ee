"""Records to rows: the columns that charts are drawn over, and prefixes that tell equal names apart."""

import pytest
from helpers import FIXTURES

from capture.delivery import axes
from capture.delivery.naming import Namer
from capture.language import library
from capture.records import Record, from_json


@pytest.fixture
def namer():
    """The namer of a run with all built-in parsers."""
    table = axes.of_all(parser for parser, _ in library.built_in())
    return lambda rename=None: Namer(table, rename or {})


def record(parser, metrics, step=None, epoch=None, **context):
    return Record(1.0, parser, step, epoch, metrics, {"stream": "stdout", **context})


@pytest.mark.parametrize(("parser", "metrics", "column", "value"), [
    ("keras", {"batch/loss": 0.5}, "batch/batch_step", 206),
    ("keras", {"epoch/val_loss": 0.5}, "epoch/epoch", 2),
    ("llama2c", {"loss": 0.5, "iter": 207}, "iter", 207),
    ("tqdm", {"loss": 0.5}, "step", 207),
    ("unknown", {"loss": 0.5}, "step", 207),
])  # fmt: skip
def test_the_x_axis_is_the_frameworks_own(namer, parser, metrics, column, value):
    row = namer().row(0, record(parser, metrics, step=207, epoch=3))
    name = next(iter(metrics))
    assert row.axes[name] == column
    assert row.metrics == {**metrics, column: value}


def test_without_a_step_the_epoch_is_the_axis(namer):
    row = namer().row(0, record("general", {"val_loss": 0.5}, epoch=3))
    assert (row.axes, row.metrics) == ({"val_loss": "epoch"}, {"val_loss": 0.5, "epoch": 3})


def axes_of(*said):
    """What one metric is drawn over, line by line: (step, epoch) each."""
    names = Namer({}, {})
    rows = [names.row(n, record("x", {"m": 0.5}, step, epoch)) for n, (step, epoch) in enumerate(said)]
    return [row.metrics[row.axes["m"]] if row.axes else None for row in rows]


def test_a_metric_that_is_drawn_over_steps_stays_there_where_a_line_has_an_epoch_alone():
    assert axes_of((100, None), (200, None), (None, 1), (300, None)) == [100, 200, 200, 300]


def test_a_metric_of_lines_with_an_epoch_moves_to_steps_when_they_come():
    assert axes_of((None, 1), (100, 1), (200, 1)) == [1, 100, 200]


def test_lines_that_repeat_an_epoch_do_not_become_a_vertical_line():
    assert axes_of(*[(None, 1)] * 6) == [1, 1, 1, None, None, None]


def test_lines_after_the_last_step_do_not_become_a_vertical_line():
    assert axes_of((100, None), *[(None, None)] * 4) == [100, 100, 100, None, None]


def test_a_step_that_repeats_is_the_programs_own():
    assert axes_of(*[(5, None)] * 5) == [5] * 5


def test_a_renamed_metric_keeps_its_axis(namer):
    row = namer(rename={"epoch/val_loss": "val_loss"}).row(
        0, record("keras", {"val_loss": 0.5}, step=100, epoch=1)
    )
    assert row.axes == {"val_loss": "epoch/epoch"}


def test_ranks_fits_and_bars_are_told_apart(namer):
    names = namer()

    def shown(**context):
        return next(iter(names.row(0, record("tqdm", {"loss": 0.5}, step=1, **context)).metrics))

    assert shown(bar="train") == "loss"
    assert shown(bar="valid") == "valid/loss"
    assert shown(bar="train", rank=0) == "loss"
    assert shown(bar="train", rank=1) == "rank1/loss"
    assert shown(bar="train", fit=2) == "fit2/loss"
    assert shown(bar="valid", rank=1, fit=2) == "rank1/fit2/valid/loss"


def test_the_row_knows_its_place(namer):
    row = namer().row(41, record("keras", {"batch/loss": 0.5}, step=2, epoch=1))
    assert (row.ordinal, row.step, row.epoch, row.time) == (41, 2, 1, 1.0)


@pytest.mark.parametrize(("metric", "columns"), [("batch/loss", [0, 1, 99]), ("epoch/loss", [0, 0, 0])])
def test_keras_counts_batches_and_epochs_from_0_as_its_own_callback_does(namer, metric, columns):
    rows = [
        namer().row(i, record("keras", {metric: 0.5}, step=step, epoch=1))
        for i, step in enumerate((1, 2, 100))
    ]
    assert [row.metrics[row.axes[metric]] for row in rows] == columns


def test_an_evaluation_is_drawn_over_the_step(namer):
    row = namer().row(0, record("keras", {"evaluate/loss": 0.5}, step=200, epoch=2))
    assert (row.axes, row.metrics) == ({"evaluate/loss": "step"}, {"evaluate/loss": 0.5, "step": 200})


def test_all_metrics_of_a_record_share_one_column(namer):
    row = namer().row(0, record("llama2c", {"loss/train": 4.4, "loss/val": 4.3, "iter": 250}, step=250))
    assert row.axes == {"loss/train": "iter", "loss/val": "iter"}
    assert row.metrics == {"loss/train": 4.4, "loss/val": 4.3, "iter": 250}


def test_without_step_and_epoch_there_is_no_column(namer):
    row = namer().row(0, record("general", {"Test loss": 0.5}))
    assert (row.axes, row.metrics) == ({}, {"Test loss": 0.5})


def test_config_goes_through_without_a_metric(namer):
    row = namer().row(3, Record(None, "llama2c", None, None, {}, config={"dtype": "bfloat16"}))
    assert (row.ordinal, row.metrics, row.config) == (3, {}, {"dtype": "bfloat16"})


def test_streams_alone_are_not_told_apart(namer):
    names = namer()
    for stream in ("stdout", "stderr"):
        row = names.row(0, Record(1.0, "tqdm", 1, None, {"loss": 0.5}, {"stream": stream}))
        assert set(row.metrics) == {"loss", "step"}


@pytest.mark.parametrize("first", ["train", None])
def test_the_bar_in_which_a_name_was_seen_first_has_no_prefix(namer, first):
    names = namer()
    contexts = [{"bar": first} if first else {}, {"bar": "my valid"}, {"bar": first} if first else {}]
    shown = [next(iter(names.row(0, record("tqdm", {"acc": 1}, step=1, **c)).metrics)) for c in contexts]
    assert shown == ["acc", "my_valid/acc", "acc"]


def test_the_same_records_get_the_same_names_again(namer):
    records = [from_json(line) for line in (FIXTURES / "tqdm_nested" / "pty.jsonl").read_bytes().splitlines()]
    one, other = namer(), namer()
    assert [one.row(i, r) for i, r in enumerate(records)] == [other.row(i, r) for i, r in enumerate(records)]
