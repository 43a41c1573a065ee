"""What a run knows by itself: gathered beside the command, kept in the run's folder.

`config.json` holds every hyperparameter with where it came from, `provenance.json` the rest,
`git.diff` the changes that are not committed.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from capture import hyperparameters, provenance, runs
from capture.redaction import Redactor

CONFIG, PROVENANCE, DIFF = "config.json", "provenance.json", "git.diff"
PRINTED = "printed"  # where a value is from that the program itself has told

log = logging.getLogger(__name__)

Sources = dict[str, dict[str, Any]]  # where from, and what was said there; the one that wins last


def asked(folder: Path, run: runs.Run, redactor: Redactor) -> Sources:
    """The hyperparameters that the run was asked to have, by where they come from.

    Found once: the files that the command names may change while it runs.
    """
    try:
        known: Sources = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        known.pop(PRINTED, None)  # it is read again
        return known
    except (OSError, ValueError):
        pass
    collect = run.settings.get("collect", provenance.PARTS)
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
    path = folder / CONFIG
    try:
        runs.replace_file(path, json.dumps(config, indent=2, ensure_ascii=False, default=str) + "\n")
    except OSError as error:  # a full disk: what was recorded is still delivered
        log.warning("%s: %s", path, error)


def merged(config: Sources) -> dict[str, Any]:
    """One value for each name."""
    return {name: value for values in config.values() for name, value in values.items()}


def shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What backends get of the provenance: all but the list of packages."""
    parts = dict(facts)
    if "python" in parts:
        parts["python"] = {key: parts["python"][key] for key in parts["python"] if key != "packages"}
    return {"provenance": parts} if parts else {}


class Gathering:
    """Finds out where the run comes from, in a thread; `done` gets what was found, once."""

    def __init__(
        self, folder: Path, run: runs.Run, redactor: Redactor, done: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._folder, self._run, self._redactor, self._done = folder, run, redactor, done
        self._thread = threading.Thread(target=self._gather, name="provenance", daemon=True)

    def start(self) -> None:
        """Begin, unless a tracker before has been through."""
        if not (self._folder / PROVENANCE).exists() and runs.is_alive(self._run):
            self._thread.start()

    def _gather(self) -> None:
        try:
            facts, diff = self._facts()
            if diff:
                runs.replace_file(self._folder / DIFF, self._redactor.text(diff))
            text = json.dumps(facts, indent=2, ensure_ascii=False)
            runs.replace_file(self._folder / PROVENANCE, text + "\n")
        except Exception as error:  # whatever a machine can't tell: the metrics matter more
            log.warning("provenance: %s", error, exc_info=True)
            return
        self._done(shown(facts))

    def _facts(self) -> tuple[dict[str, Any], str]:
        run, cwd = self._run, Path(self._run.cwd)
        collect = run.settings.get("collect", provenance.PARTS)
        facts: dict[str, Any] = {}
        diff = ""
        if "git" in collect:
            facts["git"], diff = provenance.git(cwd)
        if "environment" in collect:
            facts["environment"] = provenance.environment(os.environ)
        if "hardware" in collect:
            facts["hardware"] = provenance.hardware()
        if "packages" in collect:
            facts["python"] = provenance.packages(run.command, cwd, os.environ.get("PATH"))
        return self._redactor.values({name: part for name, part in facts.items() if part}), diff
