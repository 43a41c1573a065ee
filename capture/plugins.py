"""Adapters by name, through the entry-point group `capture.adapters`, as a third party's are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from capture.adapter import Adapter
from capture.errors import BadInput

GROUP = "capture.adapters"


def names() -> list[str]:
    """The names of all adapters that are installed."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def check(wanted: Sequence[str]) -> None:
    """Raises BadInput for a name that no adapter has."""
    known = names()
    for name in wanted:
        if name not in known:
            raise BadInput(f"there is no backend {name!r}; there are {', '.join(known)}")


def adapter(name: str) -> Callable[[], Adapter]:
    """What makes the adapter of this name.  Its module is imported when it is called, not before."""

    def make() -> Adapter:
        made: Adapter = adapter_class(name)()
        return made

    return make


def adapter_class(name: str) -> Any:
    """The adapter's class.  Raises BadInput where there is none, ImportError where it can't be imported."""
    check([name])
    point: EntryPoint = next(p for p in entry_points(group=GROUP) if p.name == name)
    return point.load()
