"""Killed at fifty random points, every backend holds in the end exactly the rows of `records.jsonl`."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from helpers import CAPTURE, eventually, tracker_of
from wandb_server import Server

from capture import runs

RUNS, TRACKER_KILLS, OUTAGES = 5, 9, 2  # in each run, and one of the whole tree: fifty in all
BACKENDS = "jsonl,trackio,tensorboard,wandb"
ALERTS = [f"loss < {6 - step / 1000:g}" for step in (5, 15, 40)]
PROGRAM = (
    "import time\nfor i in range(1_000_000):\n"
    " print(f'{i} | loss {6 - i / 1000:.4f} | lr 1.0e-04 | 5.00ms | mfu 0.01%', flush=True)\n time.sleep(0.02)"
)

pytestmark = pytest.mark.timeout(600)  # whichever test is the first makes the fixture


def kill_tree(process):
    """All at once, as a machine that dies."""
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in tree:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(100)


def disturb(name, server, environ):
    """One run: its tracker is killed again and again, W&B goes away for a while, at last all is killed."""
    chance = random.Random(f"{os.getpid()} {name}")
    rules = [word for rule in ALERTS for word in ("--alert", rule)]
    command = [*CAPTURE, "--to", BACKENDS, "--id", name, *rules, "--", sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ)
    folder = Path("capture-runs/project") / name
    killed, kills = {None}, 0
    outages = set(chance.sample(range(TRACKER_KILLS), OUTAGES))
    for turn in range(TRACKER_KILLS):
        pid = eventually(lambda: (found := tracker_of(folder)) not in killed and found)
        time.sleep(chance.random())  # a random moment is the point
        if turn in outages and name == "run0":  # one server for all runs: one of them takes it away
            server.stop()
            time.sleep(chance.random())
            server.start()
        try:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        except ProcessLookupError:
            pass
        killed.add(pid)
    eventually(
        lambda: (folder / runs.RECORDS).exists() and (folder / runs.RECORDS).read_bytes().count(b"\n") > 60
    )
    kill_tree(process)
    with process.stderr:
        assert process.stderr.read() == b""
    return kills + 1


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of the runs, the server, and how often something was killed."""
    base, before = tmp_path_factory.mktemp("kills"), os.getcwd()
    os.chdir(base)
    (base / "project").mkdir()
    os.chdir(base / "project")
    with Server() as server:
        environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WANDB_", "CAPTURE_", "TRACKIO_"))},
            **server.environ,
            "HOME": str(base),
            "CAPTURE_SYSTEM": "0",
        }
        with ThreadPoolExecutor(2) as pool:
            counts = list(pool.map(lambda n: disturb(f"run{n}", server, environ), range(RUNS)))
        outages = OUTAGES
        said = []
        for _ in range(2):  # twice changes nothing
            synced = subprocess.run(
                [*CAPTURE, "sync"], capture_output=True, text=True, env=environ, timeout=240, check=False
            )
            said.append(synced.stdout)
            if synced.returncode:  # why, where it fails
                said += [
                    log.read_text()[-2000:] for log in Path("capture-runs/project").glob("*/tracker.log")
                ]
        yield base / "project", server, sum(counts) + outages, synced, said
    os.chdir(before)


def test_something_was_killed_fifty_times_and_synced(killed):
    _, _, count, synced, said = killed
    assert count >= 45
    assert (synced.returncode, synced.stderr) == (0, "")
    assert synced.stdout == f"nothing is missing in {RUNS} runs\n", said


def recorded(place, name):
    """step and loss of each record, as `records.jsonl` holds them."""
    lines = (place / "capture-runs/project" / name / runs.RECORDS).read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return [(record["step"], record["metrics"]["loss"]) for record in records if record["metrics"]]


NAMES = pytest.mark.parametrize("name", [f"run{n}" for n in range(RUNS)])


@NAMES
def test_the_records_are_those_of_the_recording(killed, name):
    folder = killed[0] / "capture-runs/project" / name
    whole = (folder / runs.CONSOLE_LOG).read_bytes().count(b"\n")
    assert [step for step, _ in recorded(killed[0], name)][:whole] == list(range(whole))
    assert runs.read(folder).state == "crashed"


@NAMES
def test_json_lines_hold_each_row_once(killed, name):
    path = killed[0] / "capture-runs/project" / name / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in rows] == recorded(killed[0], name)


@NAMES
def test_wandb_holds_each_row_once_in_one_run(killed, name):
    place, server, *_ = killed
    run = server.runs[name]
    assert [(row["iter"], row["loss"]) for row in run.rows] == recorded(place, name)
    assert [row["_step"] for row in run.rows] == list(range(len(run.rows)))
    assert run.faults == []


@NAMES
def test_trackio_holds_each_row_once_in_one_run(killed, name):
    code = (
        "import json, sys\nfrom trackio.sqlite_storage import SQLiteStorage as S\n"
        "print(json.dumps([[row['step'], row['loss']] for row in S.get_logs('project', None, run_id=sys.argv[1])\n"
        " if 'loss' in row]))"
    )
    environ = {**os.environ, "TRACKIO_DIR": str(killed[0] / "capture-runs/trackio")}
    done = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(map(tuple, json.loads(done.stdout))) == recorded(killed[0], name)


@NAMES
def test_each_alert_is_there_once_and_stands_in_every_backend(killed, name):
    place, server, *_ = killed
    lines = (place / "capture-runs/project" / name / runs.ALERTS).read_text().splitlines()
    assert [json.loads(line)["rule"] for line in lines] == ALERTS
    (store,) = (place / "capture-runs/trackio").glob("project*.db")
    with contextlib.closing(sqlite3.connect(store)) as base:
        shown = base.execute("select title from alerts where run_id = ? order by step", [name]).fetchall()
    assert [title for (title,) in shown] == ALERTS
    # Between W&B's taking one and our note of it a kill may let it come twice: none is lost.
    assert {title for run, title, _ in server.alerts if run == name} == set(ALERTS)


@NAMES
def test_tensorboard_holds_each_row_once_in_one_run(killed, name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = {
        path.parent
        for path in (killed[0] / "capture-runs/tensorboard").rglob("*tfevents*")
        if name in str(path)
    }
    reading = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reading.Reload()
    found = [(event.step, round(event.value, 4)) for event in reading.Scalars("loss")]
    assert found == [(step, round(loss, 4)) for step, loss in recorded(killed[0], name)]
