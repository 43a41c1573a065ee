"""Finds out, beside the command, where a run comes from: `provenance.json` and `git.diff`."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from capture import runs
from capture.facts.config_sources import COLLECTED
from capture.redaction import Redactor

log = logging.getLogger(__name__)


class Gathering:
    """Finds out where the run comes from, in a thread; `done` is called when it is in the folder."""

    def __init__(self, folder: Path, run: runs.Run, redactor: Redactor, done: Callable[[], None]) -> None:
        self._folder, self._run, self._redactor, self._done = folder, run, redactor, done
        self._thread = threading.Thread(target=self._gather, name="provenance", daemon=True)

    def start(self) -> None:
        """Begin, unless a tracker before has been through."""
        if not (self._folder / runs.PROVENANCE).exists() and runs.is_alive(self._folder, self._run):
            self._thread.start()

    def _gather(self) -> None:
        try:
            facts, diff = self._facts()
            if diff:
                runs.replace_file(self._folder / runs.DIFF, self._redactor.text(diff))
            text = json.dumps(facts, indent=2, ensure_ascii=False)
            runs.replace_file(self._folder / runs.PROVENANCE, text + "\n")
        except Exception as error:  # whatever a machine can't tell: the metrics matter more
            log.warning("provenance: %s", error, exc_info=True)
            return
        self._done()

    def _facts(self) -> tuple[dict[str, Any], str]:
        from capture.facts import provenance  # slow, and many a command is over before

        run, cwd = self._run, Path(self._run.cwd)
        collect = run.settings.get("collect", COLLECTED)
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
