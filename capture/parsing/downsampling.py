"""`--every 10s`, `--every 50`: fewer records of bars that are drawn many times a second.

Finished lines are never left out, nor is what an epoch said last.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from capture.records import Record

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass
class Downsampler:
    """Lets one record through every so many `seconds` of the recording, or every so many `steps`."""

    seconds: float = 0.0
    steps: int = 0
    _kept: dict[Hashable, Record] = field(default_factory=dict)
    _held: dict[Hashable, Record] = field(default_factory=dict)  # the newest that was left out

    def add(self, series: Hashable, record: Record, live: bool) -> list[Record]:
        """The records to keep, now that this one has come; `live` says that its line is not finished."""
        held = self._held.pop(series, None)
        ended = [held] if held and (held.epoch, held.context) != (record.epoch, record.context) else []
        if live and not ended and not self._is_due(self._kept.get(series), record):
            self._held[series] = record
            return []
        self._kept[series] = record
        return [*ended, record]

    def rest(self) -> list[Record]:
        """What was left out last: nothing comes after it."""
        held, self._held = list(self._held.values()), {}
        return held

    def _is_due(self, before: Record | None, record: Record) -> bool:
        if before is None:
            return True
        if self.steps:
            passed = _passed(before.step, record.step)
            return passed is None or passed >= self.steps
        passed = _passed(before.time, record.time)
        return passed is None or passed >= self.seconds


def _passed(before: float | None, now: float | None) -> float | None:
    """How far it has come; None where that is unknown, or it has begun anew."""
    return None if before is None or now is None or now < before else now - before


def downsampler(every: str) -> Downsampler:
    """What `10s`, `1.5m` or `50` asks for.  Raises ValueError for anything else."""
    unit = every.lstrip("0123456789.")
    number = every.removesuffix(unit) if unit else every
    try:
        if unit:
            return Downsampler(seconds=float(number) * _SECONDS[unit])
        return Downsampler(steps=int(number))
    except (ValueError, KeyError):
        raise ValueError(f"{every!r} should be a time such as 10s, or a number of steps such as 50") from None
