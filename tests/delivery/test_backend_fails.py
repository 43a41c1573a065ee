"""A backend that fails costs no more than --wait, and the closing block says so."""

import os
import socket
import subprocess
import time

from helpers import CAPTURE, only_run

from capture import runs


def test_a_backend_that_does_not_answer_costs_no_more_than_wait_and_is_said():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            **os.environ,
            "WANDB_API_KEY": "a" * 40,
            "WANDB_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        began = time.monotonic()
        done = subprocess.run(
            [*CAPTURE, "--to", "wandb,jsonl", "--wait", "12", "--", "echo", "epoch 1: loss=0.5"],
            capture_output=True,
            check=False,
            env=environ,
        )
        took = time.monotonic() - began
    assert (done.returncode, done.stdout) == (0, b"epoch 1: loss=0.5\n")
    assert took < 60
    text = (only_run() / runs.SUMMARY).read_text()
    assert "wandb: 0 of 1 delivered: not finished in time" in text
    assert "jsonl: capture-runs/" in text
