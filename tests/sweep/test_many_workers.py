"""Workers that die: each point is tried to its end, and counts once.

`SWEEP_TRIALS=200` looks longer: five minutes for each storage on two cores.
"""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, eventually

TRIALS, WORKERS = int(os.environ.get("SWEEP_TRIALS", 20)), 3
PROGRAM = "import sys; x = float(sys.argv[1]); print(f'epoch 1: val_loss={x:.6f}')"
SWEEP = [
    "x=0.001..1000",
    "--method",
    "random",
    "--count",
    TRIALS,
    "--metric",
    "min val_loss",
    "--to",
    "jsonl",
]


class Worker:
    """A worker, and what it has printed."""

    def __init__(self, storage, number):
        words = [*SWEEP, "--storage", storage, "--dead-after", "5", "--", "python3", "-c", PROGRAM, "{x}"]
        self.output, self.errors = Path(f"worker-{number}.out"), Path(f"worker-{number}.err")
        with self.output.open("wb") as out, self.errors.open("wb") as errors:
            self.process = subprocess.Popen([*CAPTURE, "sweep", *map(str, words)], stdout=out, stderr=errors)

    def works(self):
        """Whether it is in the middle of a trial, and not of its first: then there is progress, however slow."""
        text = self.output.read_text()
        ended = text.count(" finished: ")
        return self.process.poll() is None and 0 < ended < text.count(" started: ")


def sweep_with_kills(storage):
    """The sweep, by workers of which one that works is killed every second, and another takes its place.

    Returns how many were killed.
    """
    rnd, numbers = random.Random(0), itertools.count()
    workers = [Worker(storage, next(numbers)) for _ in range(WORKERS)]
    killed, everybody = 0, list(workers)
    try:
        due = time.monotonic() + 1
        while any(one.process.poll() is None for one in workers):
            place = rnd.randrange(WORKERS)
            if time.monotonic() >= due and workers[place].works():
                due = time.monotonic() + 1
                killed += 1
                workers[place].process.kill()
                workers[place].process.wait()
                workers[place] = Worker(storage, next(numbers))
                everybody.append(workers[place])
            time.sleep(0.05)
    finally:
        for one in everybody:
            one.process.kill()
            one.process.wait()
    assert "Traceback" not in "".join(one.errors.read_text() for one in everybody)
    return killed


def check(storage):
    """Every point once, with the value that its own run printed."""
    shown = capture("sweep", "status", "--json", "--storage", storage)
    found = json.loads(shown.stdout)
    assert found["count"] == TRIALS
    assert Counter(trial["state"] for trial in found["trials"]) == {"finished": TRIALS}
    assert len({trial["values"]["x"] for trial in found["trials"]}) == TRIALS
    for trial in found["trials"]:
        assert trial["best"] == pytest.approx(trial["values"]["x"], abs=1e-6)
        run = json.loads((Path(trial["folder"]) / "run.json").read_text())
        assert (run["state"], run["exit_status"], run["group"]) == ("finished", 0, found["sweep"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_with_a_worker_killed_every_second_each_point_counts_once():
    killed = sweep_with_kills(os.path.abspath("sweep.journal"))
    assert killed >= TRIALS / 10
    check(os.path.abspath("sweep.journal"))


@pytest.fixture
def postgresql(tmp_path):
    """The URL of a PostgreSQL server that is started here, as Debian packages it."""
    pytest.importorskip("psycopg")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    tool = shutil.which("initdb") or (str(folders[-1] / "initdb") if folders else None)
    if tool is None:
        pytest.skip("PostgreSQL is not installed")
    binaries = folders[-1] if folders else Path(tool).parent
    data, socket = Path(f"/tmp/sweep-pg-{os.getpid()}"), tmp_path
    socket.chmod(0o777)
    as_user = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    )
    data.mkdir(mode=0o700)
    if as_user:
        shutil.chown(data, "postgres", "postgres")
    port = 20000 + os.getpid() % 20000
    done = subprocess.run(
        [*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "me", "-A", "trust", "--no-sync"],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    settings = ["-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "fsync=off"]
    # No pipe, which would be full one day: the server notes each worker that is killed.
    log = tmp_path / "postgresql.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [*as_user, str(binaries / "postgres"), "-D", str(data), *settings], stderr=errors, cwd="/"
        )
    url = f"postgresql://me@127.0.0.1:{port}/postgres"
    try:
        eventually(lambda: is_ready(url) or server.poll() is not None)
        assert server.poll() is None, log.read_text()
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=100)
        shutil.rmtree(data, ignore_errors=True)


def is_ready(url):
    import psycopg

    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.timeout(900)
def test_the_same_by_postgresql(postgresql):
    killed = sweep_with_kills(postgresql)
    assert killed >= TRIALS / 10
    check(postgresql)
