"""The tracker's keeper: starts it, starts it again when it dies, waits for it at the end.

The tracker's standard input is a pipe that only the relay holds open, its lifeline: however the relay
ends, the tracker sees it close.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from capture.runs import TRACKER_LOG, PathLike

MOST_FAILURES = 5  # of its own; a kill from outside counts less
KILL_COUNTS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds
GRACE = 2.0  # seconds between SIGTERM and SIGKILL
POLL = 0.01
NICENESS = 10


class Supervisor:
    """Keeps one tracker running for the run in `folder`."""

    def __init__(self, folder: PathLike, *arguments: str) -> None:
        """`arguments` are more for the tracker than the folder."""
        isolated = ["-E", "-P"] if sys.version_info >= (3, 11) else ["-E"]
        module = ["-m", "capture.tracker", os.path.abspath(folder)]
        self._program = [sys.executable, *isolated, *module, *arguments]
        self._folder = os.path.abspath(folder)
        self.pid: int | None = None
        self._failures = 0.0
        self._again = 0.0
        self.done = False  # it has done all its work
        self._lifeline, self._held = os.pipe()

    def start(self) -> None:
        """Start the tracker."""
        try:
            self.pid = os.fork()
        except OSError:  # no process to be had now
            self._failed(1)
            return
        if self.pid == 0:
            try:
                self._become()
            finally:
                os._exit(127)

    @property
    def given_up(self) -> bool:
        """Whether the tracker has failed too often to be started again."""
        return not self.done and self._failures >= MOST_FAILURES

    def check(self) -> float | None:
        """Notice a tracker that has died, and start it again when its pause is over.

        Gives the seconds until this should be called again, None if it need not be.
        """
        if self.pid is not None:
            pid, status = _reap(self.pid)
            if not pid:
                return None
            self.pid = None
            self.done = status == 0
            self._failed(KILL_COUNTS if os.WIFSIGNALED(status) else 1)
        if self.done or self.given_up:
            return None
        pause = self._again - time.monotonic()
        if pause > 0:
            return pause
        self.start()
        return None

    def _failed(self, weight: float) -> None:
        self._failures += weight
        self._again = time.monotonic() + min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)

    def finish(self, wait: float) -> bool:
        """Wait until the tracker has done its work, at most `wait` seconds in all; Ctrl-C ends the waiting.

        Before the time is over it is told to hand over what it has.  Gives whether it has done all.
        """
        os.close(self._held)
        interrupted: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda signum, frame: interrupted.append(signum))
        deadline = time.monotonic() + wait
        hurry = deadline - min(GRACE, wait / 2)
        while not (self.done or self.given_up):
            if interrupted or time.monotonic() >= hurry:
                self._stop(time.monotonic() + GRACE if interrupted else deadline)
                break
            time.sleep(POLL)
            self.check()
        return self.done

    def _stop(self, deadline: float) -> None:
        """End a tracker that takes too long; one that nobody waits for ends by itself, unless it hangs."""
        if self.pid is None:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
            while (left := deadline - time.monotonic()) > 0:
                pid, status = _reap(self.pid)
                if pid:
                    self.done = status == 0
                    return
                time.sleep(min(left, POLL))
                if time.monotonic() >= deadline:
                    os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _become(self) -> None:
        """In the child: a session of its own, so that Ctrl-C at the terminal does not reach it."""
        os.setsid()
        _be_nice()
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE}:
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass
        log = os.open(os.path.join(self._folder, TRACKER_LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for fd, target in ((self._lifeline, 0), (log, 1), (log, 2)):
            os.dup2(fd, target)
        os.chdir(self._folder)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execv(self._program[0], self._program)


def _be_nice() -> None:
    """Leave the processor to the command.

    Where Linux schedules by session (autogroup), `nice` counts within a session only, and a new
    session would get as much as the one with the command.
    """
    os.nice(NICENESS)
    try:
        with open("/proc/self/autogroup", "w") as group:
            group.write(str(NICENESS))
    except OSError:
        pass  # macOS, or a kernel without it


def _reap(pid: int) -> tuple[int, int]:
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return pid, 0x100
