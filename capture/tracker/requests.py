"""What a tracker can ask its relay for: to stop the command.

It goes through the pipe that the supervisor leaves open for the tracker as descriptor FD.
"""

from __future__ import annotations

import os

FD = 3
OPTION = "--requests"  # an argument of the tracker: FD is there
MOST_TEXT = 500  # characters; a line that fits into a pipe's buffer is written whole

_open = False


def begin() -> None:
    """The supervisor has left the pipe open: keep it from the programs that are started from here."""
    global _open
    os.set_inheritable(FD, False)
    _open = True


def ask_to_stop(grace: float, rule: str) -> None:
    """Ask for SIGTERM to the command, and SIGKILL `grace` seconds later."""
    if _open:
        try:
            os.write(FD, line_of(grace, rule))
        except OSError:
            pass  # the relay has gone, and the command with it


def line_of(grace: float, rule: str) -> bytes:
    """The request as it goes through the pipe."""
    return f"stop {grace:g} {' '.join(rule.split())[:MOST_TEXT]}\n".encode()


def read(data: bytes) -> tuple[float, str] | None:
    """The grace time and the rule of the request in `data`, None if it is none."""
    try:
        word, grace, rule = data.decode().split("\n")[0].split(" ", 2)
        return (max(0.0, float(grace)), rule) if word == "stop" and rule else None
    except ValueError:
        return None
