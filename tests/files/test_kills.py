"""The tracker is killed at fifty random points while files are written: every backend has each of them once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from helpers import CAPTURE, capture, eventually, only_run, tracker_of
from wandb_server import Server

from capture import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]

KILLS = 50
PROGRAM = """
import base64, itertools, os, time
for folder in ("ckpt", "img"): os.makedirs(folder)
for i in itertools.count():
    print(f"step {i}: loss {1 / (i + 1):.4f}", flush=True)
    if i % 100 == 0 and not os.path.exists("enough"):
        open("new", "w").write(f"weights {i}"); os.replace("new", f"ckpt/{i}.pt")
        open("new", "w").write(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{i}</text></svg>')
        os.replace("new", f"img/{i}.svg")
        open("new", "w").write(f"step,loss\\n{i},0.5\\n"); os.replace("new", f"img/{i}.csv")
    if os.path.exists("done"): break
    time.sleep(0.02)
"""
READ_TRACKIO = """
import json, sys
from trackio.sqlite_storage import SQLiteStorage as store
(run,) = store.get_run_records("project")
versions = [[one["name"], len(one.get("versions", [0]))] for one in store.get_artifacts("project")]
json.dump([versions, store.get_logs("project", run_id=run["id"])], sys.stdout, default=str)
"""


def test_each_file_is_there_once():
    chance = random.Random(os.getpid())
    with Server() as server:
        environ = {**os.environ, **server.environ}
        rules = ("--save", "ckpt/*.pt", "--image", "img/*.svg", "--table", "img/*.csv")
        command = [*CAPTURE, "--to", "trackio,wandb,jsonl", "--wait", "60", *rules, "--"]
        process = subprocess.Popen(
            [*command, sys.executable, "-c", PROGRAM],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        folder, killed = eventually(lambda: os.path.exists("ckpt") and only_run()), {None}
        for _ in range(KILLS):
            pid = eventually(lambda: (found := tracker_of(folder)) not in killed and found)
            time.sleep(chance.random())  # a random moment is the point
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            killed.add(pid)
            if process.poll() is not None:
                break
        open("enough", "w").close()
        open("done", "w").close()
        process.wait(180)
        done = capture("sync", env=environ, timeout=300)
        assert done.returncode == 0, done.stdout

        items = [json.loads(line) for line in (folder / runs.FILES).read_text().splitlines()]
        assert {*Counter((one["kind"], one["name"]) for one in items).values()} == {1}
        written = {path.partition(".")[0] for path in os.listdir("ckpt")}
        expected = sorted(written, key=int)
        assert sorted((one["name"] for one in items if one["kind"] == "image"), key=int) == expected
        assert sorted(one["name"] for one in items if one["kind"] == "file") == sorted(
            f"{n}.pt" for n in written
        )

        run = server.run
        assert run.faults == []
        steps = [row["step"] for row in run.rows if "loss" in row]
        lines = (folder / runs.RECORDS).read_text().splitlines()
        assert steps == [json.loads(line)["step"] for line in lines]
        for name in written:
            assert [one["files"] for one in server.versions(f"{name}.pt")] == [
                {f"{name}.pt": f"weights {name}".encode()}
            ]
        shown = Counter(
            (name, value["_type"])
            for row in run.rows
            for name, value in row.items()
            if isinstance(value, dict)
        )
        kinds = [(name, "html-file") for name in written] + [(f"{name}", "table-file") for name in written]
        assert {key: shown[key] for key in kinds} == dict.fromkeys(kinds, 1)

        environ["TRACKIO_DIR"] = os.path.abspath("capture-runs/trackio")
        read = subprocess.run(
            [sys.executable, "-c", READ_TRACKIO], capture_output=True, env=environ, check=True
        )
        artifacts, rows = json.loads(read.stdout.splitlines()[-1])
        assert sorted(name for name, _ in artifacts) == sorted(f"{name}.pt" for name in written)
        assert sum("loss" in row for row in rows) == len(lines)
        values = Counter(
            (n, v["_type"]) for row in rows for n, v in row.items() if isinstance(v, dict) and n in written
        )
        assert values == Counter(
            {(name, kind): 1 for name in written for kind in ("trackio.html", "trackio.table")}
        )
