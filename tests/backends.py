"""What the tests of the backends share: a run in a folder of its own, and its rows."""

import subprocess
import sys

from helpers import CAPTURE, only_run

from capture import runs
from capture.records import Row
from capture.runs.recording import Recorder

START = 1_700_000_000.0


def a_run(base, name="first", run_id="20260102-030405-abcdef", **about):
    """A run and its folder."""
    folder = base / "capture-runs" / about.get("project", "p") / run_id
    about = {"project": "p", "command": ["python", "train.py"], "cwd": str(base), "host": "h"} | about
    run = runs.Run(id=run_id, name=name, start=START, **about)
    runs.create(folder, run)
    return run, folder


def row(ordinal, step=None, axis="step", **metrics):
    """A row as the naming makes it: its metrics, and the column that they are drawn over."""
    if step is None:
        return Row(ordinal, START + ordinal, None, None, metrics, {})
    return Row(
        ordinal, START + ordinal, int(step), None, metrics | {axis: step}, dict.fromkeys(metrics, axis)
    )


def deliver(adapter, run, folder, rows, config=None, lines=(), exit_status=0):
    """All that a run's delivery does."""
    begin = adapter.open(run, folder)
    adapter.log([row for row in rows if row.ordinal >= begin])
    if config:
        adapter.config(config)
    if lines:
        adapter.console(lines)
    adapter.close(exit_status)
    return adapter


def run_printing(*options, printing="", status=0):
    """A whole run of a program that prints this; gives its folder."""
    code = f"import sys; sys.stdout.write({printing!r}); sys.exit({status})"
    done = subprocess.run(
        [*CAPTURE, "--wait", "50", *options, "--", sys.executable, "-c", code],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, printing, "")
    return only_run()


def print_lines(folder, *lines, stream="stdout"):
    """Add finished lines to the recording of a run."""
    recorder = Recorder(folder)
    recorder.write(stream, "".join(f"{line}\n" for line in lines).encode())
