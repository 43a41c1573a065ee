"""Delivery of one run: a worker for each backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capture.delivery.worker import DeliveryResult

if TYPE_CHECKING:
    from capture.facts.system import SystemSample

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture.delivery.adapter import Adapter, ConsoleLine
from capture.delivery.worker import Worker
from capture.runs import Run


class Delivery:
    """Delivers one run to its backends while its records are being written."""

    def __init__(self, run: Run, folder: Path, adapters: Mapping[str, Callable[[], Adapter]]) -> None:
        self._workers = [Worker(name, make, run, folder) for name, make in adapters.items()]

    def start(self) -> None:
        """Start the threads; nothing is opened before the first record with metrics."""
        for worker in self._workers:
            worker.thread.start()

    def wake(self) -> None:
        """Say that records were added."""
        for worker in self._workers:
            worker.woken.set()

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Hand over finished lines of the console."""
        for worker in self._workers:
            worker.lines.put(lines)

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Hand over samples of the load."""
        for worker in self._workers:
            worker.samples.extend(samples)
            worker.woken.set()

    def config(self, values: Mapping[str, Any]) -> None:
        """Hand over config that is known only now."""
        for worker in self._workers:
            worker.facts.append(values)
            worker.woken.set()

    def finish(self, exit_status: int | None, timeout: float | None) -> list[DeliveryResult]:
        """Say that the records are complete, and wait for the backends, `timeout` seconds in all."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for worker in self._workers:
            worker.exit_status = exit_status
            worker.complete.set()
            worker.woken.set()
        for worker in self._workers:
            worker.thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return [worker.outcome() for worker in self._workers]
