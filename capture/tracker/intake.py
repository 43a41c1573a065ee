"""What of a record is kept: no secret, and no more names of metrics than a backend can show."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from capture.records import Record
from capture.redaction import Redactor, Secrecy, secrecy

# W&B asks for fewer than 10,000 (docs.wandb.ai, "Experiments limits and performance").
MOST_NAMES = 10_000
SHORTEST = 1000  # a number beside the name of a secret that may be one
_PLAIN = frozenset(["stream", "rank", "fit"])  # context that can't hold a secret


class MaskedLog(logging.Formatter):
    """The lines of `tracker.log`: an error of a backend may quote what it was given."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The message and its traceback, with every secret masked."""
        return self._redactor.text(super().format(record))


class Intake:
    """Every record of a run goes through this, in order, before it is written or delivered."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._known: dict[tuple[Any, ...], str] = {}  # names, each with what else tells it apart; as shown
        self._unchanged: set[tuple[Any, ...]] = set()  # names of whole records, which are shown as they are
        self._left_out = 0
        self._first_left_out = ""

    def take(self, record: Record) -> Record | None:
        """The record as it is kept; None if nothing of it is."""
        context: Mapping[str, Any] = record.context
        if not context.keys() <= _PLAIN:
            context = {name: self._redactor.value(name, value) for name, value in context.items()}
        metrics = self._metrics(record.metrics, context)
        if record.metrics and not metrics and not record.config:
            return None
        if metrics is record.metrics and context is record.context and not record.config:
            return record
        config = self._redactor.values(record.config) if record.config else record.config
        return record._replace(context=context, metrics=metrics, config=config)

    def _metrics(self, metrics: Mapping[str, float], context: Mapping[str, Any]) -> Mapping[str, float]:
        names = (*metrics, len(metrics), *context.items())
        if names in self._unchanged:
            return metrics
        where = tuple(value for key, value in context.items() if key != "stream")
        kept = {}
        for name, value in metrics.items():
            key = (name, *where)
            masked = self._known.get(key)
            if masked is None:
                masked = self._redactor.text(name)
                if secrecy(name) is Secrecy.SURE and SHORTEST <= value < math.inf and value == int(value):
                    continue  # `password: 12345678` is no result
                if len(self._known) >= MOST_NAMES:
                    self._left_out += 1
                    self._first_left_out = self._first_left_out or masked
                    continue
                self._known[key] = masked
            kept[masked] = value
        if [*kept] == [*metrics] and len(self._unchanged) < MOST_NAMES:
            self._unchanged.add(names)
        return kept

    def notes(self) -> list[str]:
        """What the closing block says of it."""
        if not self._left_out:
            return []
        return [
            f"only the first {MOST_NAMES:,} names of metrics are kept, {self._left_out:,} values of others "
            f"are not, from {self._first_left_out!r} on (drop: in capture.yaml can choose)"
        ]
