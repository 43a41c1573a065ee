"""Execute the command exactly as it would be executed without capture, and end as it has ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capture.bare import IGNORED_BY_PYTHON, NOT_FOUND
from capture.relay.limits import Limit, restore
from capture.runs import PathLike

# Launchers of many processes: all write to one stream, and unbuffered, their lines would be torn.
LAUNCHERS = frozenset(["accelerate", "deepspeed", "horovodrun", "mpiexec", "mpirun", "srun", "torchrun"])
# Ray shows of lines that differ only in their numbers the first one: of the metrics of all workers, one.
NOT_DROPPED = {"RAY_DEDUP_LOGS": "0"}
LAUNCHER_MODULES = frozenset(
    ["accelerate.commands.launch", "torch.distributed.launch", "torch.distributed.run"]
)


class Invocation(NamedTuple):
    """What is executed, and the state in which it expects to be."""

    command: Sequence[str]
    environ: Mapping[str, str]
    ignored: frozenset[int]  # signals that are ignored outside
    mask: set[int]  # signals that are blocked outside
    limit: Limit | None = None  # of open files outside, if it is another one here


class NotStarted(Exception):
    """The command has not been started, and nothing of it is left behind: it may be run without capture."""


def environment(environ: Mapping[str, str], folder: PathLike | None, unbuffer: bool) -> dict[str, str]:
    """The command's environment: a copy of `environ` with at most three more variables.

    `folder` is the run's, None where nothing is recorded.
    """
    changed = {**NOT_DROPPED, **environ} if folder is not None else dict(environ)
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
    """The signals that were ignored when we were started, and stay ignored for the command: nohup's SIGHUP.

    SIGPIPE and SIGXFSZ do not count: it is Python that ignores them.
    """
    own = {getattr(signal, name, None) for name in IGNORED_BY_PYTHON}
    return frozenset(
        number for number in signal.valid_signals() - own if signal.getsignal(number) is signal.SIG_IGN
    )


def execute(invocation: Invocation, streams: Mapping[int, int], report: int) -> None:
    """In a child process: become the command.  Never returns.

    `streams` maps its descriptors (0, 1, 2) to those that they become copies of; all of these are above 2.
    If exec fails, the error number is written to `report` as text; otherwise exec closes it.
    """
    try:
        for target, fd in streams.items():
            os.dup2(fd, target)
        for number in signal.valid_signals():
            if signal.getsignal(number) is not None and number not in (signal.SIGKILL, signal.SIGSTOP):
                try:
                    signal.signal(number, signal.SIG_IGN if number in invocation.ignored else signal.SIG_DFL)
                except (OSError, ValueError):
                    pass
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, invocation.mask)
        restore(invocation.limit)
        os.execvpe(invocation.command[0], list(invocation.command), dict(invocation.environ))
    except OSError as error:
        os.write(report, str(error.errno).encode())
    finally:
        os._exit(NOT_FOUND)


def send_signal(pid: int, number: int) -> None:
    """Send the command a signal, unless it has ended or runs as another user (sudo)."""
    try:
        os.kill(pid, number)
    except OSError:
        pass


def reap_orphans(own: set[int | None]) -> None:
    """Reap the zombies that became our children because we are process 1 of a container.

    `own` are the processes that we started ourselves; they are waited for elsewhere.
    """
    if os.getpid() != 1:
        return
    try:
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in own:  # it comes before the others until it is waited for
                for pid in _children() - own:
                    os.waitpid(pid, os.WNOHANG)
                return
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        pass


def _children() -> set[int]:
    """The processes whose parent we are; empty where the system does not tell."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return set(map(int, file.read().split()))
    except OSError:
        return set()


def die_of_signal(number: int) -> None:
    """Die of the signal that has killed the command, so that a shell reports the same.  Dumps no core."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (ImportError, OSError, ValueError):
        pass
    sys.stdout.flush()
    signal.set_wakeup_fd(-1)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
