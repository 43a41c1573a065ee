"""Adapters by name, ours as well as a third party's.

The entry-point group `capture.adapters` has the adapters; `capture.adapters.named` those that get a name of
their own after a colon, as in `module:swanlab`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from capture import plugins
from capture.delivery import install
from capture.delivery.adapter import Adapter
from capture.errors import UserError, did_you_mean


def names() -> list[str]:
    """The names of all adapters that are installed."""
    return sorted(
        {point.name for point in plugins.installed(plugins.ADAPTERS)}
        | {f"{point.name}:NAME" for point in plugins.installed(plugins.NAMED_ADAPTERS)}
    )


def check(wanted: Sequence[str]) -> None:
    """Raises UserError for a name that no adapter has."""
    known = names()
    for name in wanted:
        kind, colon, own = name.partition(":")
        if f"{kind}:NAME" in known and colon:
            adapter_class(name).check(own)
        elif name not in known:
            raise UserError(unknown(name))
        elif missing := missing_library(name):
            raise UserError(f"{name}: {missing}")


def missing_library(name: str) -> str | None:
    """Where what the adapter needs is not installed: that, and the command that installs it."""
    absent = [module for module in adapter_class(name).needs if not install.is_there(module)]
    if not absent:
        return None
    point = next(point for point in plugins.installed(plugins.ADAPTERS) if point.name == name)
    command = install.command(install.of_extra(point.package, name) or absent)
    return f"{absent[0]} is not installed beside capture; install it with: {command}"


def unknown(name: str) -> str:
    """What to say of a name that no adapter has."""
    hint = did_you_mean(name, names(), f"there are {', '.join(names())}")
    return f"there is no backend {name!r}; {hint}"


def places() -> list[str]:
    """The folders that change when a package is installed or removed."""
    import sysconfig  # only for this

    return sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def absolute(name: str) -> str:
    """The name with a path in it made absolute: `module:./client` is looked for here, wherever it is used."""
    kind, colon, own = name.partition(":")
    return f"{kind}:{os.path.abspath(os.path.expanduser(own))}" if colon and os.sep in own else name


def allowed(wanted: Sequence[str], own: Sequence[str]) -> list[str]:
    """Those of the backends that a run's folder names which may be used, where the user names his `own`.

    A folder is data: code from a path is imported only if the user names that, too.
    """
    known = {absolute(name) for name in own}
    return [name for name in wanted if os.sep not in name or name in known]


def adapter(name: str) -> Callable[[], Adapter]:
    """What makes the adapter of this name.  Its module is imported when it is called, not before."""

    def make() -> Adapter:
        _, colon, own = name.partition(":")
        return adapter_class(name)(*[own] if colon else [])

    return make


def adapters(wanted: Sequence[str]) -> dict[str, Callable[[], Adapter]]:
    """What makes the adapters of these names."""
    return {name: adapter(name) for name in wanted}


def adapter_class(name: str) -> type[Adapter]:
    """The adapter's class.  Raises UserError where there is none, ImportError where it can't be imported."""
    kind, colon, _ = name.partition(":")
    for point in plugins.installed(plugins.NAMED_ADAPTERS if colon else plugins.ADAPTERS):
        if point.name == kind:
            found = point.load()
            if not (isinstance(found, type) and issubclass(found, Adapter)):
                raise UserError(f"{name}: {point.value} is no adapter: it should derive from capture.Adapter")
            return found
    raise UserError(unknown(name))
