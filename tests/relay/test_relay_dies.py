"""The relay is killed: what was printed is kept and delivered, and the run is marked."""

import subprocess
import sys

from helpers import CAPTURE, eventually, only_run, run_in_progress, tracker_of

from capture import runs

SLOW = (
    "import sys, time\nprint('tokens per iteration will be: 1,024')\n"
    "for i in range(100_000):\n"
    " print(f'{i} | loss {6 - i / 100:.4f} | lr 1.0e-04 | 5.00ms | mfu 0.01%', flush=True)\n"
    " time.sleep(0.01)"
)


def start(*options, code=SLOW, **more):
    return subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", *options, "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def test_when_the_relay_is_killed_what_was_printed_is_kept_and_the_run_is_marked():
    with start() as process:
        eventually(lambda: tracker_of(run_in_progress()))
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=100)
    folder = only_run()
    eventually(lambda: (folder / runs.SUMMARY).exists())
    assert runs.read(folder).state == "crashed"
    found = (folder / runs.RECORDS).read_text().splitlines()
    assert len(found) >= 19
    assert "crashed" in (folder / runs.SUMMARY).read_text()
