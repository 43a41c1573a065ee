"""How a run stands, and how long it has run."""

import os
import signal
import subprocess
import sys
import time

import pytest
from helpers import CAPTURE, capture, eventually, only_run, run_in_progress

from capture import runs


def a_run(**more):
    return runs.Run(**{**{"id": "a", "project": "p", "name": "n", "command": [], "cwd": "/x", "host": "h", "start": 100.0}, **more})  # fmt: skip


@pytest.mark.parametrize(
    ("state", "exit_status", "outcome"),
    [
        ("finished", 0, "finished"),
        ("finished", None, "finished"),
        ("finished", 1, "failed"),
        ("finished", 143, "failed"),
        ("finished", 130, "interrupted"),
        ("crashed", None, "crashed"),
        ("running", None, "running"),
    ],
)
def test_how_a_run_stands(state, exit_status, outcome):
    assert runs.outcome(a_run(state=state, exit_status=exit_status)) == outcome


def test_a_run_is_running_while_its_process_is_there():
    assert runs.outcome(a_run(pid=os.getpid(), host=os.uname().nodename)) == "running"


def test_a_duration_leaves_pauses_out_and_goes_on_while_the_run_does():
    assert runs.duration(a_run(end=160.0, paused=20.0), 1000.0) == 40
    assert runs.duration(a_run(), 130.0) == 30
    assert runs.duration(a_run(end=90.0), 130.0) == 0


def test_ctrl_c_is_no_failure():
    code = "import time; print('step 1: loss=0.5', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [*CAPTURE, "--wait", "80", "--to", "jsonl", "--summary", "always", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    folder = run_in_progress()
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert runs.outcome(runs.read(folder)) == "interrupted"
    assert "interrupted, " in said
    assert "interrupted" in capture("runs").stdout


def test_the_pause_before_a_run_is_resumed_does_not_count():
    command = [
        "--to",
        "jsonl",
        "--id",
        "a",
        "--resume",
        "allow",
        "--",
        sys.executable,
        "-c",
        "print('loss: 0.5')",
    ]
    began = time.time()
    capture(*command)
    folder = only_run()
    first = runs.read(folder)
    runs.write(folder, first._replace(start=began - 5000, end=first.end - 4000))
    before = runs.duration(runs.read(folder), time.time())
    capture(*command)
    eventually(lambda: runs.read(folder).state == "finished")
    run = runs.read(folder)
    assert run.resumed == 1
    assert 3990 < run.paused < 4100
    assert before <= runs.duration(run, time.time()) < before + (time.time() - began)
