"""The session leader: a small process between the relay and a command on a pseudo-terminal.

Without it the command would lead its session itself.  Its process group would be an orphaned one, in which
the kernel discards Ctrl-Z, and the processes that it leaves in the background would die of SIGHUP when it
ends.  The relay and the session leader talk over two pipes (the module `socket` is slow to import), one line
at a time:

    orders, from the relay:     signal NUMBER TO_GROUP   foreground   background
    messages, from the leader:  started PID   failed ERRNO   stopped NUMBER   ended STATUS

(STATUS is as waitpid returns it.)
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capture.relay.command import Invocation, execute
from capture.relay.self_pipe import SelfPipe
from capture.relay.waiting import wait

try:
    import fcntl
    import termios
except ImportError:  # Windows: the relay reports it
    pass

# What is meant for the command must not end or stop its session leader.
IGNORED = (
    *("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU"),
    *("SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGPIPE"),
)


class Message(NamedTuple):
    """What has happened to the command: it was "started", "failed" to start, was "stopped", has "ended".

    "gone" says that the session leader has ended without saying more.
    """

    kind: str
    number: int  # a process id, an error number, a signal, a status as waitpid returns it, or 0


class Session:
    """The relay's connection to the leader of the command's session."""

    def __init__(
        self, invocation: Invocation, streams: Mapping[int, int], terminal: int, foreground: bool
    ) -> None:
        """Start the session leader, and with it the command.

        `streams` are the command's descriptors, as in `execute`; `terminal` is its end of the
        pseudo-terminal; `foreground` says whether it starts as the foreground process group.  Raises OSError
        where no process can be started.
        """
        # All that the leader needs is opened here: where it can't be, nothing has been started yet.
        pipes = [os.pipe() for _ in range(4)]
        (orders, self._orders), (self._messages, messages), failure, wake_up = pipes
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _lead(invocation, streams, terminal, foreground, (orders, messages), failure, wake_up)
            finally:
                os._exit(0)
        for fd in (orders, messages, *failure, *wake_up):
            os.close(fd)
        os.set_blocking(self._messages, False)
        self._partial = b""  # the first part of a message

    def fileno(self) -> int:
        """The descriptor to wait on for messages."""
        return self._messages

    def messages(self) -> list[Message]:
        """What the session leader has said since the last call."""
        try:
            data = os.read(self._messages, 4096)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            return [Message("gone", 0)]
        *lines, self._partial = (self._partial + data).split(b"\n")
        return [Message(kind.decode(), int(number)) for kind, number in (line.split() for line in lines)]

    def signal(self, number: int, group: bool) -> None:
        """Send a signal to the command, or to its whole process group."""
        self._send(f"signal {number} {int(group)}")

    def resume(self, foreground: bool) -> None:
        """Let a stopped command continue, with or without the keyboard."""
        self._send("foreground" if foreground else "background")

    def close(self) -> None:
        """Let the session leader end, and wait for that."""
        os.close(self._orders)
        os.close(self._messages)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass

    def _send(self, text: str) -> None:
        try:
            os.write(self._orders, text.encode() + b"\n")
        except OSError:
            pass  # it is ending, and has said so


def _lead(
    invocation: Invocation,
    streams: Mapping[int, int],
    terminal: int,
    foreground: bool,
    relay: tuple[int, int],
    failure: tuple[int, int],
    wake_up: tuple[int, int],
) -> None:
    """Be the session leader, until the relay closes its end of the orders.

    `relay` are the descriptors of orders and messages; `failure` and `wake_up` are pipes.
    """
    orders, messages = relay
    signal.set_wakeup_fd(-1)  # the self-pipe is still the relay's
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    pipe = SelfPipe(wake_up)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        if foreground:
            os.tcsetpgrp(terminal, os.getpid())  # in the background: SIGTTOU is ignored
        execute(invocation, streams, failure[1])
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # the command has already been executed, and did it before
    os.close(failure[1])
    os.write(messages, b"started %d\n" % pid)
    if exec_errno := os.read(failure[0], 16):
        os.write(messages, b"failed %d\n" % int(exec_errno))
    _close_all_but(terminal, orders, messages, pipe.reader, pipe.writer)
    _watch(pid, terminal, orders, messages, pipe)


def _close_all_but(*kept: int) -> None:
    """Keep nothing open of which other processes wait for the end."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        if fd not in kept:
            os.dup2(null, fd)
    edges = [2, *sorted(fd for fd in kept if fd > 2), os.sysconf("SC_OPEN_MAX")]
    for low, high in zip(edges, edges[1:], strict=False):
        os.closerange(low + 1, high)


def _watch(pid: int, terminal: int, orders: int, messages: int, pipe: SelfPipe) -> None:
    """Report what happens to the command, and carry out orders, until the relay closes its end."""
    partial = b""
    while True:
        ready, _ = wait([pipe.reader, orders])
        if pipe.reader in ready:
            pipe.read()
            ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                os.write(messages, b"stopped %d\n" % os.WSTOPSIG(status))
            elif ended:
                break
        if orders in ready:
            data = os.read(orders, 4096)
            if not data:  # the relay was killed: the command gets what a closed terminal sends
                os.killpg(pid, signal.SIGHUP)
                os.killpg(pid, signal.SIGCONT)
                return
            *lines, partial = (partial + data).split(b"\n")
            for line in lines:
                _carry_out(line.decode().split(), pid, terminal)
    # What is left in the background is not the foreground group, so it gets no SIGHUP when we end.
    try:
        os.tcsetpgrp(terminal, os.getpgrp())
    except OSError:
        pass  # the relay has closed its end
    os.close(terminal)
    os.write(messages, b"ended %d\n" % status)
    while os.read(orders, 4096):
        pass


def _carry_out(words: Sequence[str], pid: int, terminal: int) -> None:
    """Do what an order says."""
    try:
        if words[0] == "signal":
            (os.killpg if int(words[2]) else os.kill)(pid, int(words[1]))
        else:
            os.tcsetpgrp(terminal, pid if words[0] == "foreground" else os.getpgrp())
            os.killpg(pid, signal.SIGCONT)
    except OSError:
        pass  # the command has just ended
