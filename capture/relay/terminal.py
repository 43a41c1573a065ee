"""The outer terminal, which is the user's, and the inner one, a pseudo-terminal, which is the command's."""

from __future__ import annotations

import os
from typing import Any

from capture.relay.typed_signals import TypedSignals

try:
    import fcntl
    import termios
    import tty
except ImportError:  # Windows: the relay reports it
    pass

DEFAULT_SIZE = b"\x18\x00\x50\x00\x00\x00\x00\x00"  # struct winsize: 24 rows of 80 columns


def is_terminal(fd: int) -> bool:
    """Whether the descriptor is open and a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def first_terminal() -> int | None:
    """The first of stdin, stdout and stderr that is a terminal."""
    return next((fd for fd in range(3) if is_terminal(fd)), None)


def open_keys(source: str | None) -> int | None:
    """The descriptor to read keys from: of "stdin", or of "/dev/tty", the controlling terminal.

    None if `source` is None, or there is no controlling terminal.
    """
    if source is None:
        return None
    if source == "stdin":
        return 0
    try:
        return os.open(source, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


def open_pair(outer: int | None) -> tuple[int, int]:
    """Open a pseudo-terminal with the modes and the size of the outer terminal, if there is one.

    Returns our end, which does not block, and the command's end.  Raises OSError if no more can be opened.
    """
    ours, theirs = os.openpty()
    if outer is not None:
        try:
            termios.tcsetattr(theirs, termios.TCSANOW, termios.tcgetattr(outer))
        except termios.error:
            pass  # the terminal is going away: the defaults will do
    copy_size(outer, ours)
    os.set_blocking(ours, False)
    return ours, theirs


def copy_size(outer: int | None, inner: int) -> None:
    """Give the inner terminal the size of the outer one; if it differs, the kernel sends SIGWINCH."""
    try:
        size = fcntl.ioctl(outer, termios.TIOCGWINSZ, bytes(8)) if outer is not None else DEFAULT_SIZE
        fcntl.ioctl(inner, termios.TIOCSWINSZ, size if size[:4] != bytes(4) else DEFAULT_SIZE)
    except OSError:
        pass


def set_post_processing(inner: int, on: bool) -> bool:
    """Let the inner terminal turn "\\n" into "\\r\\n", or not.  Returns whether it did before."""
    try:
        modes = termios.tcgetattr(inner)
        before = bool(modes[1] & termios.OPOST)
        if before != on:
            modes[1] ^= termios.OPOST
            termios.tcsetattr(inner, termios.TCSANOW, modes)
    except termios.error:  # the command has ended
        return on
    return before


class Keyboard:
    """The input of the outer terminal: taken over in raw mode, and given back in the modes that it had.

    While it is taken, the inner terminal turns "\\n" into "\\r\\n", since the outer one is in raw mode;
    otherwise the outer one does it, and the inner one must not.
    """

    def __init__(self, fd: int, inner: int) -> None:
        """`fd` is the outer terminal, `inner` our end of the inner one."""
        self.fd, self.inner = fd, inner
        self.waiting = b""  # read, but not yet taken by the inner terminal
        self.typed = TypedSignals(inner)
        self._before: list[Any] | None = None
        self._post_processing = set_post_processing(inner, False)

    @property
    def taken(self) -> bool:
        """Whether the outer terminal is in raw mode, and its keys are ours to pass on."""
        return self._before is not None

    def in_foreground(self) -> bool:
        """Whether our process group is the terminal's foreground group."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:
            return False

    def take(self) -> bool:
        """Switch to raw mode, unless we are in the background, where the modes must not be touched.

        Returns whether the keyboard is taken now.
        """
        if not self.taken and self.in_foreground():
            try:
                self._before = termios.tcgetattr(self.fd)
                tty.setraw(self.fd, termios.TCSANOW)
                set_post_processing(self.inner, self._post_processing)
            except termios.error:
                self._before = None
        return self.taken

    def give_back(self) -> None:
        """Restore the modes of the outer terminal, unless a shell has it already, with modes of its own."""
        before, self._before = self._before, None
        if before is not None and self.in_foreground():
            try:
                termios.tcsetattr(self.fd, termios.TCSANOW, before)
                self._post_processing = set_post_processing(self.inner, False)
            except termios.error:
                pass  # the terminal has gone

    def read(self) -> bool:
        """Read keys into `waiting`.  Returns False if the outer terminal has gone."""
        if not self.in_foreground():  # the shell that started us has ended: the keys are another's now
            self._before = None
            return True
        try:
            self.waiting = os.read(self.fd, 4096)
        except OSError:
            self.waiting = b""
        if not self.waiting:
            self.give_back()
        return bool(self.waiting)

    def push(self) -> list[int]:
        """Type what is waiting, as much as the inner terminal takes now.

        Returns the signals that it makes of that for the command's process group.
        """
        modes = (
            self.typed.modes() if self.waiting else None
        )  # the command may change them when it gets the signal
        try:
            count = os.write(self.inner, self.waiting)
        except BlockingIOError:
            return []  # the command does not read
        except OSError:  # it has ended
            self.waiting = b""
            return []
        keys, self.waiting = self.waiting[:count], self.waiting[count:]
        return self.typed.of(keys, modes)
