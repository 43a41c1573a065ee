"""What an adapter is: the border between `capture` and the backends.

Found through the entry-point group `capture.adapters`; one of the group `capture.adapters.named` is made with
the name behind a colon (`module:swanlab`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from capture.errors import UserError
from capture.records import Alert, ConsoleLine, File, Row, SystemSample
from capture.runs import Run


class Gone(Exception):
    """The connection to the backend is lost, with what had not been sent: it has to be opened anew."""


class Adapter:
    """One backend, for one run.  A subclass overrides what its backend can do; the rest does nothing.

    All that it gets is read from the run's folder, in order, and handed over from one thread (`links` also
    from another).  Any method may raise.  What it raises decides what happens next:

    - `ValueError` or `TypeError`: the backend will never take this.  Only the offending item is lost.
    - `UserError` or `ImportError`: nothing can be delivered until a user mends it.  It is not tried again.
    - `Gone`: the connection is lost, with what it held.  A new adapter is made and opened at once.
    - anything else: the same call is repeated after growing pauses.  After some errors in a row a new adapter
      is made and opened.

    A new adapter gets everything again from the row on that its `open` returns.  What was not stored in the
    end is left to a later `capture sync`.
    """

    options: ClassVar[Sequence[str]] = ()
    """Keys of the section of the configuration that has the adapter's name."""

    needs: ClassVar[Sequence[str]] = ()
    """Modules that have to be installed; the extra of its package with the adapter's name brings them."""

    shows: Collection[str] = ()
    """What `file` can keep: "file", "table", "image", "plot"."""

    def open(self, run: Run, folder: Path) -> int:
        """Start or resume the run there.

        Args:
            run: who the run is; its `config` is what is known before the first metrics.
            folder: the run's folder.

        Returns:
            The ordinal of the first row that is missing: 0 where it begins anew, or where the backend
            recognises a row that it gets twice.
        """
        raise NotImplementedError

    def held(self, rows: Sequence[Row]) -> None:
        """Rows before the first missing one: the backend has them, its client may need to know of them."""

    def log(self, rows: Sequence[Row]) -> None:
        """Store rows, in the order of their ordinals."""

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Store samples of the load."""

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Store finished lines of the console, in order."""

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Tell who watches the run there, in order.  One may come again after a crash, with its number."""

    def config(self, values: Mapping[str, Any]) -> None:
        """Add to the run's config, after `open`.  May be called again with the same values."""

    def file(self, file: File) -> None:
        """Keep a file, table, image or plot: one of the kinds that `shows` names.

        After a crash the adapter that is made anew may get one that the backend has: it has to know it again.
        """

    def files_held(self, noted: int) -> int:
        """After `open`: how many of the run's files need not come again; `noted` were stored for good before.

        The default, 0, is for a backend that begins anew.
        """
        return 0

    def stored(self) -> int:
        """The ordinal of the first row that is not stored for good yet, while the run goes on.

        The default, 0, says that only `close` tells.
        """
        return 0

    def close(self, exit_status: int | None) -> None:
        """End the run; when this returns, everything handed over is stored for good.

        Args:
            exit_status: the shell's, None where nothing tells it.

        Called again if it raised.
        """

    def links(self) -> Sequence[str]:
        """Lines for the closing block: a URL, or a command that opens the run."""
        return ()

    @staticmethod
    def remove(run: Run, folder: Path) -> bool:
        """For `capture runs rm`: remove what the backend keeps of the run on this machine.

        Called before the run's folder is removed, and called again if it raised.  Returns whether the backend
        holds nothing more of the run; what lies on a server stays.
        """
        return False

    def kept_offline(self) -> bool:
        """Whether `close` has left the run on this machine, from where `send` sends it later."""
        return False

    @staticmethod
    def send(run: Run, folder: Path, limit: float) -> bool:
        """Send what `close` has left on this machine, once.  Returns False where there is nothing of it.

        Raises UserError if it can't be sent as things are (no login), OSError if the backend does not answer
        for `limit` seconds, or fails.
        """
        return False

    @staticmethod
    def login_command() -> Sequence[str]:
        """The command that logs in to the backend; empty where there is nothing to log in to."""
        return ()

    @classmethod
    def overrides(cls, method: str) -> bool:
        """Whether the backend can do this, so that what it would get is worth reading."""
        return getattr(cls, method) is not getattr(Adapter, method)

    @staticmethod
    def check(name: str) -> None:
        """Of a named adapter: raises UserError where the name behind the colon is wrong."""

    @staticmethod
    def diagnose() -> tuple[str, str | None]:
        """For `capture doctor`: a sentence on what would happen to a run, and the address that it needs."""
        return "ready", None

    @staticmethod
    def dashboard(project: str | None, base: Path, port: int | None, browser: bool) -> None:
        """For `capture ui`: serve the runs of the folder `base` on this machine until Ctrl-C."""
        raise UserError("this backend has no dashboard of its own")
