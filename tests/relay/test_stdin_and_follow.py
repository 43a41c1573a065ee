"""What others print: from standard input, passed on like tee, and from a log that somebody else writes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, FIXTURES, eventually, only_run, run_in_progress

from capture import runs
from capture.relay.follow import Tail

LINE = "{i} | loss {loss:.4f} | lr 1.0e-04 | 5.00ms | mfu 0.01%\n"


def lines(first, last):
    return "".join(LINE.format(i=i, loss=6 - i / 100) for i in range(first, last))


def recorded(folder):
    path = folder / runs.RECORDS
    return [json.loads(line)["step"] for line in path.read_text().splitlines()] if path.exists() else []


def follow(*options):
    return subprocess.Popen(
        [*CAPTURE, "follow", "job.log", "--to", "jsonl", *options], stderr=subprocess.PIPE
    )


def test_standard_input_is_passed_on_unchanged_and_tracked():
    data = (FIXTURES / "tfkeras_v1" / "stdout.raw").read_bytes() + b"\x00\xff no newline"
    done = subprocess.run([*CAPTURE, "--to", "jsonl", "-"], input=data, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")
    assert (only_run() / runs.CONSOLE_LOG).read_bytes() == data
    assert len(recorded(only_run())) > 10
    assert runs.read(only_run()).state == "finished"


def test_standard_input_arrives_as_it_is_written():
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(b"first")
        process.stdin.flush()
        assert os.read(process.stdout.fileno(), 100) == b"first"
        process.stdin.close()
        assert process.wait(100) == 0


def test_with_standard_output_closed_it_is_recorded_once():
    script = f"echo text | {' '.join(CAPTURE)} --to jsonl - >&-"
    subprocess.run(["bash", "-c", script], timeout=100, check=True)
    assert (only_run() / runs.CONSOLE_LOG).read_bytes() == b"text\n"


def test_a_reader_that_goes_away_ends_the_pipe_like_tee():
    script = f"yes | {' '.join(CAPTURE)} --to jsonl - | head -1; echo ${{PIPESTATUS[@]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "y\n141 141 0\n"


def test_after_ctrl_c_what_the_program_still_prints_is_read():
    code = (
        "import signal, time, sys\ndef end(*a):\n print('10 | loss 1.0 | lr 1e-4 | 5.0ms | mfu 0.1%'); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, end)\nprint('ready', flush=True)\nsignal.pause()"
    )
    Path("train.py").write_text(code)
    script = f"{sys.executable} train.py | {' '.join(CAPTURE)} --to jsonl -; echo ${{PIPESTATUS[@]}}"
    with subprocess.Popen(
        ["bash", "-c", f"trap : INT; {script}"], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        os.killpg(process.pid, signal.SIGINT)
        out = process.stdout.read()
    assert out == b"10 | loss 1.0 | lr 1e-4 | 5.0ms | mfu 0.1%\n0 130\n"
    assert recorded(only_run()) == [10]


def test_a_log_is_followed_from_its_beginning_while_it_grows():
    Path("job.log").write_text(lines(0, 3))
    with follow("--summary", "always") as process:
        folder = run_in_progress()
        eventually(lambda: recorded(folder) == [0, 1, 2])
        with Path("job.log").open("a") as file:
            file.write(lines(3, 5))
        eventually(lambda: recorded(folder) == [0, 1, 2, 3, 4])
        process.send_signal(signal.SIGINT)
        assert b" values from 5 of 5 lines (llama2c)" in process.stderr.read()
    assert process.returncode == 0
    assert runs.read(folder).state == "finished"


def test_a_log_that_is_not_there_yet_is_waited_for():
    with follow() as process:
        folder = run_in_progress()
        Path("job.log").write_text(lines(0, 2))
        eventually(lambda: recorded(folder) == [0, 1])
        process.terminate()
    assert process.returncode == 0


def test_following_ends_with_the_process_that_writes_and_misses_nothing():
    Path("job.py").write_text(
        f"import sys, time\nsys.stdin.readline()\nopen('job.log', 'w').write({lines(0, 50)!r})\n"
    )
    with (
        subprocess.Popen([sys.executable, "job.py"], stdin=subprocess.PIPE) as job,
        follow("--until-pid", str(job.pid)) as process,
    ):
        run_in_progress()
        job.communicate(b"\n")
        assert process.wait(100) == 0
    assert recorded(only_run()) == list(range(50))


def test_following_ends_when_nothing_comes_any_more():
    Path("job.log").write_text(lines(0, 2))
    with follow("--idle", "0.3") as process:
        assert process.wait(100) == 0
    assert recorded(only_run()) == [0, 1]


@pytest.mark.parametrize("how", ["moved away", "cut off"])
def test_a_rotated_log_is_followed_to_its_next_file(how):
    path = Path("job.log")
    path.write_text("a" * 100)
    tail = Tail("job.log")
    assert tail.read() == b"a" * 100
    assert tail.read() == b""
    if how == "moved away":
        with path.open("a") as file:
            file.write("last words")
        path.rename("job.log.1")
        assert tail.read() == b"last words"
        assert tail.read() == b""  # nothing stands there yet
        path.write_text("b" * 200)
    else:
        path.write_text("b" * 50)
    assert tail.read() in (b"b" * 200, b"b" * 50)
    assert tail.read() == b""


def test_a_folder_can_not_be_followed():
    Path("job.log").mkdir()
    done = subprocess.run([*CAPTURE, "follow", "job.log"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2, "capture follow: job.log: a folder; name the file that the job writes\n"
    )  # fmt: skip
