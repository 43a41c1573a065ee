"""Lines of the closing block: how a run ended, a loss that is no number, and what each backend has got."""

from __future__ import annotations

import time
from pathlib import Path

from capture import runs
from capture.delivery.worker import DeliveryResult
from capture.runs import ranks
from capture.runs.recording import RecordingReader
from capture.runs.recordings import RanksReader
from capture.runs.status import unlike_rank_0
from capture.tracker.closing import NOWHERE, Summary, clock


def how_it_ended(run: runs.Run) -> str:
    """The exit status, or what else ended it, and how long it took."""
    took = clock(runs.duration(run, time.time()))
    status = "ended" if run.exit_status is None else f"exit status {run.exit_status}"
    outcome = runs.outcome(run)
    status = outcome if outcome in ("crashed", "interrupted") else status
    if run.stopped_by:
        status = f"stopped by {run.stopped_by!r}, {status}"
    return f"{status}, {took}"


def on_broken(summary: Summary, console: Path) -> list[str]:
    """The line on a loss that is nan or infinite; `console` is the run's `console.log`."""
    found = summary.broken
    if found is None:
        return []
    step = f" at step {found.place.step}" if found.place.step is not None else f" in {found.place}"
    line = ""
    if found.place.offset != NOWHERE:
        line = f", console line {_line_of(console, found.place.offset)}"
    more = summary.broken_count - 1
    note = f"{found.name} is {found.value}{step.removesuffix(' in ')}{line}"
    also = "1 more value is" if more == 1 else f"{more} more values are"
    return [f"{note}; {also} not finite" if more else note]


def on_ranks(reader: RecordingReader | RanksReader, run: runs.Run, folder: Path, place: str) -> list[str]:
    """The lines on ranks that record for themselves: those that have failed, or are not all there.

    `run` is rank 0's, and `place` is how its folder is shown.
    """
    if alone := run.settings.get("alone"):
        return [
            f"{alone}, by RANK and WORLD_SIZE; --join NAME, the same for all ranks, makes one run of them"
        ]
    failed = unlike_rank_0(folder, run)
    if running := reader.running():
        return [
            *failed,
            f"{ranks.named(running)} went on after rank 0; what they print later: capture sync {place}",
        ]
    if (missing := reader.missing) and (reader.others or run.to != ["wandb"]):
        return [*failed, f"{ranks.named(missing)} recorded nothing here: do all ranks share this folder?"]
    return failed


def on_backend(result: DeliveryResult) -> list[str]:
    """Where it shows the run, or what is missing there."""
    notes = [f"{result.name}: {note}" for note in result.notes]
    if result.error:
        return [f"{result.name}: {result.delivered} of {result.total} delivered: {result.error}", *notes]
    name = f"{result.name} (offline)" if result.offline else result.name
    return [*(f"{name}: {link}" for link in result.links), *notes]


def _line_of(path: Path, offset: int) -> int:
    """The number of the line in a file, from 1, that begins at or before this offset."""
    with path.open("rb") as file:
        parts = iter(lambda: file.read(min(1 << 20, offset - file.tell())), b"")
        return 1 + sum(part.count(b"\n") for part in parts)
