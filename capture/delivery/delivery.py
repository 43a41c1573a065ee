"""Delivery of one run: a worker for each backend.  The run's folder is the only queue.

A worker reads everything itself, from the first record on, and leaves out what its backend holds already.
So memory is bounded whatever the backend does, and a tracker that is started again, a later `capture sync`
and a backend that joins then give the same run as a live one.  `delivered/ADAPTER.json` says how far each is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from capture.delivery.adapter import Adapter
from capture.delivery.naming import Axes, Namer
from capture.delivery.worker import DeliveryResult, Worker
from capture.runs import Run


class Delivery:
    """Delivers one run to its backends while its files are being written."""

    def __init__(
        self,
        run: Run,
        folder: Path,
        adapters: Mapping[str, Callable[[], Adapter]],
        axes: Mapping[str, Axes],
    ) -> None:
        """`adapters` make the adapters, by name; `axes` are those of the run's parsers, by name."""

        def make_namer() -> Namer:
            return Namer(axes, run.settings.get("rename", {}))

        self._workers = [Worker(name, make, run, folder, make_namer) for name, make in adapters.items()]

    def start(self) -> None:
        """Start the threads; nothing is opened before the first record with metrics."""
        for worker in self._workers:
            worker.thread.start()

    def wake(self) -> None:
        """Say that the folder has something new."""
        for worker in self._workers:
            worker.woken.set()

    def links(self) -> list[str]:
        """Where the backends show the run, as far as it is open there."""
        return [link for worker in self._workers for link in worker.links()]

    def finish(self, exit_status: int | None, timeout: float | None) -> list[DeliveryResult]:
        """Say that the files are complete, and wait for the backends.

        Args:
            exit_status: the command's, as a shell gives it; None where nothing tells it.
            timeout: seconds for all backends together; None waits without end.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for worker in self._workers:
            worker.exit_status = exit_status
            worker.complete.set()
            worker.woken.set()
        for worker in self._workers:
            worker.thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return [worker.result() for worker in self._workers]
