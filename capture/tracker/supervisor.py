"""Starts the tracker, restarts it when it dies, and waits for it at the end.

The tracker's standard input is a pipe that only this process holds open, its lifeline: however this process
ends, the tracker sees the pipe close.  Through a second one the tracker can ask for
the command to be stopped.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

try:
    import fcntl
except ImportError:  # Windows: the relay reports it
    pass

from capture.runs import TRACKER_LOG, PathLike
from capture.tracker import requests

MAX_FAILURES = 5  # before it is not started again
FAILURE_WEIGHT, KILL_WEIGHT = 1.0, 0.1  # being killed by a signal is hardly its own fault
FIRST_PAUSE, MAX_PAUSE = 0.1, 2.0  # seconds before it is started again
GRACE = 2.0  # seconds between SIGTERM and SIGKILL
POLL = 0.01  # seconds
LEFT = 4  # the tracker's exit status when ranks go on that it does not wait for: starting it again is no use
LOOK = 0.2  # seconds between two looks at the progress
# A run's folder is data: nothing is imported from it, though the tracker works there.
ISOLATED = ["-E", "-P", "-m", "capture.tracker"]
if sys.version_info < (3, 11):
    ISOLATED = [
        "-E",
        "-c",
        "import sys; sys.path[:1] = []; import runpy; runpy.run_module('capture.tracker', None, '__main__')",
    ]


class Supervisor:
    """Keeps one tracker running for the run in `folder`."""

    def __init__(self, folder: PathLike, *arguments: str) -> None:
        """`arguments` are passed to the tracker after the folder."""
        self._program = [sys.executable, *ISOLATED, os.path.abspath(folder), *arguments]
        self._folder = os.path.abspath(folder)
        self.pid: int | None = None  # of the tracker, while it is running
        self.done = False  # it has done all its work
        self.interrupted = False  # by a signal, while it was waited for
        self._failures = 0.0
        self._next_start = 0.0  # on the monotonic clock
        self._lifeline, self._lifeline_end = os.pipe()  # the tracker's end, and ours
        self.requests: int | None = None  # the descriptor to wait on for them, as long as one may come
        self._requests_end: int | None = None  # the tracker's
        if requests.OPTION in arguments:
            self.requests, self._requests_end = os.pipe()

    def start(self) -> None:
        """Start the tracker.  If no process can be started, that counts as a failure."""
        # A signal for the new process must wait until our handlers, which would swallow it, are gone there.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    self._execute()
                finally:
                    os._exit(127)
        except OSError:  # no more processes can be started now
            self._note_failure(FAILURE_WEIGHT)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    @property
    def given_up(self) -> bool:
        """Whether the tracker has failed too often to be started again."""
        return not self.done and self._failures >= MAX_FAILURES

    def check(self) -> float | None:
        """Notice a tracker that has ended; if it has failed, restart it after a pause.

        Returns the seconds until this has to be called again, None if it need not be before SIGCHLD.
        """
        if self.pid is not None:
            pid, status = _reap(self.pid)
            if not pid:
                return None
            self.pid = None
            self.done = status == 0
            self._note_failure(KILL_WEIGHT if os.WIFSIGNALED(status) else FAILURE_WEIGHT)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == LEFT:
                self._failures = MAX_FAILURES
        if self.done or self.given_up:
            return None
        pause = self._next_start - time.monotonic()
        if pause > 0:
            return pause
        self.start()
        return None

    def request(self) -> tuple[float, str] | None:
        """The request to stop the command that has come: its grace time in seconds, and its rule.

        There is one at most: whatever comes, nothing more is listened to.
        """
        if self.requests is None:
            return None
        data = os.read(self.requests, 4096)
        self.requests = None
        return requests.read(data)

    def _note_failure(self, weight: float) -> None:
        """Count a failure; the pause before the next start doubles with each."""
        self._failures += weight
        self._next_start = time.monotonic() + min(MAX_PAUSE, FIRST_PAUSE * 2**self._failures)

    def finish(self, wait: float, progress: Callable[[], object] = lambda: None) -> bool:
        """Wait at most `wait` seconds until the tracker has done its work.  Ctrl-C ends the waiting.

        The time begins anew whenever `progress()`, which is asked every LOOK seconds, has changed.  Shortly
        before it is over the tracker is told to deliver what it has.  Returns whether all its work is done.
        """
        os.close(self._lifeline_end)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        seen, looked = progress(), time.monotonic()
        deadline = looked + wait
        while not (self.done or self.given_up):
            now = time.monotonic()
            if now >= looked + LOOK:
                looked = now
                if (reached := progress()) != seen:
                    seen, deadline = reached, now + wait
            if self.interrupted or now >= deadline - min(GRACE, wait / 2):
                self._stop(now + GRACE if self.interrupted else deadline)
                break
            time.sleep(POLL)
            self.check()
        return self.done

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True

    def _stop(self, deadline: float) -> None:
        """Send the tracker SIGTERM, and SIGKILL at `deadline` on the monotonic clock.

        With a deadline in the past nothing is waited for: it ends by itself, unless it hangs.
        """
        if self.pid is None:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
            begin = time.monotonic()
            while (left := deadline - time.monotonic()) > 0:
                pid, status = _reap(self.pid)
                if pid:
                    self.done = status == 0
                    return
                time.sleep(min(left, POLL))
            if begin < deadline:
                os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _execute(self) -> None:
        """In the child process: become the tracker, in a session of its own, which Ctrl-C does not reach."""
        signal.set_wakeup_fd(-1)  # the self-pipe is the relay's
        os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE}:
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        log = os.open(os.path.join(self._folder, TRACKER_LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        kept = [(self._lifeline, 0), (log, 1), (log, 2)]
        if self._requests_end is not None:
            kept.append((fcntl.fcntl(self._requests_end, fcntl.F_DUPFD, requests.FD + 1), requests.FD))
        for fd, target in kept:
            os.dup2(fd, target)
        os.chdir(self._folder)
        os.closerange(len(kept), os.sysconf("SC_OPEN_MAX"))
        os.execv(self._program[0], self._program)


def _reap(pid: int) -> tuple[int, int]:
    """As `waitpid` without waiting; a process that somebody else has waited for has failed."""
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return pid, 1 << 8  # exit status 1
