"""When a W&B run began, and how it ended, as W&B's own words have it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from capture import runs
from capture.runs import Run

KILLED = 255  # what wandb itself reports after Ctrl-C (wandb/sdk/lib/exit_hooks.py)


def exit_code(exit_status: int | None, run: Run) -> int:
    """The exit code that gives the run its state in W&B; a run that did not come to its end has failed."""
    if exit_status is None:
        return int(run.state != "finished")
    return KILLED if exit_status == runs.INTERRUPTED else exit_status


@contextmanager
def started_at(start: float) -> Iterator[None]:
    """While wandb notes when the run began, that is when the command began, and not when W&B was opened.

    wandb has no setting for it: its two modules that ask for the time get another clock for so long.
    """
    from wandb.sdk import wandb_init, wandb_run

    modules: list[Any] = [
        module for module in (wandb_init, wandb_run) if getattr(module, "time", None) is time
    ]
    for module in modules:
        module.time = _Clock(start)
    try:
        yield
    finally:
        for module in modules:
            module.time = time


class _Clock:
    """The module `time`, but for the time of day."""

    def __init__(self, now: float) -> None:
        self._now = now

    def time(self) -> float:
        return self._now

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
