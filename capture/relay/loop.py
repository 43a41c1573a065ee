"""The relay: starts the command, passes every byte on, records it.

On the way of every start, so the standard library only, and of that nothing slow to import.  Nothing is
decoded here, and no failure of the recording or the tracker reaches the command.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from capture.bare import reason, report_start_failure
from capture.relay import lost_output
from capture.relay.command import NotStarted, reap_orphans, send_signal
from capture.relay.limits import raise_limit, restore
from capture.relay.session import Message
from capture.relay.signals import TO_THE_GROUP
from capture.relay.start import Child, start
from capture.relay.stream import occupy_closed_streams
from capture.relay.terminal import copy_size, first_terminal, is_terminal
from capture.relay.tracked import TrackedRecording
from capture.relay.waiting import wait
from capture.runs import Result

MAX_LAST_READS = 32  # a pipe holds no more than this many reads


class Options(NamedTuple):
    """How the command is run."""

    tty: str = "auto"  # whether it gets a pseudo-terminal: "auto" (as outside), "always" or "never"
    unbuffer: bool | None = None  # whether PYTHONUNBUFFERED is set; None: where it is useful
    linger: float = 1.0  # seconds to wait for the output of what the command leaves behind
    wait: float = 30.0  # seconds to wait for the tracker at the end
    since: float = 0.0  # the age in seconds of a run that is resumed
    part_of: str = ""  # the folder of the run that this is a rank of
    tracked: bool = True  # False where the tracker of another rank reads the recording


def run(command: list[str], folder: str | None, options: Options) -> Result:
    """Run the command as it would run by itself, and record it in `folder`, unless that is None.

    Raises NotStarted if what is between the command and the outside can't be made.
    """
    if not hasattr(os, "fork"):
        sys.exit("capture: running a command needs Linux or macOS (or WSL on Windows)")
    limit = raise_limit()
    closed: list[int] = []
    try:
        closed = occupy_closed_streams()
        recording = TrackedRecording(folder, options.since)
        whole = folder and (options.part_of or folder)
        child = start(command, whole, options.tty, options.unbuffer, closed, recording.write, limit)
    except BlockingIOError as error:  # no more processes can be started
        return recording.finish(options.wait, report_start_failure(command, error.errno or 0))
    except OSError as error:
        restore(limit)
        for fd in closed:
            os.close(fd)
        raise NotStarted(reason(error)) from error
    relay = Relay(child, recording)
    try:
        if options.tracked:
            recording.start_tracker()
        relay.run(options.linger)
    finally:
        relay.close()
    status = relay.status or 0
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    exit_status = 128 + killed if killed else os.WEXITSTATUS(status)
    if relay.exec_errno:
        exit_status = report_start_failure(command, relay.exec_errno)
    exit_status, killed = lost_output.report(child.streams, exit_status, killed, child.ignored)
    return recording.finish(options.wait, exit_status, killed, stopped_by=relay.stopped_by)


class Relay:
    """Passes bytes and signals between one running command and the outside."""

    def __init__(self, child: Child, recording: TrackedRecording) -> None:
        self.status: int | None = None  # the command's, as waitpid returns it
        self.exec_errno = child.exec_errno
        self._child, self._recording = child, recording
        self._session, self._signals = child.session, child.signals
        self._keyboard = child.keyboard  # None once the terminal outside has gone
        self._pid = child.pid if child.session is None else None  # the command's
        self._stop: Any = None  # by a rule of the user's
        self._interrupted = False  # by a signal, after the command has ended

    def run(self, linger: float) -> None:
        """Pass bytes on until the command has ended and its output has been read.

        Processes that it leaves behind may go on writing for `linger` seconds.
        """
        self._signals.identify_senders()
        while self.status is None:
            self._turn(self._time_left(self._recording.check_tracker()))
        while self._stop and not self._interrupted and self._stop.alive():
            self._turn(min(0.1, self._time_left(None) or 0.0))
        deadline = time.monotonic() + linger
        while any(stream.open for stream in self._child.streams):
            if (left := deadline - time.monotonic()) <= 0:
                break
            if self._keyboard and self._keyboard.taken and not self._has_output():
                self._keyboard.give_back()
            self._turn(left)
        # What the command itself has written is passed on, however slow the reader outside is.  Of what
        # processes in the background go on writing, no more than that is read.
        reads = 0
        while reads < MAX_LAST_READS and not self._interrupted and self._has_output():
            reads += not any(stream.waiting for stream in self._child.streams)
            self._turn(None)
        for stream in self._child.streams:
            stream.close()

    @property
    def stopped_by(self) -> str:
        """The rule that has stopped the command, if one has."""
        return self._stop.rule if self._stop else ""

    def _time_left(self, timeout: float | None) -> float | None:
        """The timeout, or the time until a stop has to kill the command; where that is over it is killed."""
        if self._stop is None:
            return timeout
        if not self._stop.left():
            self._stop.kill()
        left = float(self._stop.left())
        return left if timeout is None else min(left, timeout)

    def _on_request(self) -> None:
        """The tracker asks to stop the command."""
        request = self._recording.request()
        if request and self._pid is not None and self.status is None and self._stop is None:
            from capture.relay.stopping import Stop  # not on the way of every start

            self._stop = Stop(self._pid, *request)

    def close(self) -> None:
        """Give the keyboard back, let the session leader end, and stop catching signals."""
        if self._keyboard:
            self._keyboard.give_back()
        if self._session:
            self._session.close()
        self._signals.close()

    def _has_output(self) -> bool:
        """Whether there are bytes of the command that have not been passed on yet."""
        streams = [stream for stream in self._child.streams if stream.open]
        if any(stream.waiting for stream in streams):
            return True
        return bool(wait([stream.source for stream in streams], timeout=0)[0])

    def _turn(self, timeout: float | None) -> None:
        """Wait at most `timeout` seconds until descriptors are ready, and call their handlers."""
        readers: dict[int, Callable[[], None]] = {}
        writers: dict[int, Callable[[], None]] = {}
        for stream in self._child.streams:
            if not stream.open:
                continue
            if stream.waiting and stream.sink is not None:
                writers[stream.sink] = stream.push
            else:
                readers[stream.source] = stream.move
        if self._keyboard and self._child.terminal and self._child.terminal.open:
            if self._keyboard.waiting:
                writers[self._keyboard.inner] = self._type_keys
            elif self._keyboard.taken and self.status is None:
                readers[self._keyboard.fd] = self._on_keys
        for fd in self._signals.sources:
            readers[fd] = self._on_signals
        if self._session and self.status is None:
            readers[self._session.fileno()] = self._on_messages
        if self._recording.requests is not None and self.status is None:
            readers[self._recording.requests] = self._on_request
        readable, writable = wait(readers, writers, timeout)
        for fd in writable:
            writers[fd]()
        for fd in readable:
            readers[fd]()

    def _on_keys(self) -> None:
        if self._keyboard and not self._keyboard.read():
            self._keyboard = None
        self._type_keys()

    def _type_keys(self) -> None:
        if self._keyboard:
            for number in self._keyboard.push():
                self._signals.send_to_our_group(number)

    def _on_signals(self) -> None:
        for number, delivered in self._signals.arrived():
            if number == signal.SIGCHLD:
                self._on_child_ended()
            elif number == signal.SIGWINCH:
                self._copy_size()
            elif self.status is not None:
                self._interrupted = self._interrupted or number != signal.SIGCONT
            elif self._session is None:
                if not delivered:
                    send_signal(self._child.pid, number)
                if number == signal.SIGTSTP:
                    self._signals.stop(number)
            elif number == signal.SIGCONT:
                self._on_continued()
            else:
                self._session.signal(number, group=number in TO_THE_GROUP)

    def _on_child_ended(self) -> None:
        if self._session is None and self.status is None:
            pid, status = os.waitpid(self._child.pid, os.WNOHANG)
            if pid:
                self.status = status
        self._recording.check_tracker()
        reap_orphans({self._child.pid, self._recording.tracker_pid})

    def _on_messages(self) -> None:
        """The session leader has said what happened to the command."""
        for message in self._session.messages() if self._session else ():
            self._on_message(message)

    def _on_message(self, message: Message) -> None:
        if message.kind == "started":
            self._pid = message.number
            if self._keyboard:
                self._keyboard.typed.group = message.number
        elif message.kind == "failed":
            self.exec_errno = message.number
        elif message.kind == "stopped":
            self._on_stopped(message.number)
        elif message.kind == "ended":
            self.status = message.number
        elif self.status is None:  # the leader was killed
            self.status = signal.SIGKILL

    def _on_stopped(self, number: int) -> None:
        """The command was stopped: by Ctrl-Z, or because it needs the keyboard and does not have it."""
        needs_keyboard = number in (signal.SIGTTIN, signal.SIGTTOU)
        if needs_keyboard and self._keyboard and not self._keyboard.taken and self._keyboard.take():
            self._resume(foreground=True)
            return
        if self._keyboard:
            self._keyboard.give_back()
        self._signals.stop(number if number != signal.SIGSTOP else signal.SIGTSTP)
        self._on_continued(stopped=True)

    def _on_continued(self, stopped: bool = False) -> None:
        """We were continued, by `fg` or `bg`.  `stopped` says that the command is stopped."""
        if self.status is not None:
            return
        before = after = bool(self._keyboard and self._keyboard.taken)
        if self._keyboard and is_terminal(0) and is_terminal(1):
            after = self._keyboard.take()
        self._copy_size()
        if stopped or after != before:
            self._resume(foreground=after or self._keyboard is None)

    def _resume(self, foreground: bool) -> None:
        if self._session:
            self._session.resume(foreground)

    def _copy_size(self) -> None:
        if self._child.terminal and self._child.terminal.open:
            copy_size(first_terminal(), self._child.terminal.source)
