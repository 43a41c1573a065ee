"""Config for backends that show a table of names and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from capture.delivery.channels import PROVENANCE

ABOUT = f"{PROVENANCE}."  # where the run comes from: nothing to compare runs by


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a config that may be nested, under a name with dots."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
