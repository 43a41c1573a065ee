"""Which of the keys that are typed a terminal turns into a signal: Ctrl-C and Ctrl-backslash."""

from __future__ import annotations

import os
import signal
from typing import Any

try:
    import termios
except ImportError:  # Windows: the relay reports it
    pass

Modes = list[Any]  # as tcgetattr returns them
UNDEFINED = b"\0"  # in the modes: no key is this character


class TypedSignals:
    """Follows what is typed into the terminal `inner`, whose foreground group is sent the signals.

    Bare, the shell or make that started the command is in that group as well, and decides by the signal
    whether it goes on.
    """

    def __init__(self, inner: int) -> None:
        self.group: int | None = None  # the command's process group, once it is known
        self._inner = inner
        self._quoted = False  # the key before was Ctrl-V: the next one is text

    def modes(self) -> Modes | None:
        """The terminal's modes, if what is typed now can be meant for the command's own group.

        None if the terminal's foreground is another group: a job of a shell that was started under capture.
        """
        try:
            if self.group is not None and os.tcgetpgrp(self._inner) != self.group:
                return None
        except OSError:
            pass  # this system does not tell
        try:
            return termios.tcgetattr(self._inner)
        except termios.error:
            return None

    def of(self, keys: bytes, modes: Modes | None) -> list[int]:
        """The signals that these keys have caused in these modes, each once, in their order."""
        if modes is None:
            return []
        local, characters = modes[3], modes[6]
        found: list[int] = []
        for byte in keys:
            key = bytes([byte])
            if self._quoted:
                self._quoted = False
            elif key == UNDEFINED:
                continue
            elif local & termios.ISIG and key == characters[termios.VINTR]:
                found.append(signal.SIGINT)
            elif local & termios.ISIG and key == characters[termios.VQUIT]:
                found.append(signal.SIGQUIT)
            elif local & termios.ICANON and local & termios.IEXTEN and key == characters[termios.VLNEXT]:
                self._quoted = True
        return list(dict.fromkeys(found))
