"""`capture version`."""

from __future__ import annotations

from capture import __version__
from capture.cli.arguments import Arguments


def arguments() -> Arguments:
    """The options of `capture version`."""
    return Arguments(prog="capture version", description="Print the version.")


def main(argv: list[str]) -> int:
    """Print the version."""
    arguments().parse_args(argv)
    print(f"capture {__version__}")
    return 0
