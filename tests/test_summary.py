"""The closing block: last and best values, and how they went."""

import math

import pytest

from capture.records import Row
from capture.summary import POINTS, Series, Summary, block, clock, short, sparkline


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
        "  loss           1  best 1           █▅▁",
        "  note",
    ]
    assert summary.values == 3
