"""`capture follow FILE`: track what somebody else's job writes into a file."""

from __future__ import annotations

import glob
import json
import os
import sys
import time
from typing import TextIO

from capture import runs
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.errors import UserError
from capture.printing import plain, steer
from capture.relay import follow
from capture.runs import start

REDRAW = 0.5  # seconds between two lines of progress


def arguments() -> Arguments:
    """The options of `capture follow`."""
    parser = Arguments(
        prog="capture follow",
        description="Track a growing log from its beginning.  It may not exist yet, and may be rotated.  "
        "Ctrl-C ends it.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="the log that a job writes (of Slurm, nohup, kubectl logs); or a pattern in quotes "
        "('slurm-*.out'): one run for each file, also for those that come later",
    )
    parser.add_argument(
        "--until-pid", type=int, metavar="PID", help="end when this process has ended and everything is read"
    )
    parser.add_argument(
        "--idle", type=float, metavar="SECONDS", help="end when nothing new has come for so long"
    )
    parser.add_argument(
        "--wait-for",
        type=float,
        metavar="SECONDS",
        help="fail if there is no such file after so long (default: wait for it)",
    )
    run_options.add_options(parser)
    run_options.add_file_options(parser)
    return parser


def main(argv: list[str]) -> int:
    """Follow a file."""
    options = arguments().parse_args(argv)
    if glob.has_magic(options.file) and not os.path.exists(options.file):
        from capture.cli import follow_many  # slow

        return follow_many.follow(options)
    path = os.path.abspath(options.file)
    if os.path.isdir(path):
        raise UserError(f"{options.file}: a folder; name the file that the job writes")
    chosen = run_options.choose(options)
    called = os.path.splitext(os.path.basename(path))[0]
    _, folder = start.open_run(start.new_run([], called, chosen), chosen)
    if folder is None:
        return 1
    shown = chosen["summary"] != "never" and sys.stderr.isatty()
    progress = Progress(options.file, folder, sys.stderr if shown else None)
    until = follow.Until(options.until_pid, options.idle, options.wait_for)
    result = follow.follow(folder, path, chosen["wait"], until, progress.add)
    progress.clear()
    if not progress.found and not os.path.exists(path):
        run_options.close(folder, result, {**chosen, "summary": "never"})
        print(f"capture follow: {options.file} did not come", file=sys.stderr)
        return result.status or 1
    run_options.close(folder, result, chosen)
    return result.status


class Progress:
    """A line on a terminal: how much has been read, and the last step."""

    def __init__(self, name: str, folder: str, terminal: TextIO | None) -> None:
        self.found = False  # whether anything has come
        self._name, self._terminal = name, terminal
        self._path = os.path.join(folder, runs.RECORDS)
        self._lines = self._values = self._position = 0
        self._place = ""  # the last step, or epoch
        self._drawn = 0.0

    def add(self, data: bytes) -> None:
        """Take what has been read of the log, and draw the line if it is time."""
        self.found = self.found or bool(data)
        self._lines += data.count(b"\n")
        if self._terminal is None or time.monotonic() - self._drawn < REDRAW:
            return
        self._drawn = time.monotonic()
        self._read_records()
        parts = [f"{self._lines:,} lines", f"{self._values:,} values", self._place, "Ctrl-C ends it"]
        what = ", ".join(part for part in parts if part) if self.found else "waiting for it, Ctrl-C ends that"
        self._write("\r\x1b[K" + plain(f"capture follow: {self._name}: {what}")[: self._columns() - 1])

    def clear(self) -> None:
        """Remove the line."""
        if self._drawn:
            self._write("\r\x1b[K")

    def _read_records(self) -> None:
        """Count the values in the records that are new."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._position)
                data = file.read(1 << 20)
        except OSError:
            return
        whole = data.rfind(b"\n") + 1
        self._position += whole
        for line in data[:whole].splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            self._values += len(record["metrics"])
            for name in ("epoch", "step"):
                if record.get(name) is not None:
                    self._place = f"{name} {record[name]:,}"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._terminal.fileno()).columns if self._terminal else 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        try:
            assert self._terminal is not None  # noqa: S101  it has drawn
            steer(self._terminal, text)
        except (OSError, ValueError):
            self._terminal = None  # it has gone
