"""Weights & Biases, as its own client leaves things: on a server on loopback, and in offline files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import CAPTURE, eventually, only_run, run_in_progress, tracker_of
from wandb_server import DOWN, KEY, LOST, OUTPUT, Server

from capture import runs

WANDB = Path(sys.executable).with_name("wandb")
FORMAT = """
parsers:
  - name: ours
    patterns:
      - line: "step {step}: loss {loss}, val acc {val.acc}"
        rename: {val.acc: val.acc}
      - line: "epoch {epoch}: val_loss {val_loss}"
      - line: "lr is {lr}"
        as: config
"""
TEXT = """\
lr is 0.1
step 0: loss 3, val acc 0.25
step 10: loss 1, val acc 0.75
epoch 1: val_loss 2.5
lr is 0.01
step 20: loss 2, val acc nan
epoch 2: val_loss 2.75
"""


@pytest.fixture
def server():
    with Server() as server:
        yield server


def environ(server=None, **more):
    return {**os.environ, **(server.environ if server else {}), "WANDB_INIT_TIMEOUT": "3", **more}


class Live:
    """A captured command that prints the lines it is given."""

    def __init__(self, environ, *options):
        Path("capture.yaml").write_text(FORMAT)
        self.count = 0
        self.process = subprocess.Popen(
            [*CAPTURE, "--to", "wandb", *options, "--", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environ,
        )
        self.folder = run_in_progress()

    def say(self, count):
        """Print so many more rows."""
        for step in range(self.count, self.count + count):
            self.process.stdin.write(b"step %d: loss %d.5, val acc 0.5\n" % (step, step))
        self.process.stdin.flush()
        self.count += count

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(40) == 0

    def kids(self, name):
        tracker = psutil.Process(eventually(lambda: tracker_of(self.folder)))
        return [kid for kid in tracker.children(recursive=True) if name in kid.name()]


def all_rows_once(run, count):
    """Whether the server holds exactly these rows, in order."""
    steps = [(row["_step"], row["step"], row["loss"]) for row in run.rows]
    assert steps == [(n, n, n + 0.5) for n in range(count)]
    assert run.faults == []
    return True


@pytest.fixture(scope="module")
def online(tmp_path_factory):
    """A run with all that can be said of one, as the server and the command's own eyes have it."""
    work = tmp_path_factory.mktemp("online")
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        patch.chdir(work)
        for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(name, str(work / "home"))
        for name in [name for name in os.environ if name.startswith(("WANDB_", "CAPTURE_"))]:
            patch.delenv(name)
        Path("capture.yaml").write_text(FORMAT + "wandb: {entity: team, job_type: pretrain}\n")
        Path("train.py").write_text(
            f"import os, sys, json\nprint({TEXT!r}, end='')\n"
            "print(json.dumps([n for n in os.environ if n.startswith('WANDB_')]), file=sys.stderr)\n"
            "sys.exit(3)\n"
        )
        options = ["--to", "wandb", "--project", "mp", "--name", "first", "--config", "depth=4"]
        options += ["--tag", "a", "--tag", "b", "--notes", "why", "--group", "g"]
        done = subprocess.run(
            [*CAPTURE, *options, "--", sys.executable, "train.py", "--fast"],
            capture_output=True,
            env={**os.environ, **server.environ},
        )
        assert (done.returncode, done.stdout) == (3, TEXT.encode())
        server.command_saw = json.loads(done.stderr)
        server.folder = only_run()
        yield server


def test_online_each_row_is_there_once_with_its_own_axis(online):
    rows = online.run.rows
    assert [row["_step"] for row in rows] == [1, 2, 3, 5, 6]
    assert [(row["step"], row["loss"]) for row in rows if "loss" in row] == [(0, 3), (10, 1), (20, 2)]
    assert [(row["epoch"], row["val_loss"]) for row in rows if "val_loss" in row] == [(1, 2.5), (2, 2.75)]
    assert online.run.faults == []
