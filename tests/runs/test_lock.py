"""Who makes a run: one process at a time, told from others in any container; also where locks are not known."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, eventually, only_run, where_it_stands

from capture import runs
from capture.runs import lock
from capture.runs.status import all_runs

CALL = [*CAPTURE, "--to", "jsonl", "--wait", "0", "--id", "job1", "--resume", "allow", "--"]
WAITS = "import sys\nprint('ready', flush=True)\nsys.stdin.readline()\nprint('over')"


def start(*command, **more):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*CALL, *command], **{**pipes, **more})


def waiting():
    process = start(sys.executable, "-c", WAITS)
    assert process.stdout.readline() == "ready\n"
    return process


def test_while_it_runs_the_other_one_is_told_so():
    with waiting() as process:
        other = capture(*CALL[len(CAPTURE) :], "echo", "second")
        assert (other.returncode, other.stdout) == (2, "")
        host = os.uname().nodename
        assert other.stderr == f"capture: run job1 is still running, as process {process.pid} on {host}\n"
        assert [one.state for one in all_runs(Path("capture-runs"))] == ["running"]
        assert process.communicate("\n", 100)[0] == "over\n"
    assert (only_run() / runs.CONSOLE_LOG).read_text() == "ready\nover\n"


def test_when_it_was_killed_it_can_be_resumed_at_once():
    with waiting() as process:
        eventually(lambda: (only_run() / runs.CONSOLE_LOG).read_text() == "ready\n")
        process.kill()
        process.wait(100)
        assert [one.state for one in all_runs(Path("capture-runs"))] == ["crashed"]
        done = capture(*CALL[len(CAPTURE) :], "echo", "second")
        assert (done.returncode, done.stdout, done.stderr) == (0, "second\n", "")
    assert (only_run() / runs.CONSOLE_LOG).read_text() == "ready\nsecond\n"
    run = runs.read(only_run())
    assert (run.resumed, run.state, run.exit_status) == (1, "finished", 0)


@pytest.mark.parametrize("again", [False, True])
def test_of_many_that_begin_at_once_exactly_one_wins(again):
    if again:
        assert capture(*CALL[len(CAPTURE) :], "true").returncode == 0
    for round in range(2):
        if not again:
            shutil.rmtree("capture-runs", ignore_errors=True)
        script = f"read x; exec {' '.join(CALL)} sh -c 'echo $0 began; sleep 4; echo $0 over' $0"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        several = [subprocess.Popen(["bash", "-c", script, str(number)], **pipes) for number in range(5)]
        for process in several:
            process.stdin.write("go\n")
            process.stdin.flush()
        ended = [(*process.communicate(timeout=100), process.returncode) for process in several]
        won = [said for said in ended if said[2] == 0]
        assert len(won) == 1, ended
        for out, err, status in ended:
            if status:
                assert (out, status) == ("", 2)
                assert "run job1 is still running" in err or "there is a run job1 already" in err
        recorded = (only_run() / runs.CONSOLE_LOG).read_text()
        assert recorded.endswith(won[0][0])
        assert recorded.count("began") == (round + 1 if again else 1)


def _unshare():
    tried = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not _unshare(), reason="no process namespace to be had")
def test_process_1_of_a_container_that_was_killed_is_resumed_by_process_1_of_the_next():
    contained = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen([*contained, *CALL, sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:  # fmt: skip
        assert first.stdout.readline() == "ready\n"
        assert runs.read(only_run()).pid == 1
        first.kill()
    for round in (1, 2):
        done = subprocess.run([*contained, *CALL, "echo", "again"], capture_output=True, text=True, timeout=100, check=False)  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "again\n", "")
        assert runs.read(only_run()).resumed == round


def test_the_tracker_of_a_killed_start_does_not_say_that_the_next_one_has_crashed():
    with waiting() as first:
        folder = only_run()
        first.kill()
        first.wait(100)
        with waiting() as second:
            runs.note_crash(folder, 12.0)  # what the first one's tracker does when it comes to the end
            assert runs.read(folder).state == "running"
            second.communicate("\n", 100)
    assert runs.read(folder).state == "finished"


def a_run(**more):
    fields = {"id": "i", "project": "p", "name": "n", "command": [], "cwd": "/x", "host": os.uname().nodename}
    return runs.Run(**{**fields, "start": 1e9, **more})


def test_the_command_does_not_hold_the_lock():
    with start(
        "sh", "-c", "sleep 60 >&- 2>&- & echo ready; exec sleep 60 >&- 2>&-", start_new_session=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        folder = only_run()
        process.kill()
        process.wait(100)
        # What the killed process had forked holds the lock until it has become another program.
        eventually(lambda: not runs.is_alive(folder, runs.read(folder)), limit=20)
        os.killpg(process.pid, signal.SIGKILL)


class TestWithoutLocks:
    """Of a file system that knows none: by the process's id, start and boot."""

    @pytest.fixture(autouse=True)
    def no_locks(self, monkeypatch):
        def flock(file, how):
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(lock.fcntl, "flock", flock)
        Path("run").mkdir()
        Path("run", runs.CONSOLE_LOG).touch()

    def test_a_process_that_exists_and_one_that_has_ended(self):
        with subprocess.Popen(["sleep", "60"]) as process:
            run = a_run(pid=process.pid, process=lock._identity(str(process.pid)))
            assert runs.is_alive("run", run)
            assert not runs.is_alive("run", run._replace(host="another"))
            assert not runs.is_alive("run", run._replace(state="finished"))
            process.kill()
            process.wait()
            eventually(lambda: where_it_stands(run.pid) == "gone")
        assert not runs.is_alive("run", run)

    def test_another_process_that_has_the_id_now(self):
        with subprocess.Popen(["sleep", "60"]) as process:
            assert not runs.is_alive("run", a_run(pid=process.pid, process="another-boot/12"))
            process.kill()

    def test_our_own_id_is_not_the_one_who_made_it(self):
        assert not runs.is_alive("run", a_run(pid=os.getpid()))

    def test_a_run_can_begin(self):
        assert lock.take("run")
        lock.release("run")
