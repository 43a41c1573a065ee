"""Experiment tracking for training programs that can't be changed: `capture -- python train.py`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capture.delivery.adapter import Adapter as Adapter
    from capture.delivery.adapter import Gone as Gone
    from capture.delivery.stored_run import StoredRun as StoredRun
    from capture.delivery.stored_run import open_run as open_run
    from capture.door import LiveRun as LiveRun
    from capture.door import current_run as current_run
    from capture.door import run as run
    from capture.errors import UserError as UserError
    from capture.parsing.parse import parse as parse
    from capture.records import ConsoleLine as ConsoleLine
    from capture.records import Record as Record
    from capture.records import Row as Row
    from capture.records import SystemSample as SystemSample
    from capture.runs import Run as Run

__version__ = "0.1.0"

# What programs and adapters' authors need, imported when it is asked for: `capture -- COMMAND` needs none.
_PUBLIC = {
    "Adapter": "capture.delivery.adapter",
    "ConsoleLine": "capture.records",
    "Gone": "capture.delivery.adapter",
    "LiveRun": "capture.door",
    "Record": "capture.records",
    "Row": "capture.records",
    "Run": "capture.runs",
    "StoredRun": "capture.delivery.stored_run",
    "SystemSample": "capture.records",
    "UserError": "capture.errors",
    "current_run": "capture.door",
    "open_run": "capture.delivery.stored_run",
    "parse": "capture.parsing.parse",
    "run": "capture.door",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_PUBLIC[name]), name)
    except ModuleNotFoundError as error:  # installed with --no-deps, which is enough for the door
        raise ImportError(
            f"capture.{name} needs {error.name}: pip install capture-metrics, with what it depends on"
        ) from None
