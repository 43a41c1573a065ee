"""What is wrong with the configuration: collected first, decided on once."""

from __future__ import annotations

from types import TracebackType

from capture.errors import UserError


class Problems:
    """A user's mistakes, one line each.

    `with problems:` collects the UserError that its block raises and goes on after the block.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.notes: list[str] = []  # what is to be said, and no mistake

    def add(self, problem: UserError | str) -> None:
        """Collect a mistake; its message may have several lines, one for each part of it."""
        self.lines.extend(str(problem).splitlines())

    def raise_any(self) -> None:
        """Raises one UserError with all lines if there are any."""
        if self.lines:
            raise UserError("\n".join(self.lines))

    def __enter__(self) -> Problems:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, UserError):
            return False
        self.add(error)
        return True
