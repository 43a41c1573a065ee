"""The parser files that installed packages bring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

from capture import plugins
from capture.errors import UserError

_GENERIC = re.compile(r"^generic: *true\b", re.M)


def texts() -> Iterator[tuple[str, str]]:
    """The names and texts of the files of these parsers, unchecked.

    A package names, in the entry-point group `capture.parsers`, a module whose folder holds the files.  They
    are in the order of their names, but those that are `generic`, such as bars that every program may draw,
    come after the others.  `general.yaml` of any package comes last: it reads what no other parser does.
    """
    found = []
    for point in plugins.installed(plugins.PARSERS):
        try:
            folder = resources.files(point.value)
        except ImportError as error:
            raise UserError(
                f"the parsers of the package behind {point.name!r} can't be read: {error}"
            ) from None
        for file in folder.iterdir():
            if file.name.endswith(".yaml"):
                text = file.read_text(encoding="utf-8")
                order = file.name == "general.yaml", bool(_GENERIC.search(text))
                found.append((order, point.name, file.name, text))
    for _, package, name, text in sorted(found):
        yield f"{package}/{name}", text
