"""W&B without an account: kept offline, sent by `capture sync` once there is a login, and a dead server ends it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from helpers import CAPTURE, capture, eventually, only_run, where_it_stands
from wandb_server import KEY, Server

from capture import runs
from capture.runs import status

LINES = "".join(f"epoch {e}: loss={1 / e:.3f} acc={e / 40}\n" for e in range(1, 31))
NOBODY = "http://127.0.0.1:9"


def record(*options):
    Path("lines").write_text(LINES)
    done = capture(
        "--to", "wandb", "--config", "lr=0.1", "--summary", "always", *options, "--", "cat", "lines"
    )
    assert (done.returncode, done.stdout) == (0, LINES)
    return done.stderr


def held(run):
    """What the server has of a run: rows, exit status, config, console."""
    return (
        [(row["loss"], row["acc"]) for row in run.rows],
        run.exit_code,
        run.config["lr"],
        len(run.console),
        run.faults,
    )


WHOLE = ([(float(f"{1 / e:.3f}"), e / 40) for e in range(1, 31)], 0, 0.1, 30, [])


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def no_wandb_on_path(monkeypatch):
    """As in a tool's own environment, whose programs are not on PATH."""
    own = os.path.dirname(sys.executable)
    monkeypatch.setenv("PATH", ":".join(p for p in os.environ["PATH"].split(":") if p != own))
    assert shutil.which("wandb") is None


def test_an_offline_run_is_sent_once_there_is_a_login_and_only_once(server, monkeypatch, no_wandb_on_path):
    assert "wandb (offline): to send it: capture login wandb, then capture sync" in record()
    assert "wandb (offline)" in capture("runs").stdout
    done = capture("sync")
    assert (done.returncode, done.stderr) == (1, "")
    assert "wandb (offline): no login; capture login wandb, then capture sync" in done.stdout
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    done = capture("sync")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" records delivered to wandb\n")
    assert held(server.run) == WHOLE
    assert "(offline)" not in capture("runs").stdout
    asked = len(server.requests)
    done = capture("sync")
    assert (done.returncode, done.stdout.startswith("nothing is missing in ")) == (0, True)
    assert len(server.requests) == asked
    assert list(server.runs) == [only_run().name]


def test_what_wandb_has_sent_by_itself_is_not_sent_again(server, monkeypatch):
    record()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    (place,) = Path("capture-runs/wandb").glob("offline-run-*")
    subprocess.run(
        [sys.executable, "-m", "wandb", "sync", place], check=True, capture_output=True, timeout=100
    )
    asked = len(server.requests)
    assert capture("sync").returncode == 0
    assert (len(server.requests), held(server.run)) == (asked, WHOLE)


def test_an_offline_run_whose_data_are_gone_is_delivered_from_the_runs_folder(server, monkeypatch):
    record()
    shutil.rmtree("capture-runs/wandb")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    done = capture("sync")
    assert (done.returncode, done.stdout.endswith(" records delivered to wandb\n")) == (0, True), done.stdout
    rows, exit_code, *_ = held(server.run)
    assert (rows, exit_code) == WHOLE[:2]
    assert "nothing is missing" in capture("sync").stdout


def test_a_server_that_does_not_answer_ends_the_sending_with_a_line_for_each_run(monkeypatch):
    record("--name", "one")
    record("--name", "two")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    begin = time.monotonic()
    done = capture("sync", "--wait", "4")
    assert time.monotonic() - begin < 60
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["project/one", "project/two"]
    assert done.stdout.count("wandb (offline): wandb sync said nothing new for 4 s") == 2


def test_a_dead_backend_ends_the_delivery_with_a_line_and_an_exit_status(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    Path("lines").write_text(LINES)
    capture("--to", "wandb", "--wait", "0", "--", "cat", "lines")
    done = capture("sync", "--wait", "6")
    assert (done.returncode, done.stderr) == (1, "")
    assert ": not complete; see capture-runs/project/" in done.stdout


def test_ctrl_c_ends_the_whole_sync(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    Path("lines").write_text(LINES)
    for _ in range(2):
        capture("--to", "wandb", "--wait", "0", "--", "cat", "lines")
    folder = min(Path("capture-runs").glob("*/2*"), key=lambda one: runs.read(one).start)  # it is first
    with subprocess.Popen(
        [*CAPTURE, "sync"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        eventually(lambda: status.state_of(folder) == "delivering")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (130, "")
    assert err == "capture sync: interrupted; call it again to go on\n"


def test_ctrl_c_ends_the_sending_and_what_sends(monkeypatch):
    record()
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    with subprocess.Popen(
        [*CAPTURE, "sync"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        own = psutil.Process(process.pid)
        started = eventually(lambda: [one for one in own.children() if "sync" in one.cmdline()])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (130, "")
    assert err == "capture sync: interrupted; call it again to go on\n"
    eventually(lambda: all(where_it_stands(one.pid) in ("gone", "zombie") for one in started))


def test_an_offline_run_whose_data_are_gone_is_kept_offline_again_without_a_login():
    record()
    shutil.rmtree("capture-runs/wandb")
    assert "wandb (offline): no login" in capture("sync").stdout
    assert list(Path("capture-runs/wandb").glob("offline-run-*/*.wandb"))


def test_login_hands_over_to_wandbs_own(no_wandb_on_path):
    done = capture("login", "wandb", KEY, "--no-verify")
    assert done.returncode == 0, done.stderr
    assert KEY in Path(os.environ["HOME"], ".netrc").read_text()
    assert "wandb login" in capture("login", "wandb", "--help").stdout
    done = capture("login", "trackio")
    assert (done.returncode, done.stderr) == (2, "capture login: trackio needs no login here\n")
