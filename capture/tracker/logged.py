"""What a program logs itself, by the Python door: `logged/RANK.jsonl` in the run's folder, as records.

Each line has a `time` (Unix seconds) and one of `metrics` with their `step`, `config`, and `summary`.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import runs
from capture.records import NON_FINITE, Record

PARSER = "logged"  # the parser of such a record

log = logging.getLogger(__name__)


class LoggedReader:
    """Reads what is logged while it is being logged, each rank's file in its order."""

    def __init__(self, folder: Path, positions: Mapping[str, int]) -> None:
        """`positions` say of each file how many of its bytes have been read before."""
        self._folder = folder / runs.LOGGED
        self._positions = dict(positions)
        self.waiting: deque[Record] = deque()  # found, and not yet read

    def look(self) -> None:
        """Find what is new."""
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(".jsonl"))
        except OSError:  # most programs log nothing themselves
            return
        records: list[Record] = []
        for name in names:
            records += self._lines_of(self._folder / name)
        if len(names) > 1:
            records.sort(key=lambda record: record.time or 0.0)  # a stable sort: each file keeps its order
        self.waiting.extend(records)

    def read(self, until: float = math.inf) -> list[Record]:
        """What was found, up to a time in Unix seconds: what was printed later comes later."""
        found = []
        while self.waiting and (self.waiting[0].time or 0.0) <= until:
            found.append(self.waiting.popleft())
        return found

    def _lines_of(self, path: Path) -> list[Record]:
        position = self._positions.get(path.name, 0)
        try:
            with path.open("rb") as file:
                file.seek(position)
                data = file.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._positions[path.name] = position + len(whole)
        records = []
        for line in whole.splitlines(keepends=True):
            try:
                records.append(_record(json.loads(line), path.stem, (path.name, position, len(line))))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                log.warning("%s: not logged by the door: %s", path, error)
            position += len(line)
        return records


def _record(item: dict[str, Any], rank: str, logged: tuple[str, int, int]) -> Record:
    """The record of a line.  Raises ValueError, TypeError, KeyError or AttributeError where it is none."""
    metrics = {name: NON_FINITE.get(value, value) for name, value in item.get("metrics", {}).items()}
    config = dict(item.get("config", {}))
    for name, value in item.get("summary", {}).items():
        value = NON_FINITE.get(value, value) if isinstance(value, str) else value
        (metrics if isinstance(value, (int, float)) else config)[f"summary/{name}"] = value
    context = {} if rank == "0" else {"rank": int(rank)}
    step = item.get("step")
    return Record(float(item["time"]), PARSER, step, None, metrics, context, config=config, logged=logged)
