"""The example: early ending saves steps, and the best value is the same."""

import json
import os
import sys
from pathlib import Path

import pytest
from helpers import ROOT, capture


def sweep(text, name):
    """The steps of all trials, and the best trial."""
    Path(f"{name}.yaml").write_text(text)
    done = capture("sweep", f"{name}.yaml", "--workers", 2, "--to", "jsonl", "--id", name, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(capture("sweep", "status", name, "--json").stdout)
    return sum(trial["observed"] for trial in found["trials"]), found["best"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ending_losers_early_saves_40_percent_of_the_steps_at_the_same_best_value(monkeypatch):
    monkeypatch.setenv(
        "PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )  # numpy, tqdm
    text = (ROOT / "examples" / "sweep" / "sweep.yaml").read_text()
    text = text.replace("spirals.py", str(ROOT / "examples" / "spirals.py"))
    early_steps, early = sweep(text, "early")
    all_steps, full = sweep(text[: text.index("early_terminate:")], "full")
    assert all_steps == 8 * 27
    assert early_steps <= 0.6 * all_steps
    assert (early["best"], early["values"]) == (full["best"], full["values"])
