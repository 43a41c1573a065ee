"""Several processes that print without saying which, and the lines that Ray leaves out, are said once."""

import json
import sys

import pytest
from helpers import capture, only_run

TWO = """
import sys
for step in range(1, 9):
    for loss in (0.5, 0.25):
        print(f"step {step} loss {loss / step}")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def block_of(*command):
    capture("--to", "jsonl", "--", *command)
    return (only_run() / "summary.txt").read_text()


def test_the_same_step_twice_is_said_once_with_the_options_that_mend_it():
    text = block_of(sys.executable, "-c", TWO)
    assert text.count("several processes print") == 1
    assert "8 of 8 steps came more than once with other values" in text
    assert "torchrun --tee 3, srun -l or mpirun --tag-output" in text


def test_the_option_is_that_of_the_launcher(tmp_path):
    (tmp_path / "srun").write_text(f"#!{sys.executable}\n{TWO}")
    (tmp_path / "srun").chmod(0o755)
    text = block_of(tmp_path / "srun")
    assert "tell them apart with: srun -l\n" in text


@pytest.mark.parametrize("line", [
    'f"[rank{rank}]: step {step} loss {0.5 / (step + rank)}"',  # they say which
    'f"{["train", "valid"][rank]} step {step} loss {0.5 / (step + rank)}"',  # two parts of the data
    'f"step {step} loss {0.5 / step}"',  # twice the same
    'f"step {2 * step + rank} loss {0.5 / step}"',
])  # fmt: skip
def test_one_process_or_those_that_say_which_are_not(line):
    text = block_of(sys.executable, "-c", f"for step in range(1, 9):\n  for rank in (0, 1): print({line})")
    assert "several processes" not in text


def test_what_ray_leaves_out_is_said_once_and_it_is_told_not_to():
    code = "import os; print('RAY_DEDUP_LOGS is', os.environ['RAY_DEDUP_LOGS']);" + "".join(
        f"print('(train pid={pid}) step 1 loss 0.5 [repeated 8x across cluster]');" for pid in (1, 2)
    )
    text = block_of(sys.executable, "-c", code)
    assert text.count("Ray has left out lines") == 1
    assert "RAY_DEDUP_LOGS is 0" in (only_run() / "console.log").read_text()


def test_the_mean_of_ranks_is_what_a_run_keeps():
    code = "for step in range(3):\n  for rank in (0, 1): print(f'[rank{rank}]: step {step} loss {rank + step}.5')"
    capture("--to", "jsonl", "--ranks", "mean", "--", sys.executable, "-c", code)
    records = [json.loads(line) for line in (only_run() / "records.jsonl").read_text().splitlines()]
    assert [record["metrics"]["loss"] for record in records] == [1.0, 2.0, 3.0]
    rows = [json.loads(line) for line in (only_run() / "metrics.jsonl").read_text().splitlines()]
    assert [row["loss_max"] for row in rows if "loss_max" in row] == [1.5, 2.5, 3.5]


def test_ranks_wants_one_of_three():
    assert "--ranks 1: should be one of all, 0, mean" in capture("--ranks", "1", "--", "true").stderr
