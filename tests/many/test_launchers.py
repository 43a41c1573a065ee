"""Real launchers of many processes, where they are installed: torchrun (PyTorch) and Ray.

`LAUNCHERS` is the folder of the programs of an environment that has them: they are too large for the tests' own.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers import CAPTURE, only_run

BIN = os.environ.get("LAUNCHERS", "")
TRAIN = """
import os
import torch.distributed as dist

dist.init_process_group("gloo")
rank = dist.get_rank()
for step in range(1, 4):
    print(f"step {step}: loss={rank + 1 / step:.3f}", flush=True)
    dist.barrier()
dist.destroy_process_group()
"""
ACTORS = """
import ray

@ray.remote
def train(rank):
    for step in range(1, 4):
        print(f"step {step}: loss={rank + 1 / step:.3f}", flush=True)

ray.init(num_cpus=2, include_dashboard=False)
ray.get([train.remote(rank) for rank in range(3)])
import time; time.sleep(1)  # the driver prints what its actors do a little later
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def launch(name, *words, before=()):
    program = Path(BIN, name)
    if not BIN or not program.exists():
        pytest.skip(f"LAUNCHERS names no folder with {name}")
    command = [*before, program, *words]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def values(name):
    lines = (only_run() / "metrics.jsonl").read_text().splitlines()
    return [row[name] for row in map(json.loads, lines) if name in row]


CAPTURED = [*CAPTURE, "--to", "jsonl", "--project", "p", "--summary", "always"]


@pytest.fixture(autouse=True)
def train():
    Path("train.py").write_text(TRAIN)
    Path("actors.py").write_text(ACTORS)


def test_torchrun_says_with_tee_whose_line_it_is():
    launch("torchrun", "--standalone", "--nproc-per-node=2", "--tee=3", "train.py", before=[*CAPTURED, "--"])
    assert values("loss") == [1.0, 0.5, 0.333]
    assert values("rank1/loss") == [2.0, 1.5, 1.333]


def test_torchrun_of_captures_makes_one_run():
    words = [
        "--standalone",
        "--nproc-per-node=2",
        "--no-python",
        *CAPTURED,
        "--",
        Path(BIN, "python"),
        "train.py",
    ]
    launch("torchrun", *words)
    assert only_run().name.startswith("torchrun-")
    assert values("loss") == [1.0, 0.5, 0.333]
    assert values("rank1/loss") == [2.0, 1.5, 1.333]


def test_without_tee_it_is_said_how_to_tell_the_processes_apart():
    launch("torchrun", "--standalone", "--nproc-per-node=2", "train.py", before=[*CAPTURED, "--"])
    assert "tell them apart with: torchrun --tee 3" in (only_run() / "summary.txt").read_text()


def test_ray_leaves_nothing_out():
    launch("python", "actors.py", before=[*CAPTURED, "--"])
    rows = [json.loads(line) for line in (only_run() / "records.jsonl").read_text().splitlines()]
    assert sorted(row["metrics"]["loss"] for row in rows) == sorted(
        round(rank + 1 / step, 3) for rank in range(3) for step in range(1, 4)
    )
