"""The load of the command's processes and of the machine, sampled every few seconds.

Names say the unit: `_mb` are MiB, `_mb_s` MiB a second since the sample before.  `process/` is the sum
over the command's whole tree, `machine/` everything, `gpu/N/` one GPU.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import psutil

from capture.facts.gpu import Gpus
from capture.records import SystemSample

MB = 1 << 20


class _Reading(NamedTuple):
    """The counters at one moment of the monotonic clock."""

    at: float
    values: dict[str, float]  # as they are
    grown: dict[str, float]  # MiB so far, under the name of their rate
    cpu: dict[int, float]  # seconds so far, by process


class Sampler:
    """Samples the tree below process `pid`, but for this process; without one the machine alone."""

    def __init__(self, pid: int | None, gpus: Gpus | None = None, itself: bool = False) -> None:
        """`itself` says that process `pid` is part of the command: it has opened the Python door."""
        self._itself = itself
        self.gpus = gpus or Gpus()
        self._root: psutil.Process | None = None
        try:
            self._root = psutil.Process(pid) if pid is not None else None
        except psutil.Error:
            pass  # it has just ended
        psutil.cpu_percent()  # the first call begins the measurement
        self._before = self._read()

    def sample(self) -> SystemSample:
        """The load now; rates and CPU shares are those since the sample before."""
        before, now = self._before, self._read()
        self._before = now
        passed = max(now.at - before.at, 1e-3)
        values = dict(now.values)
        if self._root is not None:
            used = sum(seconds - before.cpu.get(pid, 0.0) for pid, seconds in now.cpu.items())
            values["process/cpu_percent"] = 100 * used / passed
        for name, total in now.grown.items():
            if name in before.grown:
                values[name] = max(0.0, total - before.grown[name]) / passed
        values |= self.gpus.sample(now.cpu.keys())
        return SystemSample(time.time(), values)

    def _read(self) -> _Reading:
        reading = _Reading(time.monotonic(), {}, {}, {})
        if self._root is not None:
            itself = [self._root] if self._itself else []
            _read_processes([*itself, *_tree(self._root)], reading)
        _read_machine(reading)
        return reading


def _tree(root: psutil.Process) -> list[psutil.Process]:
    """The processes below `root`, but for the tracker and what it has started itself."""
    try:
        found = root.children(recursive=True)
        tracker = next((process for process in found if process.pid == os.getpid()), None)
        own = [tracker, *tracker.children(recursive=True)] if tracker is not None else []
    except psutil.Error:
        return []
    return [process for process in found if process not in own]


def _read_processes(processes: list[psutil.Process], reading: _Reading) -> None:
    memory = threads = read = written = 0.0
    for process in processes:
        try:
            with process.oneshot():
                times = process.cpu_times()
                reading.cpu[process.pid] = times.user + times.system
                memory += process.memory_info().rss / MB
                threads += process.num_threads()
                if hasattr(process, "io_counters"):  # not on macOS
                    counters = process.io_counters()
                    read += counters.read_bytes / MB
                    written += counters.write_bytes / MB
        except psutil.Error:  # ended meanwhile, or another user's
            continue
    reading.values["process/memory_mb"] = memory
    reading.values["process/threads"] = threads
    reading.values["process/count"] = float(len(reading.cpu))
    reading.grown["process/disk_read_mb_s"] = read
    reading.grown["process/disk_write_mb_s"] = written


def _read_machine(reading: _Reading) -> None:
    memory = psutil.virtual_memory()
    reading.values["machine/cpu_percent"] = psutil.cpu_percent()
    reading.values["machine/memory_percent"] = memory.percent
    reading.values["machine/memory_available_mb"] = memory.available / MB
    if hasattr(os, "getloadavg"):
        reading.values["machine/load"] = os.getloadavg()[0]
    try:
        net, disk = psutil.net_io_counters(), psutil.disk_io_counters()
    except (OSError, psutil.Error, RuntimeError):  # a container that hides them
        return
    if net is not None:
        reading.grown["machine/network_sent_mb_s"] = net.bytes_sent / MB
        reading.grown["machine/network_received_mb_s"] = net.bytes_recv / MB
    if disk is not None:
        reading.grown["machine/disk_read_mb_s"] = disk.read_bytes / MB
        reading.grown["machine/disk_write_mb_s"] = disk.write_bytes / MB
