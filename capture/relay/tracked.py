"""A recording in progress and the tracker that reads it: what every way of making a run needs."""

from __future__ import annotations

from capture import runs
from capture.runs import Result
from capture.runs.recording import Recorder
from capture.tracker import requests
from capture.tracker.supervisor import Supervisor


class TrackedRecording:
    """Records what is printed, and keeps a tracker running that reads it.

    Without a folder nothing is recorded and no tracker is started.  The recording begins here; the tracker
    is started separately, so that it does not delay the command.
    """

    def __init__(self, folder: str | None, since: float = 0.0) -> None:
        """`since` is the age in seconds of a run that is resumed, 0 for a new one."""
        self._folder = folder
        self._recorder = Recorder(folder, since)
        self._supervisor: Supervisor | None = None

    @property
    def tracker_pid(self) -> int | None:
        """The tracker's process id, None while none is running."""
        return self._supervisor.pid if self._supervisor else None

    def start_tracker(self) -> None:
        """Start the tracker, if there is a folder for it to read."""
        if self._folder is not None:
            try:
                self._supervisor = Supervisor(self._folder, requests.OPTION)
                self._supervisor.start()
            except OSError:  # no more files can be opened: the recording is kept, for `capture sync`
                self._supervisor = None

    def check_tracker(self) -> float | None:
        """Restart a tracker that has died.

        Returns the seconds until this has to be called again, None if it need not be.
        """
        return self._supervisor.check() if self._supervisor else None

    @property
    def requests(self) -> int | None:
        """The descriptor to wait on for a request of the tracker's, None as long as none may come."""
        return self._supervisor.requests if self._supervisor else None

    def request(self) -> tuple[float, str] | None:
        """The request to stop the command that has come: its grace time in seconds, and its rule."""
        return self._supervisor.request() if self._supervisor else None

    def write(self, stream: str, data: bytes) -> None:
        """Record a chunk of the stream "stdout", "stderr" or "tty"."""
        self._recorder.write(stream, data)

    def finish(
        self,
        wait: float,
        exit_status: int | None = None,
        killed: int | None = None,
        state: str = "finished",
        stopped_by: str = "",
    ) -> Result:
        """End the recording and wait for the tracker, at most `wait` seconds.

        `exit_status` is the command's, None where capture did not start it; `killed` is the signal that
        ended the command, or ended the recording; `state` is the run's from now on, and `stopped_by` the rule
        that has stopped it.
        """
        runs.note_end(self._folder, exit_status, state, stopped_by)
        self._recorder.close()  # after that: who has read the recording to its end asks how the run ended
        tracked = self._supervisor.finish(wait) if self._supervisor else False
        error = self._recorder.error  # closing writes too, so it is asked after that
        if exit_status is None:
            exit_status = 128 + killed if killed else 0
        return Result(exit_status, killed, error.strerror if error else None, tracked)
