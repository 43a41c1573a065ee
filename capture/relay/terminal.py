"""The outer terminal, which is the user's, and the inner one, which is the command's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

try:
    import fcntl
    import termios
    import tty
except ImportError:  # Windows: the command line says so
    pass

CONTROLLING = "/dev/tty"
USUAL_SIZE = b"\x18\x00\x50\x00\x00\x00\x00\x00"  # 24 rows of 80 columns


def is_terminal(fd: int) -> bool:
    """Whether the descriptor is open and a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def keys_of(terminals: Sequence[bool]) -> int | None:
    """Where keys come from: standard input, or the terminal that programs ask for whose input is a pipe."""
    if terminals[0]:
        return 0
    try:
        return os.open(CONTROLLING, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


def open_pair(outer: int | None) -> tuple[int, int]:
    """A pseudo-terminal with the modes and the size of the outer terminal: (our end, the command's end)."""
    ours, theirs = os.openpty()
    if outer is not None:
        try:
            termios.tcsetattr(theirs, termios.TCSANOW, termios.tcgetattr(outer))
        except termios.error:
            pass  # a terminal that is going away: the defaults will do
    copy_size(outer, ours)
    os.set_blocking(ours, False)
    return ours, theirs


def copy_size(outer: int | None, inner: int) -> None:
    """Give the inner terminal the outer one's size; the kernel tells the command."""
    try:
        size = fcntl.ioctl(outer, termios.TIOCGWINSZ, bytes(8)) if outer is not None else USUAL_SIZE
        fcntl.ioctl(inner, termios.TIOCSWINSZ, size if size[:4] != bytes(4) else USUAL_SIZE)
    except OSError:
        pass


def post_process(inner: int, on: bool) -> bool:
    """Let the inner terminal turn "\\n" into "\\r\\n", or not.  Gives what it did before."""
    try:
        modes = termios.tcgetattr(inner)
        before = bool(modes[1] & termios.OPOST)
        if before != on:
            modes[1] ^= termios.OPOST
            termios.tcsetattr(inner, termios.TCSANOW, modes)
    except termios.error:  # the command is gone, and its end closed
        return on
    return before


class Keyboard:
    """The outer terminal's input: taken over in raw mode, and given back as it was.

    While it is ours the outer terminal passes output on as it is; otherwise it is the outer one that
    turns "\\n" into "\\r\\n", and the inner one must not.
    """

    def __init__(self, fd: int, inner: int) -> None:
        self.fd = fd
        self._inner = inner
        self._before: list[Any] | None = None
        self._post_process = post_process(inner, False)

    @property
    def taken(self) -> bool:
        """Whether the terminal is in raw mode and its keys are ours to pass on."""
        return self._before is not None

    def in_foreground(self) -> bool:
        """Whether our process group is the terminal's foreground group."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:
            return False

    def take(self) -> bool:
        """Switch to raw mode, if we are in the foreground; a background job must not touch the modes."""
        if not self.taken and self.in_foreground():
            try:
                self._before = termios.tcgetattr(self.fd)
                tty.setraw(self.fd, termios.TCSANOW)
                post_process(self._inner, self._post_process)
            except termios.error:
                self._before = None
        return self.taken

    def give_back(self) -> None:
        """Put the terminal's modes back."""
        before, self._before = self._before, None
        if before is not None:
            try:
                termios.tcsetattr(self.fd, termios.TCSANOW, before)
                self._post_process = post_process(self._inner, False)
            except termios.error:
                pass  # the terminal is gone
