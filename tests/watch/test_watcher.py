"""Rules become true by rows, console, load and time; each is fired once, also after a crash of the tracker."""

import math

import pytest

from capture.records import Row, SystemSample
from capture.watch.rule_language import parse
from capture.watch.watcher import Watched, Watcher

START = 1000.0


def watcher(*rules, pause=0.0, **more):
    return Watcher([Watched(parse(rule), pause) for rule in rules], START, **more)


def rows(name, *values):
    return [Row(i, START + i, 10 * i, i / 2, {name: value}, {}) for i, value in enumerate(values)]


def places(watched, items):
    """Where each alert was raised."""
    return [alert.ordinal for row in items for alert in watched.row(row)]


NAN = math.nan


@pytest.mark.parametrize(
    "rule, values, fired",
    [
        ("loss is nan", [1, NAN, NAN, 1, NAN], [1, 4]),
        ("loss is inf", [1, NAN, math.inf], [2]),
        ("loss > 3", [1, 3, 4, 5], [2]),
        ("loss > 3 for 20 steps", [4, 1, 4, 4, 4], [4]),
        ("loss > 3 for 2s", [4, 4, 4, 4], [2]),
        ("loss rises for 2", [1, 2, 1, 2, 3, 4], [4]),
        ("loss falls for 1 epoch", [5, 4, 3, 2], [2]),
        ("loss no better for 3", [3, 2, 2, 3, NAN, 1], [4]),
        ("accuracy no better for 1 epochs", [0.1, 0.2, 0.2, 0.1], [3]),
        ("lo*s > 3 and train/loss < 9", [10, 5], [1]),
        ("loss > 30 or loss is nan", [1, NAN], [1]),
    ],
)
def test_a_rule_on_a_metric_fires_where_it_becomes_true(rule, values, fired):
    name = "train/accuracy" if rule.startswith("acc") else "train/loss"
    assert places(watcher(rule), rows(name, *values)) == fired


def test_several_losses_in_a_row_are_followed_each_by_itself():
    """A nan in the one is not forgotten for the number in the other, nor do two losses make one that rises."""
    both = [
        Row(i, START + i, i, None, {"a/loss": NAN if i > 1 else 1.0, "b/loss": 9.0}, {}) for i in range(6)
    ]
    watched = watcher("loss is nan", "loss rises for 2")
    alerts = [alert for row in both for alert in watched.row(row)]
    assert [(alert.ordinal, alert.text) for alert in alerts] == [(2, "loss is nan: a/loss is nan")]


def test_an_alert_that_comes_again_is_thinned():
    assert places(watcher("loss is nan", pause=3.0), rows("loss", *[NAN, 1] * 4)) == [0, 4]


@pytest.mark.parametrize("cut", range(1, 40))
def test_text_is_found_wherever_chunks_of_the_console_are_cut(cut):
    text = b"epoch 1\r\x1b[2KRuntimeError: CUDA Out Of Memory.\n"
    watched = watcher('says "cuda out of memory"')
    alerts = watched.output(text[:cut], 0, "stderr", START + 1)
    alerts += watched.output(text[cut:], cut, "stderr", START + 2)
    assert len(alerts) == 1
    assert alerts[0].offset == text.index(b"CUDA")
    assert "RuntimeError: CUDA Out Of Memory" in alerts[0].text
    assert "epoch 1" not in alerts[0].text


def test_halves_of_different_streams_are_no_text():
    watched = watcher('says "out of memory"')
    assert not watched.output(b"out of ", 0, "stderr", START) + watched.output(b"memory", 7, "stdout", START)


def test_silence_counts_from_the_last_output_and_is_fired_once():
    watched = watcher("silent for 15m")
    watched.output(b"x", 0, "stdout", START + 100)
    assert [bool(watched.tick(START + t)) for t in (900, 999, 1000, 1001, 9000)] == [0, 0, 1, 0, 0]
    watched.output(b"x", 1, "stdout", START + 9100)
    assert [bool(watched.tick(START + t)) for t in (9999, 10000)] == [0, 1]


def test_load_has_to_stay_so():
    watched = watcher("gpu idle for 10s", "memory > 95%")
    idle = {"gpu/0/percent": 1.0, "gpu/1/percent": 2.0, "machine/memory_percent": 50.0}
    found = []
    for time, values in [(0, idle), (8, idle | {"gpu/1/percent": 90.0}), (9, idle), (18, idle), (19, idle)]:
        found += watched.sample(SystemSample(START + time, values))
    assert [(a.rule, a.time) for a in found] == [("gpu idle for 10s", START + 19)]
    assert watched.sample(SystemSample(START + 20, {"machine/memory_percent": 96.0}))[0].text == (
        "memory > 95%: 96 %"
    )


def test_after_a_crash_nothing_is_fired_twice_and_nothing_is_lost():
    rules = ["loss is nan", "loss is nan", 'says "boom"', "silent for 15m", "gpu idle for 10s"]
    samples = [SystemSample(START + t, {"gpu/0/percent": 0.0}) for t in (1, 12)]

    def play(watched, live):
        alerts = []
        for row in rows("loss", 1, NAN, 1, NAN):
            alerts += watched.row(row)
            alerts += watched.output(b"x boom\n", row.ordinal * 7, "stdout", row.time)
        for sample in samples if live else ():
            alerts += watched.sample(sample)
        return alerts + watched.tick(START + 2000)

    whole = play(watcher(*rules), live=True)
    assert len(whole) == 2 + 2 + 4 + 1 + 1
    for crash in range(len(whole) + 1):
        before = [alert._asdict() for alert in whole[:crash]]
        again = play(watcher(*rules, before=before, samples=samples), live=False)
        assert {(a.place, a.ordinal, a.offset) for a in [*whole[:crash], *again]} == {
            (a.place, a.ordinal, a.offset) for a in whole
        }
        assert len(again) == len(whole) - crash
