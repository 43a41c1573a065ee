"""`--every 10s`, `--every 50`: fewer records of bars that are drawn many times a second.

Records of finished lines are all kept, and so is the last record of each epoch.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from capture.records import Record

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass
class Downsampler:
    """Keeps one record of each series in so many `seconds` of the recording, or in so many `steps`."""

    seconds: float = 0.0
    steps: int = 0
    _kept: dict[Hashable, Record] = field(default_factory=dict)  # the last one of each series
    _held: dict[Hashable, Record] = field(default_factory=dict)  # the newest, where it was not kept

    def add(self, series: Hashable, record: Record, live: bool) -> list[Record]:
        """The records to keep now that this one has come; `live` says that its line is not finished."""
        held = self._held.pop(series, None)
        ended = [held] if held and (held.epoch, held.context) != (record.epoch, record.context) else []
        if live and not ended and not self._is_due(self._kept.get(series), record):
            self._held[series] = record
            return []
        self._kept[series] = record
        return [*ended, record]

    def finish(self) -> list[Record]:
        """The newest records that were not kept: nothing comes after them."""
        held, self._held = list(self._held.values()), {}
        return held

    def _is_due(self, kept: Record | None, record: Record) -> bool:
        """Whether it is time for this record, after the last one that was kept."""
        if kept is None:
            return True
        if self.steps:
            return _is_apart(kept.step, record.step, self.steps)
        return _is_apart(kept.time, record.time, self.seconds)


def _is_apart(before: float | None, now: float | None, distance: float) -> bool:
    """Whether there is at least this distance; also where it is unknown, or the count starts over."""
    return before is None or now is None or now < before or now - before >= distance


def downsampler(every: str) -> Downsampler:
    """The downsampler for `10s`, `1.5m` or `50`.  Raises ValueError for anything else."""
    unit = every.lstrip("0123456789.")
    number = every.removesuffix(unit) if unit else every
    try:
        if unit:
            return Downsampler(seconds=float(number) * _SECONDS[unit])
        return Downsampler(steps=int(number))
    except (ValueError, KeyError):
        raise ValueError(f"{every!r} should be a time such as 10s, or a number of steps such as 50") from None
