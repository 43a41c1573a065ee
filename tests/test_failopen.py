"""Whatever fails beside the command: it runs on, and what it printed is kept."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

from conftest import CAPTURE, FIXTURES, eventually, only_run, run_in_progress

from capture import records, runs, tracker
from capture.recording import Recorder

SLOW = (
    "import sys, time\nprint('tokens per iteration will be: 1,024')\n"
    "for i in range(300):\n"
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


def tracker_pid():
    """The tracker's process id, as its status says, once it tracks."""
    try:
        return json.loads((only_run() / runs.STATUS).read_text())["pid"]
    except (OSError, AssertionError, ValueError):
        return None


def _another(killed):
    pid = tracker_pid()
    return pid if pid not in killed else None


def test_a_killed_tracker_is_started_again_and_the_records_are_the_same():
    with start() as process:
        killed = set()
        while process.poll() is None and len(killed) < 8:
            pid = eventually(lambda: _another(killed) or process.poll() is not None)
            if pid is True:
                break
            time.sleep(random.random() * 0.2)  # a random moment is the point
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                break
            killed.add(pid)
        out, err = process.communicate(timeout=40)
    assert process.returncode == 0
    assert out.count(b"\n") == 301
    assert err == b""
    assert len(killed) >= 3
    found = [records.from_json(line) for line in (only_run() / runs.RECORDS).read_text().splitlines()]
    assert [record.step for record in found if record.metrics] == list(range(300))
    assert len(found) == 301


def test_a_tracker_that_can_not_start_is_given_up_and_the_command_knows_nothing():
    code = "print('epoch 1: loss=0.5'); import time; time.sleep(1)"
    with start(code=code) as process:
        folder = run_in_progress()
        (folder / runs.RUN_FILE).write_text("{broken")
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"epoch 1: loss=0.5\n")
    assert (folder / runs.CONSOLE_LOG).read_bytes() == b"epoch 1: loss=0.5\n"


def test_a_hanging_tracker_does_not_hold_the_prompt_longer_than_wait():
    code = "import time\nfor i in range(50): print('x' * 100_000, flush=True)\ntime.sleep(1)"
    with start("--wait", "1", code=code) as process:
        pid = eventually(tracker_pid)
        os.kill(pid, signal.SIGSTOP)
        out, _ = process.communicate(timeout=30)
    assert len(out) == 50 * 100_001
    assert process.returncode == 0


def test_a_backend_that_does_not_answer_costs_no_more_than_wait_and_is_said():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            **os.environ,
            "WANDB_API_KEY": "a" * 40,
            "WANDB_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        began = time.monotonic()
        done = subprocess.run(
            [*CAPTURE, "--to", "wandb,jsonl", "--wait", "6", "--", "echo", "epoch 1: loss=0.5"],
            capture_output=True,
            check=False,
            env=environ,
        )
        took = time.monotonic() - began
    assert (done.returncode, done.stdout) == (0, b"epoch 1: loss=0.5\n")
    assert took < 12
    text = (only_run() / runs.SUMMARY).read_text()
    assert "wandb: 0 of 1 delivered: not finished in time" in text
    assert "jsonl: capture-runs/" in text


def test_without_a_place_for_the_run_the_command_runs_all_the_same():
    with open("capture-runs", "w"):
        pass
    done = subprocess.run([*CAPTURE, "--", "echo", "works"], capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (b"works\n", 0)
    assert b"not recorded" in done.stderr


def test_a_deleted_run_folder_does_not_disturb(tmp_path):
    code = (
        "import shutil, time, os\nprint('a', flush=True)\nshutil.rmtree('capture-runs')\n"
        "for i in range(3): print('b', flush=True); time.sleep(0.1)"
    )
    with start(code=code) as process:
        out, _ = process.communicate(timeout=40)
    assert (out, process.returncode) == (b"a\nb\nb\nb\n", 0)


def test_when_the_relay_is_killed_what_was_printed_is_kept_and_the_run_is_marked():
    with start() as process:
        eventually(tracker_pid)
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=20)
    folder = only_run()
    eventually(lambda: (folder / runs.SUMMARY).exists())
    assert runs.read(folder).state == "crashed"
    found = (folder / runs.RECORDS).read_text().splitlines()
    assert len(found) >= 19
    assert "crashed" in (folder / runs.SUMMARY).read_text()


def test_a_full_disk_ends_the_recording_not_the_command(tmp_path):
    """A file size limit stands in for the full disk: the write fails in the same way."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    driver = (
        code + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import sys; from capture.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", "print('x' * 1_000_000)"]
    done = subprocess.run(
        [sys.executable, "-c", driver, "--to", "jsonl", "--", *command], stdout=subprocess.PIPE, check=False
    )
    assert done.stdout == b"x" * 1_000_000 + b"\n"
    assert done.returncode == 0


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
        [sys.executable, "-m", tracker.__name__, str(folder)], stdin=subprocess.DEVNULL, check=True
    )
    return (folder / runs.RECORDS).read_text()
