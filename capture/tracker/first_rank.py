"""Whether the tracker of a rank but 0 has anything to do: not where rank 0's reads its recording.

On the way of a process that mostly ends at once: the standard library only.
"""

from __future__ import annotations

import os
import select
import time

from capture.runs import ranks
from capture.runs.folder import RUN_FILE

MEET = 60.0  # seconds in which rank 0 begins its run, wherever it is
MEET_AT_END = 5.0  # after this rank has ended
LOOK = 0.2  # seconds between two looks


def has_it(folder: str) -> bool:
    """Whether rank 0 makes its run above this folder; it is waited for, but not when this rank has ended.

    False for the folder of a run that is no rank's.
    """
    above, number = os.path.split(os.path.abspath(folder))
    if os.path.basename(above) != ranks.RANKS or not number.isdecimal():
        return False
    file = os.path.join(os.path.dirname(above), RUN_FILE)
    deadline, alive = time.monotonic() + MEET, True
    while not os.path.exists(file):
        if time.monotonic() > deadline:
            return False
        if alive and select.select([0], [], [], 0)[0]:
            alive = bool(os.read(0, 1))
            if not alive:
                deadline = min(deadline, time.monotonic() + MEET_AT_END)
        time.sleep(LOOK)
    return True
