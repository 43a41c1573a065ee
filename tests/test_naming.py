"""Records to rows: the columns that charts are drawn over, and prefixes that tell equal names apart."""

import pytest

from capture import formats, runs
from capture.naming import Namer
from capture.records import Record


@pytest.fixture
def namer(tmp_path):
    """The namer of a run with all built-in formats."""

    def make(**settings):
        folder = tmp_path / "base" / "p" / "id"
        runs.create(folder, runs.Run("id", "p", "n", ["x"], str(tmp_path), "h", 0.0, settings=settings))
        (folder / runs.PARSERS).mkdir()
        for index, (_, text) in enumerate(formats.built_in()):
            (folder / runs.PARSERS / f"{index:03}.yaml").write_text(text, encoding="utf-8")
        return Namer(folder)

    return make


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
