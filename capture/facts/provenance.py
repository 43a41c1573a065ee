"""Where a run comes from: code, packages, environment, machine.

All of it is found out beside the command, after its start, and nothing of it is waited for.  Each
part can be left out (`collect:` in the configuration).
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from capture.facts.gpu import Gpus

DIFF_LIMIT = 1 << 20  # bytes of a diff
SLOWEST = 30.0  # seconds that a process may take which is asked something
# What places a process in a job, a pod or a group of ranks; nothing that could hold a secret.
_PLACES = re.compile(
    r"SLURM_(JOB_ID|JOB_NAME|JOB_PARTITION|JOB_NUM_NODES|NTASKS|PROCID|ARRAY_\w+|NODELIST|CLUSTER_NAME)"
    r"|(LOCAL_|GROUP_)?(RANK|WORLD_SIZE)|NODE_RANK|MASTER_(ADDR|PORT)|TORCHELASTIC_RUN_ID"
    r"|KUBERNETES_SERVICE_HOST|POD_NAME(SPACE)?|NODE_NAME|HOSTNAME"
    r"|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|OMP_NUM_THREADS"
    r"|VIRTUAL_ENV|CONDA_DEFAULT_ENV|CI|GITHUB_(SHA|REF|RUN_ID|REPOSITORY)|LSB_JOBID|PBS_JOBID|USER"
)
_OF_A_PROCESS = re.compile(r"/dev/(fd/|std)|/proc/")  # descriptors: here they are ours, not the command's
# Starts isolated (`-I`), so that neither the folder nor a variable decides what is imported; the folders that
# the command itself would look in are only searched for metadata.
_LIST_PACKAGES = (
    "import json, os, platform, site, sys\nfrom importlib.metadata import distributions\n"
    "more = [place for place in os.environ.get('PYTHONPATH', '').split(os.pathsep) if os.path.isabs(place)]\n"
    "path = [*more, *sys.path, site.getusersitepackages()]\n"
    "found = {d.metadata['Name']: d.version for d in distributions(path=path) if d.metadata['Name']}\n"
    "facts = {'version': platform.python_version(), 'executable': sys.executable, 'packages': found}\n"
    "print(json.dumps(facts))"
)
# What a repository's own configuration may start is not started.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "--no-pager")
# Programs that start the one that is named behind them.
_LAUNCHERS = frozenset(
    """env nohup nice time timeout setsid stdbuf ionice taskset numactl sudo srun mpirun mpiexec horovodrun
    jsrun uv poetry pipenv pdm hatch rye pixi conda mamba micromamba""".split()  # noqa: SIM905
)
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")


def git(cwd: Path) -> tuple[dict[str, Any], str]:
    """The state of the work tree that holds `cwd`, and what differs from its commit; empty without one."""
    status = _ask([*_GIT, "status", "--porcelain", "--untracked-files=no"], cwd)
    if status is None:
        return {}, ""
    facts: dict[str, Any] = {"dirty": bool(status.strip())}
    remote = _ask([*_GIT, "config", "--get", "remote.origin.url"], cwd)
    if remote and remote.strip():
        facts["remote"] = remote.strip()
    diff = [*_GIT, "diff", "--no-ext-diff", "--no-textconv", "HEAD"]
    return facts, (_ask(diff, cwd) or "")[:DIFF_LIMIT] if facts["dirty"] else ""


def packages(command: Sequence[str], cwd: Path, path: str | None) -> dict[str, Any]:
    """Version and packages of the command's own Python; empty where it is no Python program."""
    interpreter = interpreter_of(command, cwd, path)
    answer = _ask([*interpreter, "-I", "-c", _LIST_PACKAGES], cwd) if interpreter else None
    try:
        found: dict[str, Any] = json.loads(answer or "")
    except ValueError:
        return {}
    return found


def interpreter_of(command: Sequence[str], cwd: Path, path: str | None) -> list[str]:
    """The Python that runs the command: its program, or named in the first line of the script that this is.

    Only what the command itself would start is ever started: a file that it merely names is not looked at.
    """
    at = 0
    while at < len(command) - 1 and os.path.basename(command[at]) in _LAUNCHERS:
        # The next word that can be a program: `mpirun -np 4 /opt/venv/bin/python train.py`.
        at = next(
            (i for i in range(at + 1, len(command)) if _is_program(command[i], cwd, path)), len(command)
        )
    if at >= len(command):
        return []
    word = command[at]
    if _PYTHON.fullmatch(os.path.basename(word)):
        return [word]
    found = shutil.which(word, path=path) if os.sep not in word else str(cwd / word)
    if found is None or not is_regular(found):
        return []
    try:
        with open(found, "rb") as file:
            first = file.readline(500)
    except OSError:
        return []
    shebang = re.match(rb"#!\s*(\S*(?:python|pypy)[\d.]*)\s*$|#!\s*\S*env (python[\d.]*)\s*$", first)
    if shebang:
        return [(shebang[1] or shebang[2]).decode("utf-8", "replace")]
    if first.startswith(b"#!/bin/sh") and (beside := Path(found).with_name("python")).exists():
        return [str(beside)]  # pip writes this for long paths
    return []


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether a file can be looked into without taking anything from the command.

    Not a FIFO, a device, or `/dev/fd/N`: what is read from these is gone, and a writer that waited for the
    command would die of SIGPIPE.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and not _OF_A_PROCESS.match(os.path.abspath(path))
    except (OSError, ValueError):
        return False


def _is_program(word: str, cwd: Path, path: str | None) -> bool:
    if word.startswith("-") or "=" in word:
        return False
    name = str(cwd / word) if os.sep in word else word
    return _PYTHON.fullmatch(os.path.basename(word)) is not None or shutil.which(name, path=path) is not None


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What places the run: the job, the pod, the rank, the container, the virtual environment."""
    facts = {name: value for name, value in sorted(environ.items()) if _PLACES.fullmatch(name) and value}
    if os.path.exists("/.dockerenv"):
        facts["container"] = "docker"
    elif os.path.exists("/run/.containerenv"):
        facts["container"] = "podman"
    elif "SINGULARITY_NAME" in environ or "APPTAINER_NAME" in environ:
        facts["container"] = environ.get("APPTAINER_NAME") or environ["SINGULARITY_NAME"]
    return facts


def hardware() -> dict[str, Any]:
    """The machine: processor, memory, GPUs and their driver."""
    import psutil  # slow

    facts: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
    }
    gpus = Gpus()
    if gpus.names:
        facts |= {"gpus": gpus.names, "gpu_driver": gpus.driver}
    gpus.close()
    return facts


def _ask(command: Sequence[str], cwd: Path) -> str | None:
    """What a process prints; None where it can't be started, fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SLOWEST,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "PYTHONSTARTUP": ""},
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
