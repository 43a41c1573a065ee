"""A Slurm of four nodes on this machine, with a real slurmctld and several slurmd, as Debian packages them."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from helpers import eventually

NODES = 4
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/d.%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/d.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
{nodes}
PartitionName=p Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol")


@pytest.fixture
def slurm(monkeypatch):
    """A Slurm of this test's own, of four nodes; its commands are told where it is by SLURM_CONF."""
    if os.geteuid() != 0 or any(shutil.which(name) is None for name in NEEDED):
        pytest.skip("Slurm is not installed, or this is not root")
    folder = Path(f"/tmp/sweep-slurm-{os.getpid()}")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    host = os.uname().nodename.partition(".")[0]
    ports = free_ports(NODES + 1)
    conf = folder / "slurm.conf"
    nodes = [f"n{number}" for number in range(NODES)]
    lines = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={os.cpu_count()}"
        for name, port in zip(nodes, ports[1:])
    ]
    conf.write_text(CONF.format(host=host, folder=folder, port=ports[0], nodes="\n".join(lines)))
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
            *(["slurmd", "-D", "-N", name, "-f", str(conf)] for name in nodes),
        ):
            with (folder / f"{command[0]}.out").open("ab") as log:
                started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd="/"))
            if command[0] == "munged":
                eventually(lambda: (folder / "munge.socket").exists() or started[0].poll() is not None)
        eventually(lambda: output("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * NODES)
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count):
    """Ports that nobody listens on: another test may start a Slurm at the same time."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
