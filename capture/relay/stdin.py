"""`... | capture -`: standard input recorded, and passed on to standard output."""

from __future__ import annotations

import os
import select
import signal

from capture.relay.stream import Stream
from capture.relay.tracked import TrackedRecording, caught_signals
from capture.runs import Result


def pass_on(folder: str | None, wait: float, since: float = 0.0) -> Result:
    """Record standard input and pass it on to standard output, as tee does.

    Ctrl-C reaches the program before us too: what it still prints at its end is read.
    """
    intake = TrackedRecording(folder, since)
    flow = Stream("stdout", 0, 1)
    with caught_signals() as (wake, arrived):
        while flow.open:
            waiting = [flow.sink] if flow.waiting and flow.sink is not None else []
            ready = select.select([wake, *([] if waiting else [flow.source])], waiting, [], 1.0)
            if wake in ready[0]:
                os.read(wake, 512)
                if arrived[:2] != [signal.SIGINT]:
                    break
            if waiting and ready[1]:
                flow.push()
            elif flow.source in ready[0]:
                flow.move(intake.write)
            intake.look()
    killed = int(arrived[0]) if arrived else signal.SIGPIPE if flow.broken else None
    return intake.finish(wait, killed)
