"""Stops a command that a rule of the user's has ended: SIGTERM, and after a grace time SIGKILL.

All processes below the command get both: a launcher's workers may be in sessions of their own, and a shell
waits for its program.  The command's process group is not used: where capture gave it no terminal, a whole
script is in it.
"""

from __future__ import annotations

import os
import signal
import time

Processes = dict[int, str]  # when each began, by its id: a process id is used again


class Stop:
    """One stop, from its beginning on."""

    def __init__(self, root: int, grace: float, rule: str) -> None:
        """Send SIGTERM to the process `root` and all below it; SIGKILL is due in `grace` seconds."""
        self.rule = rule
        self._root = root
        self._processes: Processes = {}
        self._deadline = time.monotonic() + grace
        self._send(signal.SIGTERM, signal.SIGCONT)  # a stopped process takes a signal when it goes on

    def left(self) -> float:
        """The seconds until SIGKILL is due."""
        return max(0.0, self._deadline - time.monotonic())

    def alive(self) -> bool:
        """Whether one of the processes is left."""
        now = _all()
        return any(now.get(pid, (0, ""))[1] == began for pid, began in self._processes.items())

    def kill(self) -> None:
        """Send SIGKILL to what is left, and to what it has started since."""
        self._send(signal.SIGKILL)
        self._deadline = time.monotonic() + 1.0  # once more, if something was started meanwhile

    def _send(self, *numbers: int) -> None:
        now = _all()
        known = {pid: began for pid, began in self._processes.items() if now.get(pid, (0, ""))[1] == began}
        below = known.keys() | ({self._root} if self._root in now and not self._processes else set())
        while more := {pid for pid, (parent, _) in now.items() if parent in below} - below:
            below |= more
        self._processes = {pid: now[pid][1] for pid in below}
        for pid in sorted(below):
            for number in numbers:
                try:
                    os.kill(pid, number)
                except OSError:
                    pass  # it has just ended, or is another user's (sudo)


def _all() -> dict[int, tuple[int, str]]:
    """The parent and the start of each process that is no zombie."""
    found = {}
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return _listed()
    for name in names:
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            if fields[0] != b"Z":
                found[int(name)] = (int(fields[1]), fields[19].decode())
        except (OSError, IndexError, ValueError):
            continue
    return found


def _listed() -> dict[int, tuple[int, str]]:
    """The same where there is no /proc: macOS."""
    import subprocess  # slow, and only here

    words = ["ps", "-A", "-o", "pid=,ppid=,stat=,lstart="]
    try:
        text = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    rows = [line.split(None, 3) for line in text.splitlines()]
    return {int(r[0]): (int(r[1]), r[3]) for r in rows if len(r) == 4 and not r[2].startswith("Z")}
