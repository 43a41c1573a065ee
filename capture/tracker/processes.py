"""Notices that several processes print without saying which of them, and that Ray leaves lines out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from capture.records import Record

FEWEST = 3  # steps that came twice, and at least half of all
MOST_SERIES = 100
_LEFT_OUT = b"x across cluster]"  # [repeated 8x across cluster]
# The options with which launchers say which process has printed a line.
OPTIONS = {
    "torchrun": "torchrun --tee 3",
    "torch.distributed.run": "python -m torch.distributed.run --tee 3",
    "torch.distributed.launch": "python -m torch.distributed.run --tee 3",
    "accelerate": "accelerate launch --tee 3",
    "srun": "srun -l",
    "mpirun": "mpirun --tag-output (MPICH: -l)",
    "mpiexec": "mpiexec --tag-output (MPICH: -l)",
    "deepspeed": "deepspeed --enable_each_rank_log FOLDER",
}
ANY = "torchrun --tee 3, srun -l or mpirun --tag-output"


class _Series:
    """The records of one parser with the same names."""

    __slots__ = ("metrics", "step", "steps", "twice")

    def __init__(self) -> None:
        self.step: object = None
        self.metrics: object = None
        self.steps = self.twice = 0


class Processes:
    """Looks at all that is printed, and at the records of it."""

    def __init__(self) -> None:
        self._series: dict[tuple[object, ...], _Series] = {}
        self._left_out = False

    def output(self, data: bytes) -> None:
        """The next bytes of the console."""
        if _LEFT_OUT in data:
            self._left_out = True

    def record(self, record: Record) -> None:
        """The next record."""
        context = record.context
        if record.step is None or "rank" in context or "worker" in context or "bar" in context:
            return
        key = (record.parser, *record.metrics, *context.items())
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MOST_SERIES:
                return
            series = self._series[key] = _Series()
        if record.step != series.step:
            series.step, series.metrics = record.step, record.metrics
            series.steps += 1
        elif series.metrics is not None:
            series.twice += record.metrics != series.metrics
            series.metrics = None  # one more process is no other step

    def notes(self, command: Sequence[str]) -> list[str]:
        """The lines of the closing block; `command` is the run's."""
        notes = []
        for series in self._series.values():
            if series.twice >= FEWEST and 2 * series.twice >= series.steps:
                words = [os.path.basename(word) for word in command]
                option = next((OPTIONS[word] for word in words if word in OPTIONS), ANY)
                notes.append(
                    f"{series.twice} of {series.steps} steps came more than once with other values: several "
                    f"processes print, and nothing says which; tell them apart with: {option}"
                )
                break
        if self._left_out:
            notes.append(
                "Ray has left out lines that differ only in their numbers, and their metrics with them; to "
                "have them all: RAY_DEDUP_LOGS=0 (capture -- COMMAND sets it)"
            )
        return notes
