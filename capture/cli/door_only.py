"""An installation without dependencies (`pip install --no-deps`) has only the Python door.

Its `capture` hands on to the one on PATH that can do the rest, which an environment's own hides.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from capture.bare import environment, run_bare
from capture.errors import UserError

NEEDED = "orjson"  # by all but the relay and the door
_MARK = "_CAPTURE_HANDED_ON"  # in the environment: another installation without dependencies has been asked
WHY = "this installation has no dependencies, enough for `import capture` only; pipx install capture-metrics"


def check(arguments: Sequence[str]) -> None:
    """Become the other `capture` if this one lacks its dependencies.

    Raises UserError where there is no other; a command behind `--` runs all the same, not recorded.
    """
    asked = os.environ.pop(_MARK, None)
    if any(
        finder.find_spec(NEEDED, None) for finder in sys.meta_path
    ):  # importlib's own way takes longer to load
        return
    other = None if asked else _other()
    if other:
        os.execve(other, [other, *arguments], {**environment(), _MARK: "1"})
    if "--" in arguments:
        run_bare(arguments[arguments.index("--") + 1 :], WHY)
    raise UserError(WHY)


def _other() -> str | None:
    """The first `capture` on PATH that is of another environment."""
    own = [os.path.dirname(os.path.abspath(path)) for path in (sys.argv[0], sys.executable)]
    for place in os.get_exec_path():
        path = os.path.join(place, "capture")
        if os.access(path, os.X_OK) and os.path.isfile(path) and os.path.abspath(place) not in own:
            return path
    return None
