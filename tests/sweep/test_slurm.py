"""A sweep as a Slurm array: on one machine, with a real slurmctld and slurmd, as Debian packages them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, eventually

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={port}
SlurmdPort={port_of_node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/d.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/d.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=p Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol")
TRAIN = "import sys; print('epoch 1: val_loss=' + sys.argv[1])"


@pytest.fixture
def slurm(monkeypatch):
    """A Slurm of this test's own; its commands are told where it is by SLURM_CONF."""
    if os.geteuid() != 0 or any(shutil.which(name) is None for name in NEEDED):
        pytest.skip("Slurm is not installed, or this is not root")
    folder = Path(f"/tmp/sweep-slurm-{os.getpid()}")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    host = os.uname().nodename.partition(".")[0]
    port = 20000 + os.getpid() % 20000
    conf = folder / "slurm.conf"
    names = {"host": host, "folder": folder, "cpus": os.cpu_count(), "port": port, "port_of_node": port + 1}
    conf.write_text(CONF.format(**names))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    monkeypatch.setenv("SLURM_CONF", str(conf))
    munge = [
        "--key-file",
        "munge.key",
        "--socket",
        "munge.socket",
        "--pid-file",
        "munge.pid",
        "--log-file",
        "munge.log",
    ]
    munge = [word if word.startswith("--") else str(folder / word) for word in munge]
    started = []
    try:
        for command in (
            ["munged", "--foreground", "--force", "--seed-file", str(folder / "seed"), *munge],
            ["slurmctld", "-D", "-i", "-f", str(conf)],
            ["slurmd", "-D", "-f", str(conf)],
        ):
            with (folder / f"{command[0]}.out").open("wb") as log:
                started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd="/"))
            if command[0] == "munged":
                eventually(lambda: (folder / "munge.socket").exists() or started[0].poll() is not None)
        eventually(lambda: "idle" in output("sinfo", "-h", "-o", "%T"))
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(100)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
@pytest.mark.services
def test_an_array_of_workers_does_one_sweep(slurm):
    storage = os.path.abspath("sweep.journal")
    words = [
        "x=1,2,3,4,5,6",
        "--metric",
        "min val_loss",
        "--to",
        "jsonl",
        "--storage",
        storage,
        "--id",
        "array",
    ]
    line = " ".join(
        [*CAPTURE, "sweep", *(f"'{word}'" for word in words), "--", sys.executable, "train.py", "{x}"]
    )
    Path("train.py").write_text(TRAIN)
    Path("job.sh").write_text(f"#!/bin/sh\n{line}\n")
    done = subprocess.run(
        ["sbatch", "--array=1-3", "--wait", "job.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    logs = [path.read_text() for path in Path().glob("slurm-*.out")]
    assert done.returncode == 0, (done.stderr, logs)
    assert len(logs) == 3
    shown = capture("sweep", "status", "--json", "--storage", storage)
    found = json.loads(shown.stdout)
    assert [trial["state"] for trial in found["trials"]] == ["finished"] * 6
    assert sorted(trial["best"] for trial in found["trials"]) == [1, 2, 3, 4, 5, 6]
    assert sum(log.count(" started: ") for log in logs) == 6
    assert all("sweep array: grid, 6 trials" in log for log in logs)
