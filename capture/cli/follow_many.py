"""`capture follow PATTERN`: one run for each file that matches, also for those that come later."""

from __future__ import annotations

import argparse
import os
import signal
import time

from capture import runs
from capture.cli import collect as command
from capture.cli import run_options
from capture.collect.collect import Collector, Files, collect
from capture.collect.keys import Line
from capture.collect.members import Members
from capture.relay.self_pipe import CaughtSignals
from capture.runs.lock import process_exists


def follow(options: argparse.Namespace) -> int:
    """Follow files until a signal comes, or nothing does for `--idle` seconds.  Returns the exit status."""
    chosen = run_options.choose(options)
    members, tracking = command.begin(chosen, options)
    pattern = os.path.abspath(options.file)
    with CaughtSignals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as signals:
        collector = Collector(members, tracking, _nobody, None, command.IDLE)
        files = Files(pattern, collector, lambda path: _recorded(members, path))
        begin = time.monotonic()

        def stopped() -> bool:
            if signals.arrived or (options.until_pid and not process_exists(options.until_pid)):
                return True
            now = time.monotonic()
            if options.wait_for is not None and not files.found and now - begin >= options.wait_for:
                return True
            return options.idle is not None and now - max(begin, collector.heard) >= options.idle

        collect(files, collector, "", stopped)
        files.read(0.0)  # what was written last
        return command.finish(collector, tracking, chosen, "follow", options.file)


def _recorded(members: Members, path: str) -> int:
    try:
        return os.path.getsize(os.path.join(members.folder(path), runs.CONSOLE_LOG))
    except OSError:
        return 0


def _nobody(text: str) -> Line | None:
    return None
