"""What an adapter is: the border between `capture` and the backends.

An adapter is a class without arguments to its constructor, found through the entry-point group
`capture.adapters`; one of the group `capture.adapters.named` is made with the name that stands after a
colon, and its static `check(name)` raises UserError where that name is wrong.  `open`, `log` and `close`
are required; the methods of the other protocols are called where the class has them (`hasattr`).  All
are called from one thread, `links` also from another, and may raise.  What they raise says what happens
next:

- `ValueError` or `TypeError`: the backend will never take this.  Of rows only the offending one is lost.
- `UserError` or `ImportError`: nothing can be delivered until a user mends it.  It is not tried again.
- `Gone`: the connection is lost, with what it held.  A new adapter is made and opened at once, and gets
  the records from the one on that its `open` names.
- anything else: the same call is tried again after growing pauses.  After some errors in a row a new
  adapter is made and opened likewise.

What was not stored in the end is left to a later `capture sync`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from capture.records import Row
from capture.runs import Run

if TYPE_CHECKING:
    from capture.facts.system import SystemSample


class Gone(Exception):
    """The connection to the backend is lost, with what had not been sent: it has to be opened anew."""


class ConsoleLine(NamedTuple):
    """A finished line of the console: `time` in Unix seconds, or None where nothing tells it."""

    time: float | None
    stream: str
    text: str


class Adapter(Protocol):
    """One backend, for one run."""

    def open(self, run: Run, folder: Path) -> int:
        """Start or resume the run there.

        Gives from which ordinal on rows are missing: 0 where it begins anew, or where it knows a row
        that it gets again by its ordinal.
        """

    def log(self, rows: Sequence[Row]) -> None:
        """Hand over rows, in the order of their ordinals."""

    def close(self, exit_status: int | None) -> None:
        """End the run there; when this returns everything handed over is stored for good.

        `exit_status` is the shell's, None where nothing tells it.  Called again where it raised.
        """


class Optioned(Protocol):
    """What an adapter has that takes options, from the section of the configuration that has its name."""

    options: Sequence[str]


class Durable(Protocol):
    """What an adapter has that knows what its backend holds for good while the run goes on.

    Of the others only `close` tells.
    """

    def stored(self) -> int:
        """From which ordinal on rows are not stored for good yet."""


class Console(Protocol):
    """What an adapter has whose backend shows a console log."""

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Hand over finished lines, in order."""


class Configurable(Protocol):
    """What an adapter has whose backend takes config after the start."""

    def config(self, values: Mapping[str, Any]) -> None:
        """Add to the run's config."""


class Observing(Protocol):
    """What an adapter has whose backend shows the load of the machine and of the command."""

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Hand over samples; one that the backend refuses is lost."""


class Linked(Protocol):
    """What an adapter has that can say where to look, or what to type next."""

    def links(self) -> Sequence[str]:
        """Lines for the closing block, such as a URL or a command."""


class Diagnosable(Protocol):
    """What an adapter has that can say, without a run, what would happen to one, for `capture doctor`."""

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """A sentence, and the address that has to be reachable for it, if any."""


class Dashboard(Protocol):
    """What an adapter has that can show its runs on this machine, for `capture ui`."""

    @staticmethod
    def dashboard(project: str | None, base: Path, port: int | None, browser: bool) -> None:
        """Serve the runs of the folder `base` until Ctrl-C."""
