"""The closing block: last and best values, and how they went."""

import math
import sys

import pytest
from helpers import capture, only_run

from capture.metrics import POINTS, Series
from capture.records import Row
from capture.tracker.closing import Summary, block, clock, short, sparkline


def series(*values):
    made = Series()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(("name", "best"), [
    ("val_loss", 1), ("epoch/accuracy", 3), ("val_err", 1), ("mAP50", 3), ("ppl", 1), ("lr", None), ("kl", None),
])  # fmt: skip
def test_best_goes_by_the_name(name, best):
    assert series(2, 1, 3, 2).best(name) == best


def test_nan_is_the_last_value_and_spoils_nothing():
    made = series(2, 1, math.nan)
    assert math.isnan(made.last)
    assert made.best("loss") == 1
    assert series(math.nan).best("loss") is None


def test_a_long_run_takes_little_memory_and_keeps_its_shape():
    made = series(*range(100_000))
    assert len(made.points) <= POINTS
    assert sparkline(made.points)[0] == "▁" and sparkline(made.points)[-1] == "█"


@pytest.mark.parametrize(
    ("values", "shown"), [([], ""), ([1], ""), ([1, 1], "▁▁"), ([0, 1], "▁█"), ([3, 2, 1], "█▅▁")]
)
def test_sparklines(values, shown):
    assert sparkline(values) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(3, "3"), (0.123456, "0.12346"), (1e-7, "1e-07"), (math.inf, "inf")]
)
def test_numbers_for_people(value, shown):
    assert short(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_for_people(seconds, shown):
    assert clock(seconds) == shown


def test_the_block_shows_metrics_not_their_axes():
    summary = Summary()
    for step in range(3):
        summary.add(Row(step, 0.0, step, None, {"loss": 3 - step, "step": step}, {"loss": "step"}))
    text = block("p/run: exit status 0", summary, ["note"])
    assert text.splitlines() == [
        "capture: p/run: exit status 0",
        "  loss           1  best 1 (step 2)           █▅▁",
        "  note",
    ]
    assert summary.values == 3


@pytest.mark.parametrize(
    "values", [[1e308, -1e308], [1.7e308] * 50, [5e-324, 0.0], [-1.7e308, 0, 1.7e308] * 30]
)
def test_diverging_values_do_not_cost_the_closing_block(values):
    made = sparkline(series(*values).points)
    assert 1 < len(made) <= 24 and set(made) <= set("▁▂▃▄▅▆▇█")


@pytest.mark.parametrize("value", [0.1, 1 / 3, -7e-5, 1e300])
@pytest.mark.parametrize("count", [2, 30, 64, 1000])
def test_what_stays_the_same_is_drawn_flat(value, count):
    assert set(sparkline(series(*[value] * count).points)) == {"▁"}


def test_infinities_are_counted_and_not_drawn():
    made = series(1, math.inf, 3)
    assert (made.count, made.points, made.best("loss")) == (3, [1, 3], 1)


def test_what_only_counts_is_no_metric_of_the_block():
    summary = Summary()
    summary.add(Row(0, 0.0, 3, None, {"train/epoch": 0.5, "train/global_step": 3, "steps_per_s": 2.0}, {}))
    assert [line.split()[0] for line in summary.table()] == ["steps_per_s"]


def test_many_metrics_are_cut_and_counted():
    summary = Summary()
    summary.add(Row(0, 0.0, None, None, {f"m{i}": i for i in range(20)}, {}))
    assert len(summary.table()) == 15
    assert summary.table()[-1] == "  and 6 more"


def test_a_metric_that_was_seen_once_has_no_best_value():
    summary = Summary()
    summary.add(Row(0, 0.0, None, None, {"loss": 0.25}, {}))
    assert summary.table() == ["  loss        0.25"]


def test_of_many_ranks_the_first_is_shown_and_what_only_another_prints():
    summary = Summary()
    for name in ("loss", "rank1/loss", "rank2/loss", "rank3/ppl"):
        summary.add(Row(0, None, 1, None, {name: 0.5, "step": 1}, {name: "step"}))
    assert [line.split()[0] for line in summary.table()] == ["loss", "rank3/ppl"]


def test_training_and_validation_are_one_line_with_the_epoch_of_the_best():
    summary = Summary()
    for epoch, (train, val) in enumerate([(3, 3.5), (2, 2.5), (1, 2.75)], 1):
        summary.add(Row(epoch, 0.0, None, epoch, {"loss": train, "val_loss": val}, {}))
        summary.add(Row(epoch, 0.0, None, epoch, {"lr": 0.1}, {}))
    assert summary.table() == [
        "  loss  train        1 █▅▁         val     2.75 █▁▃         val best 2.5 (epoch 2)",
        "  lr           0.1                            ▁▁▁",
    ]
    assert list(summary.last()) == ["loss", "val_loss", "lr"]


@pytest.mark.parametrize(
    ("printed", "note"),
    [
        ("step 1: loss=1.0\nhello\nstep 2: loss=nan\nstep 3: loss=inf\n", "loss is nan at step 2, console line 3; 1 more value is not finite"),
        ("start\nepoch 1 val_loss: inf\n", "val_loss is inf in epoch 1, console line 2"),
        ("loss: nan\n", "loss is nan, console line 1"),
    ],
)  # fmt: skip
def test_the_block_says_where_a_loss_was_nan_or_infinite(printed, note):
    capture("--wait", "80", "--to", "jsonl", "--", sys.executable, "-c", f"print({printed!r}, end='')")
    lines = (only_run() / "summary.txt").read_text().splitlines()
    assert lines.count(f"  {note}") == 1


def test_the_block_is_silent_on_other_metrics_that_are_nan():
    capture(
        "--wait",
        "80",
        "--to",
        "jsonl",
        "--",
        sys.executable,
        "-c",
        "print('step 1: loss=0.5 grad_ratio=nan')",
    )
    assert " is nan" not in (only_run() / "summary.txt").read_text()


def test_a_loss_that_is_no_number_is_remembered_with_its_first_place():
    summary = Summary()
    for step, loss in enumerate([1.0, math.nan, math.inf]):
        summary.add(Row(step, 0.0, step, None, {"loss": loss, "ratio": math.nan}, {}), offset=10 * step)
    assert (summary.broken.name, summary.broken.place.step, summary.broken.place.offset) == ("loss", 1, 10)
    assert summary.broken_count == 2
