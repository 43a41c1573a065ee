"""What the tests of the backends share: a run in a folder of its own, and its rows."""

import subprocess
import sys

from helpers import CAPTURE, only_run

from capture import runs
from capture.delivery.naming import Namer
from capture.records import Record, Row
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


def mixed_rows():
    """What a program prints that has lines with a step, lines with an epoch alone, and some with neither.

    Over their own axes: `loss` at 10, 20, 30 and 40; `val_acc` at 1 and 2; `bare` at its places 3 and 7 in the run.
    """
    namer = Namer({}, {})
    said = [
        *((10 * step, None, {"loss": 1.0 / step}) for step in (1, 2)),
        (None, 1, {"val_acc": 0.5}),
        (None, None, {"bare": 3.0}),
        *((10 * step, None, {"loss": 1.0 / step}) for step in (3, 4)),
        (None, 2, {"val_acc": 0.75}),
        (None, None, {"bare": 7.0}),
    ]
    records = [Record(START + n, "x", step, epoch, metrics) for n, (step, epoch, metrics) in enumerate(said)]
    return [namer.row(ordinal, record) for ordinal, record in enumerate(records)]


MIXED = {
    "loss": [(10, 1.0), (20, 0.5), (30, 1 / 3), (40, 0.25)],
    "val_acc": [(1, 0.5), (2, 0.75)],
    "bare": [(3, 3.0), (7, 7.0)],
}


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
