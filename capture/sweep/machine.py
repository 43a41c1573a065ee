"""The processes of this machine: which worker this is, which one is gone, and what that has left behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil


def identity() -> dict[str, Any]:
    """What tells this worker from all others: its machine, the process and its start."""
    host = socket.gethostname()
    place = ""
    try:
        place = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        place += os.readlink("/proc/self/ns/pid")  # a container has process ids of its own
    except OSError:
        pass  # macOS
    started = round(psutil.Process().create_time(), 2)
    return {"host": host, "machine": f"{host}/{place}", "pid": os.getpid(), "started": started}


def has(worker: Mapping[str, Any]) -> bool:
    """Whether a worker of this machine still exists."""
    try:
        process = psutil.Process(worker["pid"])
        same = abs(process.create_time() - worker["started"]) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_runs(left: Collection[tuple[str, str]]) -> None:
    """End the runs that dead workers of this machine have left behind.

    Each is told by its id and by the folder that holds all runs: another sweep may have the same name.
    """
    if not left:
        return
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if (_after("--id", words), _after("--dir", words)) in left:
            try:
                process.terminate()
            except psutil.Error:
                pass


def _after(option: str, words: Sequence[str]) -> str:
    """The value of an option in a command line; empty if it is not there."""
    return words[words.index(option) + 1] if option in words[:-1] else ""


def pipe() -> tuple[int, int]:
    """A pipe whose ends never block."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
