"""The relay: starts the command, passes every byte on, records it.

On the way of every start, so the standard library only, and of that nothing slow to import.  Nothing
is decoded here, and nothing that fails beside the command is allowed to reach it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from capture.relay import command as launch
from capture.relay.session import Session
from capture.relay.signals import TO_THE_GROUP, Signals
from capture.relay.stream import Stream, occupy_closed_streams
from capture.relay.terminal import Keyboard, copy_size, is_terminal, keys_of, open_pair, post_process
from capture.relay.tracked import TrackedRecording
from capture.runs import Result

LAST_TURNS = 32  # a pipe holds no more than this many reads


class Options(NamedTuple):
    """How the command is run; in seconds `linger`, `wait`, and `since`, the run's age if it is resumed."""

    tty: str = "auto"
    unbuffer: bool | None = None
    linger: float = 1.0
    wait: float = 30.0
    since: float = 0.0


class Relay:
    """One command and its streams."""

    def __init__(
        self,
        command: Sequence[str],
        folder: str | None,
        options: Options,
        closed: Sequence[int],
        recording: TrackedRecording,
    ) -> None:
        self.command, self.options, self.recording = command, options, recording
        self.flows: list[Stream] = []
        self.session: Session | None = None
        self.keyboard: Keyboard | None = None
        self.ours: int | None = None  # our end of the pseudo-terminal
        self.typed = b""  # read from the keyboard, and not yet taken by the command
        self.pid = 0
        self.status: int | None = None  # as waitpid gives it
        self.errno = 0
        self._closed = closed
        self._ignored = launch.ignored_signals()
        self._hurried = False  # told to end, after the command had ended
        terminals = [is_terminal(fd) for fd in range(3)]
        wanted = options.tty == "always" or (options.tty == "auto" and (terminals[1] or terminals[2]))
        self.signals = Signals(self._ignored, wanted)
        unbuffer = not launch.launches_many(command) if options.unbuffer is None else options.unbuffer
        environ = launch.environment(
            command, os.environ, folder, unbuffer and (options.unbuffer is True or not wanted)
        )
        if wanted:
            self._start_on_terminal(environ, terminals)
        else:
            self._start_on_pipes(environ)

    def _start_on_terminal(self, environ: dict[str, str], terminals: Sequence[bool]) -> None:
        outer = next((fd for fd in range(3) if terminals[fd]), None)
        try:
            self.ours, theirs = open_pair(outer)
        except OSError:  # no more pseudo-terminals to be had
            self._start_on_pipes(environ)
            return
        on_terminal = [terminals[0], *(terminals[1:] if outer is not None else (True, True))]
        if self.options.tty == "always":
            on_terminal[1:] = [True, True]
        streams: list[int | None] = [theirs if flag else None for flag in on_terminal]
        self.flows.append(
            Stream("tty", self.ours, 1 if on_terminal[1] else 2, self.recording.write, greedy=True)
        )
        other = next((fd for fd in (1, 2) if not on_terminal[fd] and fd not in self._closed), None)
        pipe = self._pipe(other) if other is not None else None
        if other is not None:
            streams[other] = pipe
        keys = keys_of(terminals) if outer is not None else None
        if keys is not None:
            self.keyboard = Keyboard(keys, self.ours)
        elif outer is not None:
            post_process(self.ours, False)  # the outer terminal does it
        # In a pipeline the keyboard may be another's (`| less`): it is taken when the command asks for it.
        alone = self.keyboard is not None and terminals[0] and terminals[1] and self.keyboard.take()
        foreground = alone or self.keyboard is None
        try:
            self.session = Session(self._start(environ, streams), theirs, foreground)
        except OSError:
            if self.keyboard:
                self.keyboard.give_back()
            raise
        self.pid = self.session.pid
        os.close(theirs)
        if pipe is not None:
            os.close(pipe)

    def _start_on_pipes(self, environ: dict[str, str]) -> None:
        streams: list[int | None] = [None, None, None]
        for fd in (fd for fd in (1, 2) if fd not in self._closed):
            if fd == 2 and streams[1] is not None and _same(1, 2):
                streams[2] = streams[1]  # 2>&1: one pipe keeps the order of the two
            else:
                streams[fd] = self._pipe(fd)
        failure, report = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            launch.execute(self._start(environ, streams), report)
        for opened in {*streams} - {None}:
            assert opened is not None  # noqa: S101  taken out above
            os.close(opened)
        os.close(report)
        self.errno = int(os.read(failure, 16) or 0)
        os.close(failure)

    def _start(self, environ: dict[str, str], streams: Sequence[int | None]) -> launch.Start:
        return launch.Start(self.command, environ, streams, self._ignored, self.signals.mask)

    def _pipe(self, fd: int) -> int:
        """A pipe for the command's stream; gives the command's end."""
        ours, theirs = os.pipe()
        self.flows.append(Stream({1: "stdout", 2: "stderr"}[fd], ours, fd, self.recording.write))
        return theirs

    def run(self) -> None:
        """Pass bytes on until the command has ended and its output is drained."""
        self.signals.ask_for_senders()
        while self.status is None:
            self._turn(self.recording.check_tracker())
        deadline = time.monotonic() + self.options.linger
        while any(flow.open for flow in self.flows) and (left := deadline - time.monotonic()) > 0:
            if self.keyboard and self.keyboard.taken and not self._is_moving():
                self.keyboard.give_back()
            self._turn(left)
        # What the command had written is still passed on, however slow the reader outside; of what is
        # left in the background and goes on writing, no more than that.
        turns = 0
        while turns < LAST_TURNS and not self._hurried and self._is_moving():
            turns += not any(flow.waiting for flow in self.flows)
            self._turn(None)
        for flow in self.flows:
            flow.close()

    def _is_moving(self) -> bool:
        """Whether there are bytes that nobody outside has got yet."""
        sources = [flow.source for flow in self.flows if flow.open]
        return any(flow.waiting for flow in self.flows) or bool(select.select(sources, [], [], 0)[0])

    def _turn(self, pause: float | None) -> None:
        reading: list[int] = self.signals.sources
        writing: list[int] = []
        flows = [flow for flow in self.flows if flow.open]
        for flow in flows:
            if flow.waiting and flow.sink is not None:
                writing.append(flow.sink)
            else:
                reading.append(flow.source)
        if self.session and self.status is None:
            reading.append(self.session.fileno())
        if self.keyboard and self.keyboard.taken and not self.typed and self.status is None:
            reading.append(self.keyboard.fd)
        if self.typed and self.ours is not None:
            writing.append(self.ours)
        readable, writable, _ = select.select(reading, writing, [], pause)
        for flow in flows:
            if flow.waiting and flow.sink in writable:
                flow.push()
            elif flow.source in readable:
                flow.move()
        if self.keyboard and self.keyboard.fd in readable and self.keyboard.taken:
            self._read_keys()
        if self.typed:
            self._type()
        for name, had in self.signals.arrived() if readable else ():
            self._signalled(name, had)
        if self.session and self.status is None and self.session.fileno() in readable:
            for word, number in self.session.messages():
                self._told(word, number)

    def _read_keys(self) -> None:
        assert self.keyboard is not None  # noqa: S101  it was readable
        try:
            self.typed = os.read(self.keyboard.fd, 4096)
        except OSError:
            self.typed = b""
        if not self.typed:  # the terminal is gone
            self.keyboard.give_back()
            self.keyboard = None

    def _type(self) -> None:
        assert self.ours is not None  # noqa: S101  there is a keyboard
        try:
            self.typed = self.typed[os.write(self.ours, self.typed) :]
        except BlockingIOError:
            pass  # the command does not read: the rest stays with us
        except OSError:
            self.typed = b""

    def _signalled(self, name: str, had: bool) -> None:
        """A signal has come; `had` says that the command has had it too."""
        if name == "SIGCHLD":
            if self.session is None and self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = status
            launch.reap_orphans(
                {self.pid, self.session.pid if self.session else 0, self.recording.tracker_pid or 0}
            )
        elif name == "SIGWINCH":
            if self.ours is not None:
                copy_size(next((fd for fd in range(3) if is_terminal(fd)), None), self.ours)
        elif self.status is not None:
            self._hurried = self._hurried or name != "SIGCONT"
        elif self.session:
            if name == "SIGCONT":
                self._come_back()
            else:
                self.session.signal(getattr(signal, name), group=name in TO_THE_GROUP)
        else:
            if not had:
                launch.send(self.pid, getattr(signal, name))
            if name == "SIGTSTP":
                self.signals.stop(signal.SIGTSTP)

    def _told(self, word: str, number: int) -> None:
        if word == "failed":
            self.errno = number
        elif word == "stopped":
            self._stopped(number)
        elif word == "ended":
            self.status = number
        elif word == "gone":
            self.status = self.status if self.status is not None else signal.SIGKILL

    def _stopped(self, number: int) -> None:
        """The command was stopped: by Ctrl-Z, or because it wants the keyboard and doesn't have it."""
        assert self.session is not None  # noqa: S101  the monitor told
        wants = number in (signal.SIGTTIN, signal.SIGTTOU)
        if wants and self.keyboard and not self.keyboard.taken and self.keyboard.take():
            self.session.resume(foreground=True)
            return
        if self.keyboard:
            self.keyboard.give_back()
        self.signals.stop(number if number != signal.SIGSTOP else signal.SIGTSTP)
        self._come_back(resume=True)

    def _come_back(self, resume: bool = False) -> None:
        """We were continued, by fg or bg: the keyboard may be ours again."""
        if self.session is None or self.status is not None:
            return
        had = self.keyboard.taken if self.keyboard else False
        has = self.keyboard.take() if self.keyboard and is_terminal(0) and is_terminal(1) else had
        if self.ours is not None:
            copy_size(next((fd for fd in range(3) if is_terminal(fd)), None), self.ours)
        if resume or has != had:
            self.session.resume(foreground=has or self.keyboard is None)

    def end(self) -> None:
        """Give everything back."""
        if self.keyboard:
            self.keyboard.give_back()
        if self.session:
            self.session.close()
        self.signals.close()


def run(command: list[str], folder: str | None, options: Options) -> Result:
    """Run the command as it would run by itself, and record it in `folder`, if there is one."""
    if not hasattr(os, "fork"):
        sys.exit("capture: running a command needs Linux or macOS (or WSL on Windows)")
    closed = occupy_closed_streams()
    recording = TrackedRecording(folder, options.since)
    try:
        relay = Relay(command, folder, options, closed, recording)
    except BlockingIOError as error:  # no more processes, or terminals, to be had
        return recording.finish(options.wait, launch.complain(command, error.errno or 0))
    try:
        recording.start_tracker()
        relay.run()
    finally:
        relay.end()
    status = relay.status or 0
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = 128 + killed if killed else os.WEXITSTATUS(status)
    if relay.errno:
        code = launch.complain(command, relay.errno)
    return recording.finish(options.wait, code, killed)


def _same(one: int, other: int) -> bool:
    """Whether two descriptors are one file, pipe or terminal outside, written through one offset."""
    a, b = os.fstat(one), os.fstat(other)
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
