"""When the load is sampled: early, every so many seconds, and at the end."""

import json
import os
import sys
import time

from helpers import capture, eventually, only_run

from capture import runs
from capture.facts.observer import SHORTEST, Observer
from capture.runs import lock

UNTIL_THE_FIRST_SAMPLE = """
import os, time
print('step 1: loss=0.5', flush=True)
end, place = time.time() + 60, os.environ["CAPTURE_RUN_DIR"] + "/system.jsonl"
while time.time() < end and not os.path.exists(place):
    pass
time.sleep(0.5)
"""


def samples(folder):
    path = folder / runs.SYSTEM
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def a_run(**more):
    about = {
        "id": "a",
        "project": "p",
        "name": "n",
        "command": ["x"],
        "cwd": "/x",
        "host": os.uname().nodename,
    }
    return runs.Run(**{**about, "start": time.time(), "pid": os.getpid(), **more})


def test_a_short_run_has_a_sample_of_the_command_and_one_at_the_end():
    capture("--wait", "80", "--to", "jsonl", "--", sys.executable, "-c", UNTIL_THE_FIRST_SAMPLE)
    folder = only_run()
    run = runs.read(folder)
    first, *_, last = samples(folder)
    assert first["process/memory_mb"] > 1
    assert first["time"] - run.start > 0.5
    assert last["time"] >= run.end - 1
    assert "process/memory_mb" not in last  # the command is gone: a zero would say that it did nothing
    assert "machine/cpu_percent" in last


def test_the_next_sample_comes_after_the_interval(tmp_path):
    lock.take(tmp_path)
    observer = Observer(tmp_path, a_run(), 0.5)
    eventually(lambda: observer.look() and len(samples(tmp_path)) == 3)
    first, second, third = (sample["time"] for sample in samples(tmp_path))
    assert second - first >= 0.45 and third - second >= 0.45


def test_the_end_comes_once(tmp_path):
    lock.take(tmp_path)
    observer = Observer(tmp_path, a_run(), 0.3)
    eventually(lambda: observer.look() or samples(tmp_path))
    for _ in range(2):
        time.sleep(SHORTEST + 0.05)
        observer.finish()
    assert len(samples(tmp_path)) == 2
    assert not observer.look()


def test_a_run_that_has_ended_is_not_watched(tmp_path):
    """A replay, or a sync a week later, would get the load of another time."""
    observer = Observer(tmp_path, a_run(state="finished"), 0.1)
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert not observer.look()
        time.sleep(0.1)
    observer.finish()
    assert samples(tmp_path) == []


def test_a_run_shorter_than_a_look_is_not_watched(tmp_path):
    Observer(tmp_path, a_run(), 10).finish()
    assert samples(tmp_path) == []
