"""What a program logs by the door reaches the backends, beside what it printed; read back from each."""

import json
import os
import subprocess
import sys

import pytest
from helpers import only_run
from programs import execute
from wandb_server import Server

from capture import runs

TRAIN = """
with capture.run(project="voice", name="door", to={to!r}, tags=["a"], config={{"lr": 0.1}}) as run:
    for epoch in (1, 2):
        print(f"epoch {{epoch}}: val_loss={{1 / epoch}}", flush=True)
    for step in range(3):
        run.log({{"own": step / 2, "val": {{"acc": float("nan") if step == 1 else 0.5}}}})
    run.config["batch"] = 8
    run.summary["best"] = 0.97
    {more}
"""
READ_TRACKIO = """
import json
from trackio.sqlite_storage import SQLiteStorage as store
(run,) = store.get_run_records("voice")
config, rows = store.get_run_config("voice", run_id=run["id"]), store.get_logs("voice", run_id=run["id"])
print(json.dumps([run["name"], config, rows], default=str))
"""


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_wandb_has_what_was_logged_and_the_door_knows_its_address():
    wait = """
    deadline = time.monotonic() + 180
    while run.url is None and time.monotonic() < deadline: time.sleep(0.05)
    print(run.url, file=sys.stderr)
    """
    with Server() as server:
        done = execute(TRAIN.format(to="wandb", more=wait.strip()), environ=server.environ, timeout=280)
        assert done.stderr.decode().startswith(f"{server.url}/")
        rows = server.run.rows
        assert [row["val_loss"] for row in rows if "val_loss" in row] == [1, 0.5]
        assert [(row["step"], row["own"]) for row in rows if "own" in row] == [(0, 0), (1, 0.5), (2, 1)]
        assert [str(row["val/acc"]) for row in rows if "val/acc" in row] == ["0.5", "nan", "0.5"]
        assert [row["summary/best"] for row in rows if "summary/best" in row] == [0.97]
        assert (server.run.config["lr"], server.run.config["batch"]) == (0.1, 8)
        assert server.run.faults == []


def test_trackio_has_what_was_logged():
    execute(TRAIN.format(to="trackio", more="pass"))
    environ = {**os.environ, "TRACKIO_DIR": os.path.abspath("capture-runs/trackio")}
    read = subprocess.run([sys.executable, "-c", READ_TRACKIO], capture_output=True, env=environ, check=True)
    name, config, rows = json.loads(read.stdout.splitlines()[-1])
    assert (name, config["lr"], config["batch"]) == ("door", 0.1, 8)
    assert [(row["step"], row["own"]) for row in rows if "own" in row] == [(0, 0), (1, 0.5), (2, 1)]
    assert [row["val_loss"] for row in rows if "val_loss" in row] == [1, 0.5]
    assert [row["summary/best"] for row in rows if "summary/best" in row] == [0.97]


def test_the_load_of_the_programs_own_processes_is_watched():
    execute(
        """
        with capture.run():
            print("epoch 1: loss=0.5", flush=True)
            samples = os.path.join(capture.current_run().folder, "system.jsonl")
            deadline = time.monotonic() + 90
            while not os.path.exists(samples) and time.monotonic() < deadline: time.sleep(0.05)
        """,
        environ={"CAPTURE_SYSTEM": "1.5"},
    )
    sample = json.loads((only_run() / runs.SYSTEM).read_text().splitlines()[0])
    assert any(name.startswith("process/") for name in sample)
