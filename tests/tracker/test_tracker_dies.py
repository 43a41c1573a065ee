"""The tracker is killed, hangs or can't start: the command knows nothing of it, and no metric is lost."""

import os
import random
import signal
import subprocess
import sys
import time

from helpers import CAPTURE, FIXTURES, eventually, only_run, run_in_progress, tracker_of

from capture import runs
from capture.runs.recording import Recorder

SLOW = (
    "import sys, time\nprint('tokens per iteration will be: 1,024')\n"
    "for i in range({lines}):\n"
    " print(f'{{i}} | loss {{6 - i / 100:.4f}} | lr 1.0e-04 | 5.00ms | mfu 0.01%', flush=True)\n"
    " if i > 5: sys.stdin.read(1)"
)
KILLS = 20


def start(code, *options):
    return subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", *options, "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def records(folder):
    """What was recorded, but for the times, which differ from run to run."""
    lines = (folder / runs.RECORDS).read_text().splitlines()
    return [line.split(",", 1)[1] for line in lines]


def test_killed_twenty_times_it_is_started_again_and_the_records_are_the_same():
    code = SLOW.format(lines=300)
    with start(code, "--dir", "calm") as process:
        out, _ = process.communicate(b"x" * 300, timeout=100)
    killed = set()
    with start(code, "--dir", "disturbed") as process:
        folder = run_in_progress("disturbed")
        chance = random.Random(os.getpid())
        for _ in range(KILLS):
            pid = eventually(lambda: (found := tracker_of(folder)) not in {*killed, None} and found)
            process.stdin.write(b"x" * chance.randrange(15))  # it is killed while lines come
            process.stdin.flush()
            for _ in range(chance.randrange(2000)):
                pass
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        disturbed, err = process.communicate(b"x" * 300, timeout=100)
    assert (process.returncode, disturbed, err) == (0, out, b"")
    assert len(killed) == KILLS
    assert records(folder) == records(only_run("calm"))
    assert len(records(folder)) == 301


def test_one_that_can_not_start_is_given_up_and_said():
    code = "print('epoch 1: loss=0.5', flush=True); import sys; sys.stdin.read()"
    with start(code, "--summary", "always") as process:
        folder = run_in_progress()
        (folder / runs.RUN_FILE).write_text("{broken")
        tracked, killed = folder / runs.TRACKER_LOG, set()

        def failed_five_times():
            pid = tracker_of(folder)
            if pid and pid not in killed:  # it has read the file before it was broken
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            return tracked.exists() and tracked.read_text().count("Traceback") == 5

        eventually(failed_five_times)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (0, b"epoch 1: loss=0.5\n")
    assert b"the tracker did not finish; the recording is kept in capture-runs/project/" in err
    assert (folder / runs.CONSOLE_LOG).read_bytes() == b"epoch 1: loss=0.5\n"


def test_one_that_hangs_holds_up_neither_the_output_nor_the_prompt():
    code = "import sys\nsys.stdin.read(1)\nfor i in range(500): sys.stdout.write('x' * 100_000)\n"
    with start(code, "--wait", "1") as process:
        folder = run_in_progress()
        pid = eventually(lambda: tracker_of(folder))
        os.kill(pid, signal.SIGSTOP)
        out, _ = process.communicate(b"x", timeout=100)
    assert len(out) == 500 * 100_000
    assert process.returncode == 0
    assert (folder / runs.CONSOLE_LOG).stat().st_size == 500 * 100_000


def test_a_users_module_does_not_break_the_tracker():
    with open("queue.py", "w") as file:
        file.write("raise RuntimeError('not yours')")
    done = subprocess.run(
        [*CAPTURE, "--to", "jsonl", "--", "echo", "epoch 1: loss=0.5"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.stderr == b""
    assert len((only_run() / runs.RECORDS).read_text().splitlines()) == 1


def test_a_torn_last_record_is_written_again(tmp_path):
    folder = tmp_path / "run"
    run = runs.Run("id", "p", "n", ["x"], str(tmp_path), "h", 0.0, to=["jsonl"])
    (tmp_path / "base" / "p").mkdir(parents=True)
    folder = tmp_path / "base" / "p" / "id"
    runs.create(folder, run)
    recorder = Recorder(folder, time.monotonic())
    recorder.write("stdout", (FIXTURES / "llama2c_train" / "stdout.raw").read_bytes())
    recorder.close()
    once = _track(folder)
    lines = once.splitlines(keepends=True)
    (folder / runs.RECORDS).write_text("".join(lines[:100]) + lines[100][:40])
    assert _track(folder) == once


def _track(folder):
    subprocess.run(
        [sys.executable, "-m", "capture.tracker", str(folder)], stdin=subprocess.DEVNULL, check=True
    )
    return (folder / runs.RECORDS).read_text()
