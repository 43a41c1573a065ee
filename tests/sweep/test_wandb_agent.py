"""Under the real `wandb agent`, `capture --to wandb` is the agent's run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wandb_sweeps import SweepServer

SWEEP = {
    "program": "train.py",
    "method": "grid",
    "metric": {"name": "val_loss"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
    "command": [
        sys.executable,
        "-m",
        "capture",
        "--to",
        "wandb",
        "--",
        sys.executable,
        "${program}",
        "${args}",
    ],
}


@pytest.mark.slow
def test_capture_under_wandb_agent_is_the_agents_run():
    Path("train.py").write_text("import sys; print('epoch 1: val_loss=' + sys.argv[1].split('=')[1])")
    with SweepServer("s1", SWEEP, [{"lr": 0.1}, {"lr": 0.2}]) as server:
        done = subprocess.run(
            [sys.executable, "-m", "wandb", "agent", "--count", "2", "me/spirals/s1"],
            env={**os.environ, **server.environ}, capture_output=True, text=True, check=False, timeout=110,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(server.runs) == ["agent-run-0", "agent-run-1"]
    for number, rate in enumerate((0.1, 0.2)):
        run = server.runs[f"agent-run-{number}"]
        assert (run.project, run.fields["sweep"], run.exit_code) == ("spirals", "s1", 0)
        assert run.config["lr"] == rate
        assert [row["val_loss"] for row in run.rows if "val_loss" in row] == [rate]
        assert f"epoch 1: val_loss={rate}" in run.console
