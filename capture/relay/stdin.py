"""`... | capture -`: standard input recorded, and passed on to standard output."""

from __future__ import annotations

import signal

from capture.relay import lost_output
from capture.relay.self_pipe import CaughtSignals
from capture.relay.stream import Stream, occupy_closed_streams
from capture.relay.tracked import TrackedRecording
from capture.relay.waiting import wait as wait_for
from capture.runs import Result

CHECK_INTERVAL = 1.0  # seconds between two looks at the tracker, at most


def pass_on(folder: str | None, wait: float, since: float = 0.0) -> Result:
    """Record standard input in `folder` and pass it on to standard output, as tee does.

    As tee does it goes on with the recording where standard output is a file that can't be written.
    Ctrl-C reaches the program that writes to us too: what it prints before it ends is still read.  `wait` is
    how many seconds to wait for the tracker at the end; `since` is the age in seconds of a resumed run.
    """
    occupy_closed_streams()
    recording = TrackedRecording(folder, since)
    recording.start_tracker()
    stream = Stream("stdout", 0, 1, recording.write, keep_reading=True)
    with CaughtSignals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as signals:
        while stream.open:
            reading = [signals.fileno()]
            writing: list[int] = []
            if stream.waiting and stream.sink is not None:
                writing.append(stream.sink)
            else:
                reading.append(stream.source)
            readable, writable = wait_for(reading, writing, CHECK_INTERVAL)
            if signals.fileno() in readable:
                signals.clear()
                if signals.arrived[:2] != [signal.SIGINT]:
                    break
            if writable:
                stream.push()
            elif stream.source in readable:
                stream.move()
            recording.check_tracker()
    killed = signals.arrived[0] if signals.arrived else signal.SIGPIPE if stream.broken else None
    failed: int | None = None
    if stream.error is not None:
        failed, killed = lost_output.report([stream], 0, None)
    return recording.finish(wait, failed, killed)
