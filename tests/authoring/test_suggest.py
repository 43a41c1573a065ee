"""`capture parsers suggest`: a parser for lines that no pattern reads."""

from pathlib import Path

import pytest
import yaml
from helpers import capture
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.authoring import samples
from capture.authoring.suggest import suggest
from capture.language.checked_yaml import Source
from capture.language.library import load


def patterns(*lines):
    found = suggest(lines, "mine")
    return None if found is None else [pattern["line"] for pattern in yaml.safe_load(found)["patterns"]]


@pytest.mark.parametrize(
    ("lines", "pattern"),
    [
        ([f"it {i}: objective 0.{i}5, gap 1.{i}% (3s)" for i in range(3)],
         "it {step:int}: objective {objective}, gap {gap}% (3s)"),
        ([f"pass {i}/10 fitness={i}.5 {{pop 100}} 0:00:0{i}" for i in range(3)],
         "pass {step:of} fitness={fitness} {{pop 100}} {_:duration}"),
        ([f"Epoch {i} cost is {value} after {i}ms" for i, value in enumerate(["1e-3", "nan", "-inf"])],
         "Epoch {epoch} cost is {cost} after {_}ms"),
        ([f"{i} | {i}.5 MB/s | temp: {i}.1 temp: {i}.2 mAP50 {i}.3" for i in range(4)],
         "{step:int} | {MB/s} MB/s | temp: {temp} temp: {temp 2} mAP50 {mAP50}"),
    ],
)  # fmt: skip
def test_names_come_from_the_words_beside_the_numbers(lines, pattern):
    assert patterns(*lines) == [pattern]


def test_what_recurs_most_comes_first_and_is_its_own_sample():
    lines = ["obj 0.1", "gap 1", "obj 0.2", "gap 2", "obj 0.3", "gap 3", "obj 0.4", "once 7 only"]
    parser = yaml.safe_load(suggest(lines, "mine"))
    assert parser == {
        "name": "mine",
        "patterns": [{"line": "obj {obj}"}, {"line": "gap {gap}"}],
        "samples": [
            {"text": "obj 0.1", "gives": {"metrics": {"obj": 0.1}}},
            {"text": "gap 1", "gives": {"metrics": {"gap": 1}}},
        ],
    }


@pytest.mark.parametrize(
    "lines",
    [[], ["hello"] * 5, ["loss 0.5"] * 5, ["a 1", "b 2", "c 3"], ["version 1.2.3", "version 1.2.4", "version 1.2.5"],
     ["1 2 3", "2 3 4", "5 6 7"], ["step 5 ok", "step 3 ok", "step 9 ok"], ["batch 5 of x", "batch 3 of x", "batch 4 of x"]],
)  # fmt: skip
def test_without_numbers_that_change_beside_words_there_is_nothing(lines):
    assert patterns(*lines) is None


WORDS = st.text(alphabet="abc {}:=|%/()[]'\"\\-.,#&", max_size=8)


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(0, 10**6))
def test_whatever_is_suggested_is_a_format_whose_samples_hold(words, start):
    lines = ["".join(f"{word}{start + i + n}.5 " for n, word in enumerate(words)) for i in range(4)]
    found = suggest(lines, "mine")
    if found is not None:
        assert samples.check(load(Source(found, "mine.yaml"))) == []


def test_the_command_prints_a_format_that_reads_the_log():
    Path("my train.log").write_text("".join(f"phase {i} energy -{i}.5 eV\n" for i in range(5)))
    done = capture("parsers", "suggest", "my train.log")
    Path("mine.yaml").write_text(done.stdout)
    assert yaml.safe_load(done.stdout)["name"] == "my_train"
    assert capture("parsers", "test", "mine.yaml").returncode == 0
    assert len(capture("parse", "--parser", "mine.yaml", "my train.log").stdout.splitlines()) == 5


def test_where_all_is_read_it_says_so():
    Path("train.log").write_text("".join(f"epoch {i}: loss=0.{i}\n" for i in range(5)))
    done = capture("parsers", "suggest", "train.log")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("capture parsers: nothing to suggest")
