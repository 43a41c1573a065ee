"""What installed packages add to capture: parsers, readers and adapters, by their entry points."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any, NamedTuple

from capture import cache as known

PARSERS = "capture.parsers"  # packages of parser files and of the readers beside them
ADAPTERS = "capture.adapters"  # classes
NAMED_ADAPTERS = (
    "capture.adapters.named"  # classes whose instances have a name of their own: `module:swanlab`
)


class Plugin(NamedTuple):
    """One entry point: its name, where its object is, and the package that brings it."""

    name: str
    value: str  # `module` or `module:attribute`
    package: str

    def load(self) -> Any:
        """The object.  Raises ImportError or AttributeError where it is not there."""
        module, _, attribute = self.value.partition(":")
        found = import_module(module)
        return attrgetter(attribute)(found) if attribute else found


@cache
def installed(group: str) -> tuple[Plugin, ...]:
    """The entry points of a group, sorted by name.

    Nothing is imported: that a module exists shows only when the entry point is loaded.  To look through all
    packages is slow, so it is done once for each process, and what was found is remembered until something is
    installed or removed.
    """
    found = known.recall(sys.prefix, group)
    if found is None or found["path"] != sys.path:
        found = {"path": [*sys.path], "plugins": _look(group)}
        known.remember(sys.prefix, group, found, sys.path)
    return tuple(Plugin(*plugin) for plugin in found["plugins"])


def _look(group: str) -> list[Plugin]:
    from importlib.metadata import entry_points  # slow

    points = {(point.name, point.value): point for point in entry_points(group=group)}
    return sorted(
        Plugin(name, value, point.dist.name if point.dist else "") for (name, value), point in points.items()
    )
