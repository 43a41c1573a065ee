"""`capture login BACKEND`: hand over to the backend's own login."""

from __future__ import annotations

import os

from capture.cli.arguments import Arguments
from capture.delivery import registry
from capture.errors import UserError


def arguments() -> Arguments:
    """The options of `capture login`."""
    parser = Arguments(
        prog="capture login",
        usage="capture login BACKEND [ARGS...]",
        description="Log in to a backend by its own command, which need not be on PATH.  Runs that were kept "
        "offline before are sent by `capture sync`.",
    )
    parser.add_argument(
        "backend",
        metavar="BACKEND",
        help="such as wandb; what follows is passed on: `capture login wandb --host URL`",
    )
    return parser


def main(argv: list[str]) -> int:
    """Become the backend's own login."""
    backend: str = arguments().parse_args(argv[:1]).backend
    try:
        command = registry.adapter_class(backend).login_command()
    except ImportError as error:
        raise UserError(f"{backend} is not installed: {error}") from None
    if not command:
        raise UserError(f"{backend} needs no login here")
    os.execv(command[0], [*command, *argv[1:]])
