"""Plans read what the rules would read: the same records, for all recordings and whatever their digits are."""

import io
import random
import re

import pytest
from golden import RECORDINGS
from helpers import engine_of

from capture.console.frames import FrameReader
from capture.language import checked_yaml, library
from capture.parsing import glued
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline, parse
from capture.parsing.rule import Rule

MOST_BYTES = 12_000  # of a recording
_ESCAPES = re.compile(rb"(\x1b\[[0-9;?]*[A-Za-z])")


def changed(data, pattern, replacement):
    """The text with something replaced, but for its escape sequences."""
    parts = _ESCAPES.split(data)
    parts[::2] = [re.sub(pattern, replacement, part) for part in parts[::2]]
    return b"".join(parts)


def other_digits(data, dice):
    """The same text with other digits; many stay as they are."""
    return changed(data, rb"\d", lambda m: b"%d" % dice.randrange(10) if dice.random() < 0.6 else m[0])


def other_lengths(data, dice):
    """The same text, in which some numbers have a digit more or less."""
    return changed(data, rb"\d(?=[\d.])", lambda m: dice.choice([b"", m[0], m[0], m[0], m[0] + b"7"]))


def records(data, dice, streams, plans):
    """The records of some chunks on some streams, and how many lines were understood."""
    engine = engine_of(plans=plans)
    pipeline, found, at = Pipeline(engine), [], 0
    while at < len(data):
        stop = at + dice.choice([7, 60, 500, 4000])
        if len(streams) > 1:  # a line is printed on one stream
            newline = data.find(b"\n", stop)
            stop = newline + 1 if newline >= 0 else len(data)
        time = 1000.0 + at if dice.random() < 0.5 else None
        found += pipeline.feed(data[at:stop], at, dice.choice(streams), time)
        at = stop
    return [repr(record) for record in [*found, *pipeline.finish()]], engine.understood, engine.events


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_plans_read_what_the_rules_read(recording):
    dice = random.Random(str(recording.relative_to(recording.parents[1])))
    data = recording.read_bytes()[:MOST_BYTES]
    again = [data, other_digits(data, dice), other_lengths(data, dice), other_digits(data, dice)]
    streams = dice.choice([["tty"], ["stdout"], ["stdout", "stderr"]])
    text, seed = b"".join(again), dice.random()
    by_plans = records(text, random.Random(seed), streams, plans=True)
    by_rules = records(text, random.Random(seed), streams, plans=False)
    assert by_plans == by_rules


def plans(text):
    """The plans that are made for the lines of a text, and the records of the text."""
    engine = engine_of()
    found = list(parse(io.BytesIO(text.encode()), engine))
    return [rule.parser.name for rule, _ in engine.plans.sources], found


def test_the_second_line_of_a_shape_makes_a_plan():
    line = "{} | loss 5.1234 | lr 1.000000e-04 | 512.31ms | mfu 2.10%\n"
    assert plans(line.format(10))[0] == []
    made, records = plans("".join(map(line.format, range(10, 15))))
    assert made == ["llama2c"] and [record.step for record in records] == [10, 11, 12, 13, 14]


def test_frames_that_mean_nothing_are_only_counted(monkeypatch):
    peeled = []
    monkeypatch.setattr(glued, "peel", lambda prefixes, text, stream: peeled.append(text) or [])
    engine = engine_of()
    engine.feed(FrameReader().feed(b"\rhello world\rgood morning\repoch 1: loss=0.5\rbye\n", 0))
    assert peeled == ["epoch 1: loss=0.5"] and engine.lines == 1


@pytest.mark.parametrize(
    "line",
    [
        "INFO step took {} ms, queue 3, all well and nothing to see\n",  # a counter's word, without a counter
        "the loss of {} files is not that bad, says everybody who has seen them before\n",  # a metric's word
    ],
)
def test_lines_that_say_nothing_are_read_twice_and_then_known(monkeypatch, line):
    engine, reader = engine_of(), FrameReader()
    engine.begin(None)
    before = "".join(
        ["hello\n"] * 1001 + [line.format(n) for n in (10, 11)]
    )  # no settings are expected any more
    engine.feed(reader.feed(before.encode(), 0))
    asked = []
    monkeypatch.setattr(Rule, "read", lambda rule, *args: asked.append(rule.parser.name))
    engine.feed(reader.feed("".join(line.format(n) for n in range(12, 99)).encode(), len(before)))
    assert asked == [] and engine.lines == 1090


def test_what_reads_only_the_first_lines_is_not_asked_about_the_others(monkeypatch):
    engine, reader = engine_of(), FrameReader()
    engine.begin(None)
    engine.feed(reader.feed(b"Finished step 7 of the plan\n" * 1002, 0))  # known while settings are expected
    asked = []
    monkeypatch.setattr(Rule, "read", lambda rule, *args: asked.append(rule.parser.name))
    engine.feed(reader.feed(b"Finished step 7 of the plan\n", 28 * 1002))
    assert "config" not in asked


def test_names_with_digits_are_told_apart():
    lines = [f"epoch {n}: loss_1=0.{n} loss_{n % 2 + 1}=0.9\n" for n in range(1, 9)]
    _, records = plans("".join(lines))
    assert [set(record.metrics) for record in records] == [
        {"loss_1"} if n % 2 == 0 else {"loss_1", "loss_2"} for n in range(1, 9)
    ]


def test_the_lines_of_each_rank_and_worker_are_known(monkeypatch):
    line, printers = "{} step {} loss 0.{}\n", ["[rank0]:", "[rank1]:", "(train pid=4711)"]
    engine, reader = engine_of(), FrameReader()
    before = "".join(line.format(who, n, n) for n in range(10, 13) for who in printers)
    engine.feed(reader.feed(before.encode(), 0))
    monkeypatch.setattr(glued, "peel", None)  # no line is looked at any more
    after = "".join(line.format(who, n, n) for n in range(13, 15) for who in printers)
    records = engine.feed(reader.feed(after.encode(), len(before)))
    assert [(r.context, r.step, r.metrics) for r in records] == [
        (context, step, {"loss": step / 100})
        for step in (13, 14)
        for context in ({"rank": 0}, {"rank": 1}, {"worker": "pid=4711"})
    ]


def test_a_rule_that_is_switched_off_has_no_plan_any_more(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("name: own\npatterns:\n  - regex: 'own (?:x|x)*y|own %{NUMBER:loss}'\n")
    own = library.load(checked_yaml.read(file), samples=False)
    engine = Engine([parser for parser, _ in library.built_in()], [own])
    text = "iter 7: loss 1.0466, time 107.73ms, mfu 34.34%\n" * 3 + f"own {'x' * 40}\n"
    records = list(parse(io.BytesIO((text + text).encode()), engine))
    assert len(engine.events) == 1 and len(records) == 6
