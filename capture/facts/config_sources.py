"""What a run knows by itself: gathered beside the command, kept in the run's folder.

`config.json` holds every hyperparameter with where it came from, `provenance.json` the rest,
`git.diff` the changes that are not committed.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from capture import runs
from capture.facts import hyperparameters
from capture.redaction import Redactor

# Where a value is from that the program itself has told: on its console, or to the Python door.
PRINTED, LOGGED = "printed", "logged"

COLLECTED = ("command", "files", "git", "packages", "environment", "hardware")  # unless `collect:` says less

log = logging.getLogger(__name__)

Sources = dict[str, dict[str, Any]]  # where from, and what was said there; the one that wins last


def asked(folder: Path, run: runs.Run, redactor: Redactor) -> Sources:
    """The hyperparameters that the run was asked to have, by where they come from.

    Found once: the files that the command names may change while it runs.
    """
    try:
        known = runs.read_object(folder / runs.CONFIG)
        for where in (PRINTED, LOGGED):  # they are read again
            known.pop(where, None)
        if all(isinstance(values, dict) for values in known.values()):
            return known
    except (OSError, ValueError):
        pass
    collect = run.settings.get("collect", COLLECTED)
    found: Sources = {}
    if "files" in collect:
        found |= hyperparameters.of_files(run.command, Path(run.cwd))
    if "command" in collect:
        found["command line"] = hyperparameters.of_command(run.command)
    found["capture"] = run.config
    masked = {where: redactor.values(values) for where, values in found.items() if values}
    note(folder, masked)
    return masked


def note(folder: Path, config: Sources) -> None:
    """Keep the hyperparameters with where they come from."""
    path = folder / runs.CONFIG
    try:
        runs.replace_file(path, json.dumps(config, indent=2, ensure_ascii=False, default=str) + "\n")
    except OSError as error:  # a full disk: what was recorded is still delivered
        log.warning("%s: %s", path, error)


def merged(config: Sources) -> dict[str, Any]:
    """One value for each name."""
    return {name: value for values in config.values() for name, value in values.items()}
