"""Where in the run a line of an unknown program stands: what it says itself, or what was said before."""

from __future__ import annotations

from capture.language.numbers import Value
from capture.language.readers import Memory
from capture.parsers.general.line import Statement
from capture.parsers.general.tokens import EACH_EPOCH

MOST_TOTALS = 64  # lengths of epochs that are told apart
MOST_NAMES = 4000  # characters


def place(line: Statement, memory: Memory) -> dict[str, Value]:
    """The line's own place, or that of the line or heading before; with the fold and the bar, if any."""
    epoch: Value | None = line.epoch
    step: Value | None = line.step
    names, given = "\n".join(["", *sorted(line.metrics), ""]), ""
    if line.placed:
        if epoch is None:
            epoch = memory.get("epoch")
        if line.steps and step is not None and isinstance(epoch, (int, float)):
            step = _counted_on(epoch, line, memory)
    else:
        epoch = memory.get("epoch")
        step = memory.get("step") if memory.get("step's epoch", str(epoch)) == str(epoch) else None
        given = str(memory.get("given", "")) if memory.get("place") == f"{epoch} {step}" else ""
        if names in given:  # the same again without a place of its own: the run has moved on
            epoch = step = None
    found = {"epoch": epoch, "step": step, "fold": line.fold, "bar": line.bar or None}
    for name in ("epoch", "step"):
        memory.pop(name, None)
    known = {name: value for name, value in found.items() if value is not None}
    memory |= {name: value for name, value in known.items() if name in ("epoch", "step")}
    memory |= {
        "step's epoch": str(epoch),
        "place": f"{epoch} {step}",
        "given": (given + names)[-MOST_NAMES:],
    }
    return known


def _counted_on(epoch: float, line: Statement, memory: Memory) -> int:
    """The step, counted through the run where it starts over in each epoch."""
    step, steps = int(line.step or 0), int(line.steps or 0)
    first = memory.setdefault("first", epoch)
    if isinstance(first, str) or epoch < first:
        first = memory["first"] = epoch
    key = f"last of {steps}"
    last = memory.get(key)
    if line.weight == EACH_EPOCH or (isinstance(last, str) and _starts_over(last, epoch, step)):
        memory["starts over"] = 1
    if last is not None or len(memory) < MOST_TOTALS:
        memory[key] = f"{epoch} {step}"
    return step + int(epoch - first) * steps if "starts over" in memory else step


def _starts_over(last: str, epoch: float, step: int) -> bool:
    last_epoch, last_step = last.split(" ")
    return epoch > float(last_epoch) and step <= int(last_step)
