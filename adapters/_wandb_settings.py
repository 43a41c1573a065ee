"""What W&B is told when a run is opened: who it is, and wandb's own settings."""

from __future__ import annotations

import os
import shutil
from typing import Any

from capture.adapters import _wandb_shared
from capture.adapters._wandb_start import watched_process
from capture.runs import Run

# Private settings of wandb, which may change: an unknown one is left out.
PRIVATE: dict[str, Any] = {
    "x_transaction_log_flush_interval": 1,  # a kill loses a second, not half a minute
    "x_file_stream_transmit_interval": 1,
    "x_file_stream_retry_wait_max_seconds": 10,  # a server that is back is seen before `--wait` is over
    "x_save_requirements": False,  # those of the command are elsewhere
}
INIT_TIMEOUT = 30.0  # seconds; the attempts after it are `delivery`'s


def identity(run: Run, shared: bool) -> dict[str, Any]:
    """Who the run is: as told, else as W&B's own variables say, else as `capture` calls it.

    Of ranks that share it the first one says it.
    """
    told, environ = run.settings, os.environ.get
    options = told.get("wandb") or {}
    tags = [tag.strip() for tag in environ("WANDB_TAGS", "").split(",") if tag.strip()]
    identity = {
        "entity": options.get("entity") or environ("WANDB_ENTITY"),
        "project": told.get("project") or environ("WANDB_PROJECT") or run.project,
        "name": told.get("name") or environ("WANDB_NAME") or run.name,
        "notes": run.notes or environ("WANDB_NOTES"),
        "tags": run.tags or tags or None,
        "group": run.group or environ("WANDB_RUN_GROUP"),
        "job_type": options.get("job_type") or environ("WANDB_JOB_TYPE"),
    }
    return _wandb_shared.place(identity) if shared and _wandb_shared.rank_of(run) else identity


def words(run: Run) -> list[str]:
    """The command; a followed log has none."""
    return run.command or [run.name]


def settings(wandb: Any, run: Run, shared: bool) -> Any:
    """wandb's settings; `shared` says that other ranks send a part of this run by themselves."""
    settings = wandb.Settings(
        console="off",
        silent=True,
        quiet=True,
        program=words(run)[0],
        git_commit=run.git.get("commit"),
        disable_git=True,  # no diff of the user's work tree is sent
        save_code=False,
        host=run.host or None,
    )
    watched = watched_process(run)
    private = {
        **PRIVATE,
        "x_executable": shutil.which(words(run)[0]),
        "x_disable_stats": watched is None,
        "x_stats_pid": watched,
        "x_stats_track_process_tree": True,
        "x_stats_sampling_interval": float(run.settings.get("system") or 10),
    }
    if shared:
        private |= _wandb_shared.settings(_wandb_shared.rank_of(run))
    if "WANDB_INIT_TIMEOUT" not in os.environ:
        private["init_timeout"] = INIT_TIMEOUT
    for name, value in private.items():
        try:
            setattr(settings, name, value)
        except (AttributeError, ValueError):
            continue
    return settings
