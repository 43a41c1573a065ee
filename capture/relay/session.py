"""The monitor: the small process that leads the command's session on its pseudo-terminal.

Without it the command would lead the session itself.  Its process group would be an orphaned one, in
which the kernel discards Ctrl-Z, and what it left in the background would die of SIGHUP at its end.
The relay and the monitor talk over a socket pair, a line a message:

    relay to monitor:  signal N [group]   foreground   background
    monitor to relay:  failed ERRNO   stopped N   ended STATUS   (STATUS as waitpid gives it)
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Sequence

from capture.relay.command import Start, execute

try:
    import fcntl
    import termios
except ImportError:  # Windows: the command line says so
    pass

# What is meant for the command must not end the one who watches it.
SURVIVED = (
    *("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU"),
    *("SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGPIPE"),
)


class Session:
    """The relay's end: the command in its own session."""

    def __init__(self, start: Start, terminal: int, foreground: bool) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                _monitor(start, terminal, foreground, theirs)
            finally:
                os._exit(0)
        theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._torn = b""

    def fileno(self) -> int:
        """What to wait on for messages."""
        return self._socket.fileno()

    def messages(self) -> list[tuple[str, int]]:
        """What the monitor has said since the last call; `ended` with 1 if it is gone without a word."""
        try:
            data = self._socket.recv(4096)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            return [("gone", 0)]
        *lines, self._torn = (self._torn + data).split(b"\n")
        return [(word.decode(), int(number)) for word, number in (line.split() for line in lines)]

    def signal(self, number: int, group: bool) -> None:
        """Send the command a signal, or all of its process group."""
        self._say(f"signal {number} {int(group)}")

    def resume(self, foreground: bool) -> None:
        """Let the stopped command go on, with or without the keyboard."""
        self._say("foreground" if foreground else "background")

    def close(self) -> None:
        """Let the monitor go, and wait for it."""
        self._socket.close()
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass

    def _say(self, text: str) -> None:
        try:
            self._socket.sendall(text.encode() + b"\n")
        except OSError:
            pass  # it is ending: its last word comes


def _monitor(start: Start, terminal: int, foreground: bool, channel: socket.socket) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    signal.set_wakeup_fd(-1)
    for name in SURVIVED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    failure, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        if foreground:
            os.tcsetpgrp(terminal, os.getpid())  # SIGTTOU is ignored here
        execute(start, report)
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # it has got as far as exec, and did it itself
    os.close(report)
    if errno := os.read(failure, 16):
        channel.sendall(b"failed %d\n" % int(errno))
    _let_go_of_all_but(terminal, channel.fileno(), wake, waker)
    _watch(pid, terminal, channel, wake)


def _let_go_of_all_but(*kept: int) -> None:
    """Hold nothing open that others wait to see closed."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        if fd not in kept:
            os.dup2(nothing, fd)
    edges = [2, *sorted(fd for fd in kept if fd > 2), os.sysconf("SC_OPEN_MAX")]
    for low, high in zip(edges, edges[1:], strict=False):
        os.closerange(low + 1, high)


def _watch(pid: int, terminal: int, channel: socket.socket, wake: int) -> None:
    torn = b""
    while True:
        ready = select.select([wake, channel.fileno()], [], [])[0]
        if wake in ready:
            os.read(wake, 512)
            ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                channel.sendall(b"stopped %d\n" % os.WSTOPSIG(status))
            elif ended:
                break
        if channel.fileno() in ready:
            data = channel.recv(4096)
            if not data:  # the relay was killed: the command gets what a closed terminal gives it
                os.killpg(pid, signal.SIGHUP)
                os.killpg(pid, signal.SIGCONT)
                return
            *lines, torn = (torn + data).split(b"\n")
            for line in lines:
                _obey(line.decode().split(), pid, terminal)
    # What is left in the background is no foreground group any more, so no SIGHUP comes when we go.
    os.tcsetpgrp(terminal, os.getpgrp())
    os.close(terminal)
    channel.sendall(b"ended %d\n" % status)
    while channel.recv(4096):
        pass


def _obey(words: Sequence[str], pid: int, terminal: int) -> None:
    try:
        if words[0] == "signal":
            (os.killpg if int(words[2]) else os.kill)(pid, int(words[1]))
        else:
            os.tcsetpgrp(terminal, pid if words[0] == "foreground" else os.getpgrp())
            os.killpg(pid, signal.SIGCONT)
    except OSError:
        pass  # it has just ended
