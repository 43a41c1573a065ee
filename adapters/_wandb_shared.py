"""One W&B run of several ranks that share no folder: each sends what it has by itself, in W&B's shared mode.

Where the ranks do share a folder, rank 0's tracker has all there is, and W&B sees one writer.  See
https://docs.wandb.ai/guides/track/log/distributed-training ("Track all processes to a single run").
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.runs import Run, ranks

MEET = 10.0  # seconds in which rank 0 sees another one in its folder, if they share it
LOOK = 0.2  # seconds between two looks
MOST_RANKS = 256  # whose axis is said


def is_shared(run: Run, folder: Path) -> bool:
    """Whether other ranks send a part of this run by themselves."""
    job = run.settings.get("job")
    if not job or job["size"] == 1:
        return False
    if job["rank"]:
        return True  # else its tracker would not go on: see `capture.tracker.first_rank`
    deadline = time.monotonic() + MEET
    while not ranks.present(folder):
        if time.monotonic() > deadline:
            return True
        time.sleep(LOOK)
    return False


def rank_of(run: Run) -> int:
    """The rank that this process is, 0 where there are no others."""
    return int(run.settings.get("job", {}).get("rank", 0))


def place(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Of who a run is, only where: rank 0 says the rest."""
    return {name: identity[name] for name in ("entity", "project")}


def defined(name: str) -> list[str]:
    """What a rank defines for a metric of its own: rank 0's of that name, too, which it replaces."""
    return [name.partition("/")[2], name] if name.startswith("rank") and "/" in name else [name]


def others(run: Run) -> Iterator[str]:
    """The names that other ranks log, to say what they are drawn over: the run has one config.

    W&B keeps the config that came last, so each rank defines what all of them log.
    """
    size = run.settings["job"]["size"] or MOST_RANKS
    return (f"rank{rank}/*" for rank in range(1, min(size, MOST_RANKS)))


def settings(rank: int) -> dict[str, Any]:
    """wandb's settings that say which of the writers this is."""
    first = rank == 0
    return {
        "x_label": f"rank{rank}",
        "x_primary": first,
        "x_update_finish_state": first,
    }


def stored(folder: Path) -> int:
    """How many rows W&B has of this rank: nobody can ask its server, so what was noted last counts."""
    try:
        rows = runs.read_object(folder / runs.DELIVERED / runs.note_name("wandb")).get("rows", 0)
    except (OSError, ValueError):
        return 0
    return int(rows)
