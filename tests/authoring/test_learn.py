"""What is learnt from the lines of a log that nothing reads."""

import io
import json

import pytest
from helpers import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import records
from capture.authoring import samples
from capture.authoring.learn import learn
from capture.authoring.lines import read_lines
from capture.authoring.written import parser_text, with_parser
from capture.language import library
from capture.language.checked_yaml import Source
from capture.parsing.engine import Engine
from capture.parsing.pipeline import parse


def read_by_learnt(text, of=None):
    """What the parser that is learnt from `of` reads in a text: (step, epoch, metrics) of each record."""
    learnt = learn(read_lines(io.BytesIO((of or text).encode()), []).unread)
    if learnt is None:
        return None
    parser = library.load(Source(parser_text(learnt, "mine"), "mine.yaml"))
    assert samples.check(parser) == []
    found = [
        json.loads(records.to_json(record))
        for record in parse(io.BytesIO(text.encode()), Engine([], [parser]))
    ]
    return [(record["step"], record["epoch"], record["metrics"]) for record in found]


def test_words_that_come_and_go_signs_and_nan_are_one_shape():
    text = "it 10: phi 0.5, gap 3% *\nit 20: phi -12.25, gap 1%\nit 30: phi nan, gap 2% saved!\n"
    assert len(learn(text.splitlines()).drafts) == 1
    assert read_by_learnt(text) == [
        (10, None, {"phi": 0.5, "gap": 3}),
        (20, None, {"phi": -12.25, "gap": 1}),
        (30, None, {"phi": "NaN", "gap": 2}),
    ]


def test_a_value_that_comes_only_later_is_read_too():
    first = "".join(f"step: {i} loss: {i}.5 lr: 0.1\n" for i in range(4))
    assert read_by_learnt("step: 9 loss: 1.5 lr: 0.1 val_loss: 2.5\n", of=first) == [
        (9, None, {"loss": 1.5, "lr": 0.1, "val_loss": 2.5})
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# step  rmse_e  rmse_f\n 100  6.5e-1  0.25\n 200  4.5e-1  nan\n",
         [(100, None, {"rmse_e": 0.65, "rmse_f": 0.25}), (200, None, {"rmse_e": 0.45, "rmse_f": "NaN"})]),
        ("  Class  Images  mAP@.5  mAP@.95\n    all     842   0.311    0.243\n    cat     597   0.961    0.873\n",
         [(None, None, {"Images": 842, "mAP@.5": 0.311, "mAP@.95": 0.243}),
          (None, None, {"Images": 597, "mAP@.5": 0.961, "mAP@.95": 0.873})]),
        ("Epoch 1/9\n   precision  recall  f1-score\n all  0.5  0.25  0.125\nEpoch 2/9\n   precision  recall  f1-score\n all  1.0  0.5  0.25\n",
         [(None, 1, {"precision": 0.5, "recall": 0.25, "f1-score": 0.125}),
          (None, 2, {"precision": 1.0, "recall": 0.5, "f1-score": 0.25})]),
        ("Epoch ,Done ,LR ,RMSE\n 0 ,04.29_01 ,0.001 , 14.5\n 1 ,04.29_02 ,0.001 , 8.5\n",
         [(None, 0, {"LR": 0.001, "RMSE": 14.5}), (None, 1, {"LR": 0.001, "RMSE": 8.5})]),
        ("Epoch 1\ntrain_loss 0.5\nval_loss 0.75\ngap 1.5\nEpoch 2\ntrain_loss 0.25\nval_loss 0.5\ngap 1.25\n",
         [(None, 1, {"train_loss": 0.5}), (None, 1, {"val_loss": 0.75}), (None, 1, {"gap": 1.5}),
          (None, 2, {"train_loss": 0.25}), (None, 2, {"val_loss": 0.5}), (None, 2, {"gap": 1.25})]),
        ("ITERATION 14 (165.40s)\n\t- Objective: 28.5%\nITERATION 15 (166.71s)\n\t- Objective: 28.25%\n",
         [(14, None, {"Objective": 28.5}), (15, None, {"Objective": 28.25})]),
        ('{"loss": 1.5, "iter": 10}\n{"loss": 1.25, "iter": 20}\n',
         [(10, None, {"loss": 1.5}), (20, None, {"loss": 1.25})]),
        ("iter: 5 loss: 0.5 (0.75) acc: 0.25 (0.5)\niter: 6 loss: 0.25 (0.5) acc: 0.5 (0.75)\n",
         [(5, None, {"loss": 0.5, "loss/avg": 0.75, "acc": 0.25, "acc/avg": 0.5}),
          (6, None, {"loss": 0.25, "loss/avg": 0.5, "acc": 0.5, "acc/avg": 0.75})]),
        ("Time = 3\nSolving for Ux, residual = 0.5, final = 0.25\nSolving for Uy, residual = 0.75, final = 0.5\n",
         [(3, None, {"Ux/residual": 0.5, "Ux/final": 0.25}), (3, None, {"Uy/residual": 0.75, "Uy/final": 0.5})]),
        ("epoch: [3/9], Step [10/100], loss: 0.5\nepoch: [3/9], Step [20/100], loss: 0.25\n",
         [(210, 3, {"loss": 0.5}), (220, 3, {"loss": 0.25})]),
    ],
    ids=["table", "classes", "report", "commas", "rows", "tree", "json", "averages", "sections", "steps-in-epochs"],
)  # fmt: skip
def test_layouts(text, found):
    assert read_by_learnt(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n" * 5,
        "version 1.2.3\nversion 1.2.4\nversion 1.2.5\n",
        "[ 33%] Building C object a.c.o\n[ 66%] Building C object b.c.o\n[100%] Linking C executable x\n",
        "ok: [node1]\nFAILED - RETRYING: wait for apt lock (5 retries left).\nFAILED - RETRYING: wait for apt lock (4 retries left).\n",
        "a,b,species\n5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,setosa\n",
        "Fetched 417 kB in 0.5s (2,345 kB/s)\nFetched 418 kB in 0.7s (2,345 kB/s)\nFetched 419 kB in 0.9s (2,346 kB/s)\n",
    ],
)
def test_from_noise_nothing_is_learnt(text):
    assert learn(text.splitlines()) is None


@pytest.mark.parametrize("name", ["a) b", "(a) b) loss", "a(b (c", "((a) b", ")a("])
def test_brackets_in_names_need_not_match(name):
    learn([f"{name} {i}.5 loss: 0.{i}" for i in range(9)])


def test_only_who_asks_for_everything_gets_it():
    lines = [f"throughput is {i}.5 MB" for i in range(4)]
    assert learn(lines) is None
    assert learn(lines, everything=True) is not None


def test_it_says_which_number_is_the_step_and_why():
    (draft,) = learn([f"sweep {i * 10} | phi {i}.5" for i in range(4)]).drafts
    assert draft.why == "step is the first number, and it grows evenly"
    (draft,) = learn([f"iter {i}: loss {i}.5" for i in range(4)]).drafts
    assert draft.why == "step is 'iter', by its word, and it grows evenly"


def test_the_same_log_gives_the_same_parser():
    lines = (ROOT / "fixtures").glob("*/pty.raw")
    text = b"".join(path.read_bytes()[:20_000] for path in sorted(lines)[:5])
    found = {parser_text(learn(read_lines(io.BytesIO(text), []).unread), "mine") for _ in range(3)}
    assert len(found) == 1


WORDS = st.text(alphabet="abc {}:=|%/()[]'\"\\-.,#&±", max_size=8)


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(0, 10**6))
def test_whatever_is_learnt_has_samples_that_hold(words, start):
    lines = ["".join(f"{word}{start + i + n}.5 " for n, word in enumerate(words)) for i in range(4)]
    learnt = learn(lines, everything=True)
    if learnt is not None:
        assert samples.check(library.load(Source(parser_text(learnt, "mine"), "mine.yaml"))) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "parsers:\n  - p/x.yaml\n"),
        ("# mine\nto: [jsonl]  # here", "# mine\nto: [jsonl]  # here\nparsers:\n  - p/x.yaml\n"),
        ("parsers:\n- a.yaml  # one\n\n# end\nto: [jsonl]\n", "parsers:\n- a.yaml  # one\n- p/x.yaml\n\n# end\nto: [jsonl]\n"),
        ("parsers: [a.yaml]  # one\n", "parsers: [a.yaml, p/x.yaml]  # one\n"),
        ("parsers: []\n", "parsers: [p/x.yaml]\n"),
        ("parsers: a.yaml, b.yaml\n", "parsers: a.yaml, b.yaml, p/x.yaml\n"),
        ("parsers:\n  - name: own\n    patterns:\n      - line: x {y}\nto: [jsonl]\n",
         "parsers:\n  - name: own\n    patterns:\n      - line: x {y}\n  - p/x.yaml\nto: [jsonl]\n"),
        ("parsers:\n  - p/x.yaml\n", "parsers:\n  - p/x.yaml\n"),
        ("parsers: [a.yaml,\n  b.yaml]\n", None),
        ("parsers: {\n", None),
        ("- a\n", None),
    ],
)  # fmt: skip
def test_what_a_user_has_written_in_the_configuration_stays(before, after):
    assert with_parser(before, "p/x.yaml") == after
