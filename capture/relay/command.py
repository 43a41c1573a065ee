"""Start the command exactly as it would have been started, and end as it has ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capture.runs import PathLike

# Launchers of many processes write to one stream together: unbuffered, their lines would be torn.
LAUNCHERS = frozenset(["accelerate", "deepspeed", "horovodrun", "mpiexec", "mpirun", "srun", "torchrun"])
LAUNCHER_MODULES = frozenset(
    ["accelerate.commands.launch", "torch.distributed.launch", "torch.distributed.run"]
)
NOT_FOUND, NOT_EXECUTABLE = 127, 126


class Start(NamedTuple):
    """All that makes a start the same as without capture.

    `streams` are the descriptors of stdin, stdout and stderr, None for one that is inherited;
    `ignored` and `mask` are the signals that were ignored and blocked outside.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    streams: Sequence[int | None]
    ignored: frozenset[int]
    mask: set[int]


def environment(
    command: Sequence[str], environ: Mapping[str, str], folder: PathLike | None, unbuffer: bool
) -> dict[str, str]:
    """The command's environment: what there is, and at most two variables more."""
    changed = dict(environ)
    if folder is not None:
        changed["CAPTURE_RUN_DIR"] = os.path.abspath(folder)
    if unbuffer:
        changed["PYTHONUNBUFFERED"] = "1"
    return changed


def launches_many(command: Sequence[str]) -> bool:
    """Whether the command is a launcher of many processes."""
    words = [os.path.basename(word) for word in command]
    return bool(LAUNCHERS & set(words[:1])) or any(
        a == "-m" and b in LAUNCHER_MODULES for a, b in zip(command, command[1:], strict=False)
    )


def ignored_signals() -> frozenset[int]:
    """The signals that are ignored here and stay so for the command, as nohup's SIGHUP.

    SIGPIPE and SIGXFSZ are not among them: it is Python that ignores those.
    """
    own = {getattr(signal, name, None) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ")}
    return frozenset(
        number for number in signal.valid_signals() - own if signal.getsignal(number) is signal.SIG_IGN
    )


def execute(start: Start, report: int) -> None:
    """In the child: become the command.  Never returns; where exec fails its errno goes to `report`."""
    try:
        high = [None if fd is None or fd > 2 else os.dup(fd) for fd in start.streams]
        for target, (fd, moved) in enumerate(zip(start.streams, high, strict=True)):
            if fd is not None:
                os.dup2(fd if moved is None else moved, target)
        for number in signal.valid_signals():
            if signal.getsignal(number) is not None and number not in (signal.SIGKILL, signal.SIGSTOP):
                try:
                    signal.signal(number, signal.SIG_IGN if number in start.ignored else signal.SIG_DFL)
                except (OSError, ValueError):
                    pass
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, start.mask)
        os.execvpe(start.command[0], list(start.command), dict(start.environ))
    except OSError as error:
        os.write(report, str(error.errno).encode())
    finally:
        os._exit(NOT_FOUND)


def complain(command: Sequence[str], errno: int) -> int:
    """Say why the command could not be started, as a shell does.  Gives the shell's exit status."""
    missing = errno in (2, 20)  # ENOENT, ENOTDIR
    reason = "command not found" if missing and os.sep not in command[0] else os.strerror(errno).lower()
    sys.stderr.write(f"capture: {command[0]}: {reason}\n")
    sys.stderr.flush()
    return NOT_FOUND if missing else NOT_EXECUTABLE


def send(pid: int, number: int) -> None:
    """Send the command a signal.  Where that may not be (it became another user's: sudo), nothing happens."""
    try:
        os.kill(pid, number)
    except OSError:
        pass


def reap_orphans(ours: set[int]) -> None:
    """As process 1 of a container: let the zombies go of which nobody else is the parent."""
    if os.getpid() != 1:
        return
    try:
        while (
            ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        ) and ended.si_pid not in ours:
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        pass


def end_like(killed: int | None) -> None:
    """If a signal killed the command, die of it too, so that the shell says the same."""
    if killed is None:
        return
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (ImportError, OSError, ValueError):
        pass
    sys.stdout.flush()
    signal.set_wakeup_fd(-1)
    if killed not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(killed, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [killed])
    os.kill(os.getpid(), killed)
