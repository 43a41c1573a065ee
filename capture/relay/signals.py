"""The signals that reach the relay, and which of them the command has not had.

On a terminal of its own the command sees none of ours.  On pipes it stays in our process group: what
the keyboard sends reaches it from the kernel, what was sent to us alone does not.  A handler in Python
is not told who sent a signal; signalfd(2) tells it, on Linux.
"""

from __future__ import annotations

import os
import signal
import struct

PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
FROM_KEYBOARD = ("SIGINT", "SIGQUIT", "SIGTSTP")
TO_THE_GROUP = (*FROM_KEYBOARD, "SIGHUP")  # as a terminal would send them
OTHERS = ("SIGCHLD", "SIGWINCH", "SIGCONT")

_INFO = struct.Struct("<IiiI112x")  # signalfd_siginfo: number, errno, code, and the sender's process id
_SENT_BY_KERNEL = 0x80  # SI_KERNEL
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)  # SFD_* have these values


class Signals:
    """Caught from here on.  `mask` is what was blocked before, and `ignored` is left alone."""

    def __init__(self, ignored: frozenset[int], on_terminal: bool) -> None:
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        self._wake, waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(waker, False)
        self._details: int | None = None
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        names = (*PASSED_ON, *OTHERS, *(FROM_KEYBOARD if on_terminal else ()))
        for number in _numbers(names) - ignored:
            signal.signal(number, lambda signum, frame: None)
        self._asked = set() if on_terminal else _numbers(FROM_KEYBOARD) - ignored
        signal.pthread_sigmask(signal.SIG_BLOCK, self._asked)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a background job may write to its terminal

    def ask_for_senders(self) -> None:
        """To be called once the command runs: it takes some milliseconds that need not delay its start."""
        if not self._asked:
            return
        self._details = _signalfd(self._asked)
        if self._details is None:
            # Not Linux.  With a terminal of which we are the foreground it was the keyboard, we take it.
            keyboard = {signal.SIGINT, signal.SIGQUIT} & self._asked
            for number in keyboard:
                signal.signal(number, signal.SIG_IGN if _at_keyboard() else lambda signum, frame: None)
            signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    @property
    def sources(self) -> list[int]:
        """What to wait on."""
        return [self._wake] if self._details is None else [self._wake, self._details]

    def arrived(self) -> list[tuple[str, bool]]:
        """The names of those that have come since, and whether the command has had them already."""
        found = []
        try:
            found = [(signal.Signals(number).name, False) for number in os.read(self._wake, 512)]
        except BlockingIOError:
            pass
        if self._details is not None:
            try:
                data = os.read(self._details, 16 * _INFO.size)
            except BlockingIOError:
                data = b""
            for number, _, code, _ in _INFO.iter_unpack(data):
                found.append((signal.Signals(number).name, code == _SENT_BY_KERNEL))
        return found

    def stop(self, number: int) -> None:
        """Stand still, as this signal would have made us, until somebody continues us."""
        before = signal.signal(number, signal.SIG_DFL)
        if self._asked:
            os.kill(os.getpid(), number)  # the others of our group have had it
        else:
            os.killpg(os.getpgrp(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        # Here we stand.
        signal.pthread_sigmask(signal.SIG_BLOCK, self._asked)
        signal.signal(number, before)

    def close(self) -> None:
        """Let the blocked ones come again."""
        if self._details is not None:
            self.arrived()
            os.close(self._details)
            self._details = None
        for number in self._asked:
            signal.signal(number, lambda signum, frame: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)


def _numbers(names: tuple[str, ...]) -> set[int]:
    return {int(getattr(signal, name)) for name in names}


def _signalfd(numbers: set[int]) -> int | None:
    try:
        import ctypes  # slow

        words = [0] * 16
        for number in numbers:
            words[(number - 1) // 64] |= 1 << (number - 1) % 64
        library = ctypes.CDLL(None)
        fd = library.signalfd(-1, struct.pack("<16Q", *words), _NONBLOCK_CLOEXEC)
    except (ImportError, AttributeError, OSError):
        return None
    return int(fd) if fd >= 0 else None


def _at_keyboard() -> bool:
    """Whether Ctrl-C at the controlling terminal, if there is one, reaches our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
