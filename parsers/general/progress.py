"""How far the run is: what a line of an unknown program says itself, or what the lines before it say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from capture.language.numbers import Value
from capture.language.readers import Memory
from capture.parsers import vocabulary
from capture.parsers.general.line import Statement

MOST_TOTALS = 64  # lengths of epochs that are told apart
MOST_NAMES = 4000  # characters


@dataclass
class Progress:
    """How far the run is, from line to line.

    The epoch and step that a line without a position belongs to are in the parser's memory, since the
    patterns for headings (`Epoch 3/25`) set them as well.
    """

    last: tuple[Value | None, Value | None] | None = None  # epoch and step of the line before
    said: Value | None = None  # the epoch that a line of metrics has said last, not a heading or `lr` alone
    names: str = ""  # of the metrics printed at `last`, each between line breaks
    first_epoch: float | None = None  # that was seen
    last_of_total: dict[int, tuple[float, int]] = field(
        default_factory=dict
    )  # epoch and step of `step 3/100`
    starts_over: bool = False  # the step does, in each epoch

    def begin_step(self) -> None:
        """A heading has said the step: the lines below it are of that step, in a new epoch, too."""
        self.last = None

    def place(self, line: Statement, memory: Memory) -> Mapping[str, Value]:
        """Epoch and step of the line, or of the line or heading before it; fold and bar, if it has any.

        The epoch and step in `memory` are changed to those returned.
        """
        epoch: Value | None = line.epoch
        step: Value | None = line.step
        names, printed = _listed(tuple(line.metrics)), ""
        if epoch is not None or step is not None:
            if epoch is not None and not all(map(vocabulary.is_learning_rate, line.metrics)):
                self.said = epoch
            if epoch is None:
                epoch = memory.get("epoch")
            if line.steps and step is not None and isinstance(epoch, (int, float)):
                step = self._step_of_run(epoch, int(step), int(line.steps), line.step_of_epoch)
        else:
            epoch = memory.get("epoch")
            step = memory.get("step") if self.last is None or self.last[0] == epoch else None
            printed = self.names if self.last == (epoch, step) else ""
            if names in printed:  # the same metrics again without a position: the run has moved on
                step = None
                if epoch == self.said:  # no heading's
                    epoch = None
        self.last = (epoch, step)
        self.names = (printed + names)[-MOST_NAMES:]
        found: dict[str, Value] = {}
        for name, value in (("epoch", epoch), ("step", step)):
            if value is None:
                memory.pop(name, None)
            else:
                memory[name] = found[name] = value
        if line.fold is not None:
            found["fold"] = line.fold
        if line.bar:
            found["bar"] = line.bar
        return found

    def _step_of_run(self, epoch: float, step: int, steps: int, step_of_epoch: bool) -> int:
        """The step of the run for step `step` of `steps`, which may start over in each epoch.

        `step_of_epoch` says that it certainly does.
        """
        if self.first_epoch is None or epoch < self.first_epoch:
            self.first_epoch = epoch
        last = self.last_of_total.get(steps)
        if step_of_epoch or (last and epoch > last[0] and step <= last[1]):
            self.starts_over = True
        if last or len(self.last_of_total) < MOST_TOTALS:
            self.last_of_total[steps] = (epoch, step)
        return step + int(epoch - self.first_epoch) * steps if self.starts_over else step


@lru_cache(maxsize=256)
def _listed(names: tuple[str, ...]) -> str:
    """Each name between line breaks, in an order of their own."""
    return "\n".join(["", *sorted(names), ""])
