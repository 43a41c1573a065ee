"""What installed packages add to capture: parsers, readers and adapters, by their entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

PARSERS = "capture.parsers"  # packages of parser files and of the readers beside them
ADAPTERS = "capture.adapters"  # classes
NAMED_ADAPTERS = (
    "capture.adapters.named"  # classes whose instances have a name of their own: `module:swanlab`
)


@cache
def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, sorted by name; looked up once per process.

    Nothing is imported: that a module exists shows only when the entry point is loaded.
    """
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))
