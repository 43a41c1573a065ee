"""What a tracker can ask its relay for: to stop the command.

It goes through the pipe that the supervisor leaves open for the tracker as descriptor FD.  Who is neither of
them, such as a sweep, leaves its request in the run's folder, and the tracker passes it on.
"""

from __future__ import annotations

import os

from capture.runs import PathLike

FD = 3
OPTION = "--requests"  # an argument of the tracker: FD is there
FILE = "stop.request"  # in the run's folder: the request of somebody else
MOST_TEXT = 500  # characters; a line that fits into a pipe's buffer is written whole

_open = False


def begin() -> None:
    """The supervisor has left the pipe open: keep it from the programs that are started from here."""
    global _open
    os.set_inheritable(FD, False)
    _open = True


def is_open() -> bool:
    """Whether a relay listens: the run is a live one, not one that is replayed or delivered later."""
    return _open


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


def leave(folder: PathLike, grace: float, rule: str) -> None:
    """Ask the tracker of the run in this folder to have its command stopped.  Raises OSError."""
    draft = os.path.join(folder, f".{FILE}")
    with open(draft, "wb") as file:
        file.write(line_of(grace, rule))
    os.replace(draft, os.path.join(folder, FILE))


def pass_on(folder: PathLike) -> None:
    """Pass on a request that somebody has left in the run's folder."""
    path = os.path.join(folder, FILE)
    try:
        if not (_open and os.path.exists(path)):
            return
        with open(path, "rb") as file:
            request = read(file.read())
        os.unlink(path)
    except OSError:
        return
    if request:
        ask_to_stop(*request)
