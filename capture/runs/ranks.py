"""A job that starts `capture` once for each of its ranks: which of them this is, and the run that all make.

Rank 0 makes the run.  Each other rank records what its command prints in a folder of its own, `RUN/ranks/N`:
every file has one writer, whatever file system they share.  On the way of every start: the standard library
only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capture.runs import folder as folders
from capture.runs.model import PathLike

RANKS = "ranks"  # the folder in that of the run
AUTO, NEVER = "auto", "never"  # values of `--join`; any other one is the run's id
# Variables that tell a process its rank, and how many there are.
VARIABLES = (
    ("RANK", "WORLD_SIZE"),  # torchrun, Kubeflow
    ("PET_NODE_RANK", "PET_NNODES"),  # Kubeflow, around torchrun
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ("JOB_COMPLETION_INDEX", ""),  # an indexed job of Kubernetes does not tell its size
)
# What names a job and no other one of this file system.
JOBS = ("mpi-{PMIX_NAMESPACE}", "torchrun-{TORCHELASTIC_RUN_ID}", "slurm-{SLURM_JOB_ID}.{SLURM_STEP_ID}")
APART = frozenset(["CAPTURE_RUN_DIR", "WANDB_SWEEP_ID"])  # with one of these a process is on its own
NO_RUN_ID = "torchrun-none"  # unless `--rdzv-id` says another one
LATE = 5.0  # seconds by which a rank may begin after another one


class Place(NamedTuple):
    """One of the ranks of a job: `size` is how many there are, 0 where that is not known."""

    rank: int
    size: int
    job: str  # the run's id, but for the number of a later run of the same job


def place(environ: Mapping[str, str], join: str = AUTO) -> Place | None:
    """Which rank of which job this process is; None if it makes a run of its own.

    `join` is the user's `--join`.  A program that a run has started is part of that run already, and what
    W&B's agent starts is a run of its own, wherever the agent is.
    """
    if join == NEVER or (join == AUTO and not APART.isdisjoint(environ)):
        return None
    for rank, size in VARIABLES:
        number, count = environ.get(rank, ""), environ.get(size, "") if size else "0"
        if not (number.isdecimal() and count.isdecimal()) or count == "1":
            continue
        job = _job(environ) if join == AUTO else join
        if job:
            return Place(int(number), int(count), job)
    return Place(0, 1, join) if join != AUTO else None


def without_job(environ: Mapping[str, str]) -> str:
    """Who makes a run of its own since nothing names its job: `rank 1 of 2`.  Empty for all others."""
    rank, size = (environ.get(name, "") for name in VARIABLES[0])
    if not (rank.isdecimal() and size.isdecimal() and int(size) > 1):
        return ""
    alone = APART.isdisjoint(environ) and place(environ) is None
    return f"rank {int(rank)} of {int(size)}" if alone else ""


def _job(environ: Mapping[str, str]) -> str:
    """An id of the job from what its launcher says; empty where that says nothing."""
    for form in JOBS:
        try:
            found = form.format_map(environ)
        except KeyError:
            continue
        if found != NO_RUN_ID:
            return re.sub(r"[^\w.-]+", "-", found)[:90]
    return ""


def choose_id(base: PathLike, project: str, place: Place, resume: str) -> str:
    """The id of the run that this rank begins, or takes part in.

    A job may make one run after another.  Each rank counts its own, so that they agree without a word: it is
    the first id of which this rank has recorded nothing.
    """
    number = 1
    while True:
        run_id = place.job if number == 1 else f"{place.job}-{number}"
        run = folders.folder_of(base, project, run_id)
        mine = os.path.join(folder_of(run, place.rank), folders.RUN_FILE)
        if resume != "never" or not os.path.exists(mine):
            return run_id
        number += 1


def folder_of(run: PathLike, rank: int) -> str:
    """The folder in which a rank records: the run's own for rank 0."""
    return os.path.join(run, RANKS, str(rank)) if rank else os.fspath(run)


def present(run: PathLike) -> list[int]:
    """The ranks but 0 that have begun to record, in their order."""
    try:
        names = os.listdir(os.path.join(run, RANKS))
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isdecimal())


def named(numbers: Sequence[int]) -> str:
    """Ranks as they are told: `rank 1`, `ranks 1, 2, 3`, of many the first ones."""
    shown = ", ".join(map(str, numbers[:8])) + ", ..." * (len(numbers) > 8)
    return f"rank{'s' * (len(numbers) > 1)} {shown}"
