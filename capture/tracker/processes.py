"""Notices that several processes print without saying which of them, and that Ray leaves lines out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from capture.parsing.engine import ReadLine

FEWEST = 3  # steps that came twice, and at least half of all
MOST_SHAPES = 100
_NUMBER = re.compile(r"\d+")
_LEFT_OUT = "x across cluster]"  # [repeated 8x across cluster]
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


class _Shape:
    """The lines that differ in their digits alone."""

    __slots__ = ("metrics", "step", "steps", "twice")

    def __init__(self) -> None:
        self.step: object = None
        self.metrics: object = None
        self.steps = self.twice = 0


class Processes:
    """Looks at all lines that are read."""

    def __init__(self) -> None:
        self._shapes: dict[str, _Shape] = {}
        self._left_out = False

    def note(self, line: ReadLine) -> None:
        """What the engine made of a line."""
        if _LEFT_OUT in line.text:
            self._left_out = True
        if len(line.records) != 1 or line.records[0].step is None:
            return
        record = line.records[0]
        if "rank" in record.context or "worker" in record.context or "bar" in record.context:
            return
        text = _NUMBER.sub("0", line.text)
        shape = self._shapes.get(text)
        if shape is None:
            if len(self._shapes) >= MOST_SHAPES:
                return
            shape = self._shapes[text] = _Shape()
        if record.step != shape.step:
            shape.step, shape.metrics = record.step, record.metrics
            shape.steps += 1
        elif shape.metrics is not None:
            shape.twice += record.metrics != shape.metrics
            shape.metrics = None  # one more process is no other step

    def notes(self, command: Sequence[str]) -> list[str]:
        """The lines of the closing block; `command` is the run's."""
        notes = []
        for shape in self._shapes.values():
            if shape.twice >= FEWEST and 2 * shape.twice >= shape.steps:
                words = [os.path.basename(word) for word in command]
                option = next((OPTIONS[word] for word in words if word in OPTIONS), ANY)
                notes.append(
                    f"{shape.twice} of {shape.steps} steps came more than once with other values: several "
                    f"processes print, and nothing says which; tell them apart with: {option}"
                )
                break
        if self._left_out:
            notes.append(
                "Ray has left out lines that differ only in their numbers, and their metrics with them; to "
                "have them all: RAY_DEDUP_LOGS=0 (capture -- COMMAND sets it)"
            )
        return notes
