"""Default names: a number for each run of a project, and what differs from the runs before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE

from capture import runs
from capture.runs import names


def named(*words, name=None, project="p"):
    named.count += 1
    return names.default(project, name or names.called(words), f"run{named.count}", words)


named.count = 0


def test_of_options_that_differ_the_name_shows_those_and_the_first_run_shows_all():
    train = ["python", "train.py", "--epochs", "3"]
    assert named(*train, "--lr", "0.1") == "train-1 epochs=3 lr=0.1"
    assert named(*train, "--lr", "0.2") == "train-2 lr=0.2"
    assert named(*train, "--lr", "0.1", "--bs=16") == "train-3 lr=0.1 bs=16"
    assert named(*train, "--lr", "0.2") == "train-4 lr=0.2"
    assert named("python", "other.py") == "other-1"
    assert named(*train, "--lr", "0.1", project="q") == "train-1 epochs=3 lr=0.1"


def test_the_same_command_again_gets_a_number():
    assert [named("python", "train.py", "--lr", "1") for _ in range(3)] == [
        "train-1 lr=1",
        "train-2",
        "train-3",
    ]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["python", "-m", "pkg.train", "model.depth=3", "+seed=1"], "train-1 model.depth=3 +seed=1"),
        (["torchrun", "--nproc", "2", "train.py", "conf/big.yaml", "--fp16"], "train-1 big.yaml fp16"),
        (["python", "train.py", "--wd", "-0.1", "--data", "/mnt/sets/cifar/"], "train-1 wd=-0.1 data=cifar"),
        (["python", "train.py", "--api-key", "***", "--text", "two words"], "train-1"),
        (["python", "train.py", "--note", "x" * 30, "--lr", "1"], "train-1 lr=1"),
        (["python", "-c", "print('epoch 1: loss=0.5')"], "python-1"),
        (["./train", "--", "-x"], "train-1 x"),
        (["false"], "false-1"),
        (["python", "-m"], "python-1 m"),
        (["x", ""], "x-1"),
        ([""], "-1"),
        ([], "stdin-1"),
    ],
)
def test_what_a_command_says_is_shown_short_and_plain(words, name):
    assert named(*words, name=None if words else "stdin") == name
    assert len(name) <= names.LONGEST


def test_a_long_command_line_does_not_make_a_long_name():
    words = [word for n in range(30) for word in (f"--option{n}", str(n))]
    assert len(named("python", "train.py", *words)) <= names.LONGEST


def test_a_damaged_line_costs_no_name():
    named("python", "train.py", "--lr", "1")
    with Path("p", names.FILE).open("ab") as file:
        file.write(b'["train", 3]\n["train", "x", \xff\n')
    assert named("python", "train.py", "--lr", "2") == "train-4 lr=2"


def test_runs_that_start_at_the_same_moment_have_names_of_their_own():
    command = [*CAPTURE, "--to", "jsonl", "--project", "p", "--", sys.executable, "-c", "print('loss: 0.5')"]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    found = [runs.read(path.parent).name for path in Path("capture-runs").glob("*/*/run.json")]
    program = os.path.basename(sys.executable)
    assert sorted(found) == [f"{program}-{n}" for n in (1, 2, 3)]
