"""The signals that reach the relay, and which of them the command has not received.

On a terminal of its own the command receives none of ours.  On pipes it stays in our process group: what
the keyboard sends, the kernel sends to it too, but not what is sent to us alone.  A handler in Python does
not learn who sent a signal; signalfd(2) says it, on Linux.
"""

from __future__ import annotations

import os
import signal
import struct
from typing import NamedTuple

from capture.relay.self_pipe import SelfPipe


def _numbers(*names: str) -> frozenset[int]:
    """The numbers of these signals, without those that this system does not have."""
    return frozenset(int(getattr(signal, name)) for name in names if hasattr(signal, name))


PASSED_ON = _numbers("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
FROM_KEYBOARD = _numbers("SIGINT", "SIGQUIT", "SIGTSTP")
TO_THE_GROUP = FROM_KEYBOARD | _numbers("SIGHUP")  # a terminal sends these to a whole process group
OTHERS = _numbers("SIGCHLD", "SIGWINCH", "SIGCONT")

_INFO = struct.Struct("<IiiI112x")  # signalfd_siginfo: number, errno, code, and the sender's process id
_SENT_BY_KERNEL = 0x80  # SI_KERNEL
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)  # SFD_* have these values


class Arrival(NamedTuple):
    """A signal that has arrived."""

    number: int
    delivered: bool  # the command has received it as well


class Signals:
    """Catches the signals that are meant for the command, from its creation on.

    `mask` holds the signals that were blocked before.
    """

    def __init__(self, ignored: frozenset[int], on_terminal: bool) -> None:
        """`ignored` signals stay ignored; `on_terminal` says that the command has a terminal of its own."""
        self.mask: set[int] = set(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        self._pipe = SelfPipe()
        self._signalfd: int | None = None
        caught = PASSED_ON | OTHERS | (FROM_KEYBOARD if on_terminal else frozenset())
        for number in caught - ignored:
            signal.signal(number, _do_nothing)
        # The keyboard's signals are kept pending until it is known how to learn who has sent them.
        self._blocked = frozenset() if on_terminal else FROM_KEYBOARD - ignored
        signal.pthread_sigmask(signal.SIG_BLOCK, self._blocked)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a background job may write to its terminal

    def identify_senders(self) -> None:
        """Find out from now on who has sent a signal.

        To be called once the command runs, since it takes some milliseconds.
        """
        if not self._blocked:
            return
        self._signalfd = _open_signalfd(self._blocked)
        if self._signalfd is None:
            # Not Linux.  If we are in the foreground of a terminal, its keyboard is taken for the sender.
            for number in {signal.SIGINT, signal.SIGQUIT} & self._blocked:
                signal.signal(number, signal.SIG_IGN if _in_foreground() else _do_nothing)
            signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    @property
    def sources(self) -> list[int]:
        """The descriptors to wait on."""
        return [self._pipe.reader] if self._signalfd is None else [self._pipe.reader, self._signalfd]

    def arrived(self) -> list[Arrival]:
        """The signals that have arrived since the last call."""
        found = [Arrival(number, delivered=False) for number in self._pipe.read()]
        if self._signalfd is not None:
            try:
                data = os.read(self._signalfd, 16 * _INFO.size)
            except BlockingIOError:
                data = b""
            for number, _, code, _ in _INFO.iter_unpack(data):
                found.append(Arrival(number, delivered=code == _SENT_BY_KERNEL))
        return found

    def stop(self, number: int) -> None:
        """Stop this process, as the signal would have done.  Returns when it has been continued."""
        before = signal.signal(number, signal.SIG_DFL)
        if self._blocked:
            os.kill(os.getpid(), number)  # the others in our process group have received it
        else:
            os.killpg(os.getpgrp(), number)
        # A blocked one is delivered here, and the process stands still until SIGCONT.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        signal.pthread_sigmask(signal.SIG_BLOCK, self._blocked)
        signal.signal(number, before)

    def send_to_our_group(self, number: int) -> None:
        """Send a signal that was typed to all others in our process group, as the terminal outside would."""
        before = signal.signal(number, signal.SIG_IGN)  # so it does not arrive here
        try:
            os.killpg(os.getpgrp(), number)
        except OSError:
            pass  # another user's, who is alone in it
        signal.signal(number, before)

    def close(self) -> None:
        """Stop catching: the signals are no longer blocked, and those that arrive are dropped."""
        if self._signalfd is not None:
            self.arrived()
            os.close(self._signalfd)
            self._signalfd = None
        for number in self._blocked:
            signal.signal(number, _do_nothing)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)
        self._pipe.close()


def _do_nothing(number: int, frame: object) -> None:
    """A handler, so that the signal is written to the self-pipe instead of killing us."""


def _open_signalfd(numbers: frozenset[int]) -> int | None:
    """A descriptor that reports these signals, which must be blocked; None where there is no signalfd."""
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


def _in_foreground() -> bool:
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
