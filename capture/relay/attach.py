"""The Python door's relay: passes on what a program prints that runs already, and records it.

The program has led its output to us before it goes on; it tells us that the run has ended, or dies.  Whatever
happens here, its output is shown: a second process, the guard, waits until the relay has ended, in whatever
way, and passes on the output of what is left until then: of processes that outlive the run, or of the program
itself if the relay was killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from capture.relay.stream import Stream
from capture.relay.terminal import copy_size, is_terminal
from capture.relay.tracked import TrackedRecording
from capture.runs import Result
from capture.runs.lock import process_exists

CHECK_INTERVAL = 1.0  # seconds between two looks at the tracker and at the program, at most
QUIET = 0.02  # seconds in which nothing comes: a terminal hands over what was written a little later
LEFT = 255  # what the relay says last to the guard, once it has read all
MAX_LAST_READS = 64  # a pipe holds no more than this many reads
IGNORED = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE")


class Source(NamedTuple):
    """What the program writes to, at our end."""

    name: str  # "stdout", "stderr" or "tty"
    fd: int
    sink: int | None  # where it goes outside; None where it is shown already


class Door(NamedTuple):
    """The program at the door."""

    pid: int
    control: int  # it says here that the run has ended, as a line of JSON
    reply: int  # it reads our answers here

    def answer(self, item: dict[str, Any]) -> None:
        """Send an answer, unless the program has died."""
        try:
            os.write(self.reply, json.dumps(item).encode() + b"\n")
        except OSError:
            pass


def open_sources(items: Sequence[Sequence[Any]]) -> list[Source]:
    """The sources that the program names, those without a sink with the null device for one."""
    return [
        Source(name, low(fd), os.open(os.devnull, os.O_WRONLY) if sink is None else low(sink))
        for name, fd, sink in items
    ]


def low(fd: int) -> int:
    """Give a descriptor a low number: `select` knows none above 1023, and the program may have more."""
    copy = os.dup(fd)
    os.close(fd)
    return copy


def ignore_signals() -> None:
    """Stay, whatever is sent to the program's whole group or job: its last words are still to come."""
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)


def guard(sources: Sequence[Source], door: Door) -> int:
    """Fork the relay.  Returns only there: the pipe on which it says what it has closed."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        return writer
    os.close(writer)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the relay
    streams = [Stream(one.name, one.fd, one.sink or 0, lambda name, data: None) for one in sources]
    left = False
    while data := os.read(reader, 64):
        left = left or LEFT in data
        for index in set(data) - {LEFT}:  # nobody reads there outside any more: the program has to feel it
            streams[index].close()
    if not left and any(stream.open for stream in streams):
        _stand_in(streams, door)
    for fd in (door.control, door.reply):
        os.close(fd)
    while any(stream.open for stream in streams):
        _turn(streams, [], None)
    os._exit(0)


def _stand_in(streams: Sequence[Stream], door: Door) -> None:
    """The relay was killed: pass on until the program says that the run has ended, and answer."""
    while any(stream.open for stream in streams):
        ended: list[int] = []
        _turn(streams, [door.control], None, ended.extend)
        if ended:
            break
    _drain(streams)
    door.answer({"drained": True})


def relay(
    door: Door, sources: Sequence[Source], closed: int, folder: str, wait: float, linger: float
) -> Result:
    """Record in `folder` what the program prints, and pass it on, until the run has ended.

    `closed` is the guard's pipe; `wait` is how many seconds to wait for the tracker at the end, and `linger`
    for the output of processes that outlive a program that has died.
    """
    recording = TrackedRecording(folder)
    recording.start_tracker()
    streams = [
        Stream(one.name, one.fd, one.sink or 0, recording.write, greedy=one.name == "tty") for one in sources
    ]
    watch = _Watch(door)
    known = [stream.open for stream in streams]
    while not (watch.ended or watch.gone):
        _copy_sizes(sources, streams)
        _turn(streams, watch.fds, CHECK_INTERVAL, watch.look)
        known = _tell(closed, streams, known)
        recording.check_tracker()
    deadline = time.monotonic() + (linger if watch.gone else 0)
    while any(stream.open for stream in streams) and (left := deadline - time.monotonic()) > 0:
        _turn(streams, [], left)
    _drain(streams)
    _tell(closed, streams, known)
    _leave(closed, streams, sources)
    door.answer({"drained": True})
    state = "finished" if watch.ended else "crashed"
    return recording.finish(wait, watch.status, state=state)


class _Watch:
    """Finds out that the run has ended.

    `ended` says that the program has said so, with its exit `status` if it knows it; `gone` that it has died.
    """

    def __init__(self, door: Door) -> None:
        self.status: int | None = None
        self.ended = self.gone = False
        self._pid, self._control = door.pid, door.control
        self._partial = b""
        self.fds = [door.control]
        self._process: int | None = None
        try:
            self._process = os.pidfd_open(door.pid)
            self.fds.append(self._process)
        except AttributeError:
            pass  # macOS, or an old kernel: asked at each look
        except OSError:
            self.gone = not process_exists(door.pid)

    def look(self, readable: Sequence[int]) -> None:
        """Take what has come."""
        if self._control in readable:
            data = os.read(self._control, 4096)
            if not data:  # it has become another program, which may go on printing; or it has died
                self.fds.remove(self._control)
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self.ended, self.status = True, json.loads(line)["status"]
        if self._process in readable or (self._process is None and not process_exists(self._pid)):
            self.gone = not self.ended


def _turn(
    streams: Sequence[Stream],
    others: Sequence[int],
    timeout: float | None,
    look: Callable[[Sequence[int]], None] = lambda readable: None,
) -> bool:
    """Wait until something is ready, and move it.  Returns whether that was output."""
    reading = {stream.source: stream for stream in streams if stream.open and not stream.waiting}
    writing = {
        stream.sink: stream
        for stream in streams
        if stream.open and stream.waiting and stream.sink is not None
    }
    readable, writable, _ = select.select([*reading, *others], list(writing), [], timeout)
    for fd in writable:
        writing[fd].push()
    ready = [fd for fd in readable if fd in reading]
    for fd in ready:
        reading[fd].move()
    look([fd for fd in readable if fd not in reading])
    return bool(ready or writable)


def _drain(streams: Sequence[Stream]) -> None:
    """Pass on what has been written until now, however slow the reader outside is."""
    for _ in range(MAX_LAST_READS):
        on_terminal = any(stream.name == "tty" and stream.open for stream in streams)
        waiting = any(stream.waiting for stream in streams)
        if not any(stream.open for stream in streams):
            return
        if not _turn(streams, [], None if waiting else QUIET if on_terminal else 0):
            return


def _tell(closed: int, streams: Sequence[Stream], known: Sequence[bool]) -> list[bool]:
    """Tell the guard which streams have been closed since the last time."""
    now = [stream.open for stream in streams]
    for index, (before, after) in enumerate(zip(known, now, strict=True)):
        if before and not after:
            os.write(closed, bytes([index]))
    return now


def _leave(closed: int, streams: Sequence[Stream], sources: Sequence[Source]) -> None:
    """Leave what is still printed to the guard: whoever reads outside waits for us no longer."""
    os.write(closed, bytes([LEFT]))
    os.close(closed)
    for stream in streams:
        stream.close()
    for fd in {fd for stream in streams if (fd := stream.sink) is not None} | {
        one.sink or 0 for one in sources
    }:
        os.close(fd)


def _copy_sizes(sources: Sequence[Source], streams: Sequence[Stream]) -> None:
    """Give the pseudo-terminal the size of the terminal outside, which may have been changed."""
    for source, stream in zip(sources, streams, strict=True):
        if source.name == "tty" and stream.open and source.sink is not None and is_terminal(source.sink):
            copy_size(source.sink, source.fd)
