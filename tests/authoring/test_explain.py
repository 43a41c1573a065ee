"""`capture parsers explain`: why a line means what it means, or nothing."""

import io
import os
from pathlib import Path

import pytest
from helpers import MYSOLVER, RECORDING, capture

from capture.authoring.explain import explain, shown
from capture.language import library
from capture.language.checked_yaml import Source
from capture.language.library import load
from capture.language.patterns import Timeout, from_line, from_regex

BUILT_IN = [parser for parser, _ in library.built_in()]


def groups(text, own=()):
    return list(explain(io.BytesIO(text.encode()), BUILT_IN, own).groups.values())


def test_which_pattern_reads_a_line_and_what_it_captures_and_gives():
    first, second = groups("tokens per iteration will be: 32,768\niter 5: loss 0.5, time 5ms, mfu 2%\n")
    assert (first.rule.parser.name, first.captured) == ("llama2c", {"tokens_per_iter": 32768})
    assert [record.config for record in first.records] == [{"tokens_per_iter": 32768}]
    assert shown(second.rule.pattern) == "iter {step:int}: loss {loss}, time {time_ms}ms, mfu {mfu}%"
    assert second.captured == {"step": 5, "loss": 0.5, "time_ms": 5, "mfu": 2}
    assert [record.step for record in second.records] == [5]


def test_lines_alike_are_said_once_with_the_number_of_the_first():
    text = "hello\n" + "".join(f"iter {i}: loss 0.5, time 5ms, mfu 2%\nfoo {i} bar\n" for i in range(100))
    assert [(group.number, group.count, group.text[:5]) for group in groups(text)] == [
        (1, 1, "hello"),
        (2, 100, "iter "),
        (3, 100, "foo 0"),
    ]


@pytest.mark.parametrize(
    ("line", "stop"),
    [
        ("it 12: obj", ""),
        ("it 12: obey 0.5", "ey 0.5"),
        ("it 12 - obj 0.5", " - obj 0.5"),
        ("it 12: obj zero", "zero"),
    ],
)
def test_where_the_nearest_pattern_stops(line, stop):
    (group,) = groups(line, [load(Source(MYSOLVER, "mine.yaml"))])
    assert group.rule is None
    assert (group.near.rule.parser.name, group.near.stop) == ("mine", stop)


@pytest.mark.parametrize("line", ["hello", "pip 3.2 installed", "it is late", "####"])
def test_what_is_near_to_nothing(line):
    (group,) = groups(line, [load(Source(MYSOLVER, "mine.yaml"))])
    assert (group.rule, group.near) == (None, None)


@pytest.mark.parametrize(
    ("matcher", "text", "reach"),
    [
        (from_line("it {step:int}: obj {obj}"), "it 3: obj", 9),
        (from_line("it {step:int}: obj {obj}"), "it 3, obj 4", 5),
        (from_regex(r"^(?=.*x)a"), "ab", 0),
        (from_regex(r"^.*b"), "ccc", 0),
        (from_regex("b"), "b", 0),
    ],
)
def test_how_far_a_text_may_begin_a_match(matcher, text, reach):
    assert matcher.reach(text) == reach


def test_a_pattern_of_the_user_that_takes_too_long_is_near_to_nothing():
    slow = load(Source(MYSOLVER.replace("patterns:\n", "patterns:\n  - regex: '^(a|aa)+c'\n"), "mine.yaml"))
    with pytest.raises(Timeout):
        from_regex(r"^(a|aa)+c").reach("a" * 60 + "! 1", 0.05)
    (group,) = groups("a" * 60 + "! 1", [slow])
    assert group.near is None


def test_the_command_explains_a_line_a_log_and_a_run():
    Path("mine.yaml").write_text(MYSOLVER)
    said = capture("parsers", "explain", "it 3: obey 0.5", "--parser", "mine.yaml").stdout.splitlines()
    assert said == [
        "1: it 3: obey 0.5",
        "    no pattern reads it",
        "    nearest is mine: it {step:int}: obj {objective}",
        "    which stops at 'ey 0.5'",
    ]
    said = capture("parsers", "explain", RECORDING).stdout
    assert "    keras: Epoch {epoch:int}/{epochs:int}\n    captured epoch 1, epochs 5\n" in said
    Path("train.log").write_text("hello\nepoch 3: loss=0.5\nbye\n")
    said = capture("parsers", "explain", "train.log").stdout.splitlines()
    assert said == [
        "2: epoch 3: loss=0.5",
        "    general: reader general",
        "    gives epoch 3, loss 0.5",
        "2 lines without numbers are read by no pattern",
    ]


def test_a_file_that_is_not_there_is_said():
    done = capture("parsers", "explain", "nope")
    assert (done.returncode, done.stderr) == (2, "capture parsers: nope: No such file or directory\n")


def test_a_line_may_be_long_and_need_not_be_utf_8():
    done = capture("parsers", "explain", "epoch 1: loss=0.5 " + "x" * 300)
    assert (done.returncode, done.stderr) == (0, "")
    done = capture("parsers", "explain", os.fsdecode(b"epoch 1: loss=0.5 \xff"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_plan_of_a_line_is_printed():
    done = capture("parsers", "explain", "--plan", "iter 5: loss 0.5, time 5ms, mfu 2%")
    assert "# llama2c: iter {step:int}: loss {loss}" in done.stdout and "'loss': v1" in done.stdout
    assert capture("parsers", "explain", "--plan", "hello: world").stdout.startswith("no plan")
