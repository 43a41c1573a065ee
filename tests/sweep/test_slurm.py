"""A sweep as a Slurm array."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, capture

TRAIN = "import sys; print('epoch 1: val_loss=' + sys.argv[1])"


@pytest.mark.slow
@pytest.mark.services
def test_an_array_of_workers_does_one_sweep(slurm):
    storage = os.path.abspath("sweep.journal")
    words = [
        "x=1,2,3,4,5,6",
        "--metric",
        "min val_loss",
        "--to",
        "jsonl",
        "--storage",
        storage,
        "--id",
        "array",
    ]
    line = " ".join(
        [*CAPTURE, "sweep", *(f"'{word}'" for word in words), "--", sys.executable, "train.py", "{x}"]
    )
    Path("train.py").write_text(TRAIN)
    Path("job.sh").write_text(f"#!/bin/sh\n{line}\n")
    done = subprocess.run(
        ["sbatch", "--array=1-3", "--wait", "job.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    logs = [path.read_text() for path in Path().glob("slurm-*.out")]
    assert done.returncode == 0, (done.stderr, logs)
    assert len(logs) == 3
    shown = capture("sweep", "status", "--json", "--storage", storage)
    found = json.loads(shown.stdout)
    assert [trial["state"] for trial in found["trials"]] == ["finished"] * 6
    assert sorted(trial["best"] for trial in found["trials"]) == [1, 2, 3, 4, 5, 6]
    assert sum(log.count(" started: ") for log in logs) == 6
    assert all("sweep array: grid, 6 trials" in log for log in logs)
