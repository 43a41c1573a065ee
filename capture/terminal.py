"""The outer terminal, which is the user's, and the inner one, which is the command's."""

from __future__ import annotations

import os
from typing import Any

try:
    import fcntl
    import termios
    import tty
except ImportError:  # Windows: the command line says so
    pass

USUAL_SIZE = b"\x18\x00\x50\x00\x00\x00\x00\x00"  # 24 rows of 80 columns


def is_terminal(fd: int) -> bool:
    """Whether the descriptor is open and a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


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


class Keyboard:
    """The outer terminal's input: taken over in raw mode, and given back as it was."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._before: list[Any] | None = None

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
            except termios.error:
                self._before = None
        return self.taken

    def give_back(self) -> None:
        """Put the terminal's modes back."""
        before, self._before = self._before, None
        if before is not None:
            try:
                termios.tcsetattr(self.fd, termios.TCSANOW, before)
            except termios.error:
                pass  # the terminal is gone
