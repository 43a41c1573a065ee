"""Start the command on streams that are of the same kind as those outside."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from capture.bare import environment as outer_environment
from capture.relay.command import Invocation, environment, execute, ignored_signals, launches_many
from capture.relay.limits import Limit
from capture.relay.plan import StreamPlan, plan_streams
from capture.relay.session import Session
from capture.relay.signals import Signals
from capture.relay.stream import Record, Stream
from capture.relay.terminal import Keyboard, is_terminal, open_keys, open_pair, set_post_processing


class Child(NamedTuple):
    """A command that has been started, and our ends of what connects us with it."""

    pid: int  # of the command, or of the leader of its session
    signals: Signals
    streams: list[Stream]
    exec_errno: int = 0  # why the command could not be executed; in a session, the leader says it later
    session: Session | None = None  # the command's on its pseudo-terminal, if it has one
    terminal: Stream | None = None  # its source is our end of the pseudo-terminal
    keyboard: Keyboard | None = None
    ignored: frozenset[int] = frozenset()  # signals that are ignored outside


def start(
    command: Sequence[str],
    folder: str | None,
    tty: str,
    unbuffer: bool | None,
    closed: Collection[int],
    record: Record,
    limit: Limit | None = None,
) -> Child:
    """Start the command; from here on the signals that are meant for it are caught.

    `folder` is the run's, for the command's environment; `tty` is "auto", "always" or "never"; `unbuffer`
    says whether Python is told not to buffer (None: if its output is a pipe); `closed` are the standard
    streams that are closed outside; `record` takes what the command prints; `limit` is that of open files
    outside, if ours is another.  Raises OSError where it can't be started; no signals are caught then.
    """
    terminals = [is_terminal(fd) for fd in range(3)]
    same_output = os.path.sameopenfile(1, 2)
    plan = plan_streams(terminals, tty, closed, same_output)
    pair: tuple[int, int] | None = None
    if plan.on_terminal:
        try:
            pair = open_pair(plan.outer)
        except OSError:  # no pseudo-terminal is left
            plan = plan_streams(terminals, "never", closed, same_output)
    ignored = ignored_signals()
    signals = Signals(ignored, on_terminal=pair is not None)
    if unbuffer is None:
        unbuffer = pair is None and not launches_many(command)
    environ = environment(outer_environment(), folder, unbuffer)
    invocation = Invocation(command, environ, ignored, signals.mask, limit)
    try:
        if pair is None:
            return _start_on_pipes(invocation, plan, signals, record)
        return _start_on_terminal(invocation, plan, pair, signals, record)
    except OSError:
        signals.close()
        raise


def _start_on_pipes(invocation: Invocation, plan: StreamPlan, signals: Signals, record: Record) -> Child:
    """Start the command in our own process group."""
    streams, ends = _open_pipes(plan, record)
    failure, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        execute(invocation, ends, report)
    for fd in {*ends.values(), report}:
        os.close(fd)
    exec_errno = int(os.read(failure, 16) or 0)  # nothing comes if exec closes the pipe
    os.close(failure)
    return Child(pid, signals, streams, exec_errno, ignored=invocation.ignored)


def _start_on_terminal(
    invocation: Invocation, plan: StreamPlan, pair: tuple[int, int], signals: Signals, record: Record
) -> Child:
    """Start the command in a session of its own on the pseudo-terminal `pair`: our end, the command's end."""
    ours, theirs = pair
    output = Stream("tty", ours, plan.terminal_sink, record, greedy=True)
    others, ends = _open_pipes(plan, record)
    ends.update((fd, theirs) for fd in plan.on_terminal)
    keyboard = None
    if (keys := open_keys(plan.keys)) is not None:
        keyboard = Keyboard(keys, ours)
    elif plan.outer is not None:
        set_post_processing(ours, False)  # the terminal outside does it
    foreground = keyboard is None or (plan.foreground and keyboard.take())
    try:
        session = Session(invocation, ends, theirs, foreground)
    except OSError:
        if keyboard:
            keyboard.give_back()
        raise
    for fd in set(ends.values()):
        os.close(fd)
    return Child(
        session.pid,
        signals,
        [output, *others],
        session=session,
        terminal=output,
        keyboard=keyboard,
        ignored=invocation.ignored,
    )


def _open_pipes(plan: StreamPlan, record: Record) -> tuple[list[Stream], dict[int, int]]:
    """The pipes for the command's outputs: our streams, and its end for each of its descriptors."""
    streams, ends = [], {}
    for fd in plan.pipes:
        source, ends[fd] = os.pipe()
        streams.append(Stream("stdout" if fd == 1 else "stderr", source, fd, record))
    if plan.shared_pipe:
        ends[2] = ends[1]
    return streams, ends
