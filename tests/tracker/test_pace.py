"""The tracker gives way to the command while it runs, is not starved when it has ended, and says what it did not do."""

import importlib
import os
import signal
import subprocess
import sys
import time

import pytest
from backends import a_run
from helpers import CAPTURE, capture, eventually, only_run, run_in_progress, tracker_of

from capture import runs
from capture.redaction import Redactor
from capture.runs import status
from capture.runs.recording import Recorder
from capture.tracker import pace, stopping, tracker
from capture.tracker.supervisor import Supervisor

BUSY = 8
LINES = "".join(f"step {i}: loss={1 / (i + 1):.6f} acc={i / 20_000:.5f}\n" for i in range(20_000))


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_young_run_is_looked_at_more_often_than_one_of_minutes():
    pauses = [pace.pause(age) for age in (0, 4, 10, 60, 3600)]
    assert pauses == sorted(pauses)
    assert pauses[0] == pauses[1] == 0.05 and pauses[-2] == pauses[-1] == 0.2


def test_work_that_others_delayed_is_followed_by_as_much_rest():
    work = pace.Work()
    burn(0.1)
    time.sleep(0.2)  # another process has the processor
    assert 0.1 <= work.rest() < 0.3


def test_little_work_needs_no_rest():
    work = pace.Work()
    time.sleep(0.1)
    assert work.rest() == 0


@pytest.fixture
def busy():
    """As many programs as make a machine slow, in a session of their own."""
    loops = (
        f"for i in {' '.join(map(str, range(BUSY)))}; do {sys.executable} -c 'while True: pass' & done; wait"
    )
    with subprocess.Popen(["sh", "-c", loops], start_new_session=True) as process:
        yield
        os.killpg(process.pid, signal.SIGKILL)


def test_on_a_loaded_machine_the_tracker_ends_as_soon_as_any_program_would(busy):
    """It is not starved when nobody is left to protect."""
    code = "for e in range(5): print(f'epoch {e}: loss={1 / (e + 1):.3f}', flush=True)"
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "import trackio"], start_new_session=True, check=True)
    other = time.monotonic() - begin
    with subprocess.Popen(
        [*CAPTURE, "--wait", "100", "--", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        while process.stdout.readline() != "epoch 4: loss=0.200\n":
            pass
        ended = time.monotonic()
        assert process.wait(100) == 0
    assert time.monotonic() - ended < 2 + 5 * other  # about twice the work, and other tests beside it
    assert status.of(only_run()).delivered == {"trackio": True}


def track(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "capture.tracker", str(folder)], stdin=subprocess.PIPE, cwd=folder
    )


def test_a_tracker_that_is_stopped_makes_nothing_of_half_a_line_and_is_not_done(tmp_path):
    _, folder = a_run(tmp_path, to=["jsonl"], pid=os.getpid(), host=os.uname().nodename)
    recorder = Recorder(folder, time.monotonic())
    recorder.write("stdout", b"epoch 1: loss=0.5\nepoch 2: loss=0.4")
    with track(folder) as process:
        eventually(lambda: (folder / runs.RECORDS).exists() and (folder / runs.RECORDS).stat().st_size)
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 3
    assert not status.of(folder).tracked
    assert "stopped after 35 of 35 bytes; the rest: capture sync" in (folder / runs.SUMMARY).read_text()
    recorder.write("stdout", b"5\n")
    recorder.close()
    with track(folder) as process:
        assert process.wait(100) == 0
    losses = [line.split('"loss":')[1][:4] for line in (folder / runs.RECORDS).read_text().splitlines()]
    assert losses == ["0.5}", "0.45"]
    assert status.of(folder).tracked


def test_a_tracker_that_is_stopped_while_the_command_runs_is_started_again():
    code = "import sys\nprint('epoch 1: loss=0.5', flush=True)\nsys.stdin.read()\nprint('epoch 2: loss=0.4')"
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        folder = run_in_progress()
        first = eventually(lambda: tracker_of(folder))
        os.kill(first, signal.SIGTERM)
        eventually(lambda: tracker_of(folder) not in (first, None))
        process.stdin.close()
        assert process.wait(100) == 0
    assert (folder / runs.RECORDS).read_text().count("\n") == 2


def test_a_request_to_stop_that_was_lost_in_a_callback_is_noticed_at_the_next_look(monkeypatch):
    capture("--to", "jsonl", "--", sys.executable, "-c", "print('epoch 1: loss=0.5')")
    folder = only_run()
    reader = tracker.Tracker(folder, runs.read(folder), Redactor({}))
    monkeypatch.setattr(stopping, "_asked", [signal.SIGTERM])
    with pytest.raises(stopping.Stopped):
        reader.follow()
    reader.close()


def test_what_a_stream_had_more_than_there_was_time_for_is_said_and_synced():
    lines = LINES * 5  # seconds of work
    done = capture("--to", "jsonl", "--wait", "0.6", "--summary", "always", "-", input=lines)
    assert (done.returncode, done.stdout) == (0, lines)
    assert "capture sync capture-runs/project/" in done.stderr
    folder = only_run()
    assert runs.read(folder).state == "finished"
    assert "jsonl missing" in capture("runs").stdout
    assert "delivered to jsonl" in capture("sync").stdout
    assert (folder / runs.RECORDS).read_text().count("\n") == 100_000
    assert (folder / "metrics.jsonl").read_text().count("\n") == 100_000
    assert "nothing is missing" in capture("sync").stdout


class Sleeping(Supervisor):
    """Has a tracker that needs a second and a half."""

    def __init__(self, folder):
        super().__init__(folder)
        self._program = [sys.executable, "-c", "import time; time.sleep(1.5)"]


def test_whoever_gets_on_is_waited_for_and_whoever_does_not_is_given_up(tmp_path):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        for progress, finished in ((time.monotonic, True), (lambda: 0, False)):
            supervisor = Sleeping(tmp_path)
            supervisor.start()
            assert supervisor.finish(0.8, progress) is finished
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_a_stop_during_an_import_waits_until_that_is_over(monkeypatch, tmp_path):
    (tmp_path / "slow_module.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nloaded = [n for n in range(1000)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(stopping, "_asked", [])
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    try:
        stopping.listen()
        with pytest.raises(stopping.Stopped):
            importlib.import_module("slow_module")
            time.sleep(100)  # until the handler is called once more
        assert len(sys.modules["slow_module"].loaded) == 1000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
