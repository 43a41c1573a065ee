"""`capture` ends as its command ended."""

import os
import signal
import subprocess
import sys

import pytest
from helpers import CAPTURE, only_run

from capture import runs


@pytest.mark.parametrize("status", [0, 1, 2, 126, 127, 255])
def test_the_exit_status_is_passed_on(status):
    command = [*CAPTURE, "--name", "kept", "--", "sh", "-c", f"exit {status}"]
    assert subprocess.run(command, check=False).returncode == status
    assert runs.read(only_run()).exit_status == status


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGINT"])
def test_death_by_a_signal_is_passed_on(name):
    code = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n" + code
    done = subprocess.run([*CAPTURE, "--", sys.executable, "-c", code], check=False)
    assert done.returncode == -getattr(signal, name)
    assert runs.read(only_run()).exit_status == 128 + getattr(signal, name)


def test_all_exit_statuses():
    """All 256 in one process: the relay alone, without a run folder."""
    code = (
        "import sys\nfrom capture.relay import loop as relay\n"
        "for status in range(256):\n"
        "    result = relay.run(['sh', '-c', f'exit {status}'], None, relay.Options())\n"
        "    assert result.status == status and result.signal is None, result\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("command", "status", "says"), [
    ("no-such-command", 127, "capture: no-such-command: command not found"),
    ("./missing", 127, "capture: ./missing: no such file or directory"),
    ("/etc/passwd", 126, "capture: /etc/passwd: permission denied"),
])  # fmt: skip
def test_what_can_not_be_started_is_said_as_a_shell_says_it(command, status, says):
    done = subprocess.run([*CAPTURE, "--", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (status, says)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search any folder")
def test_a_folder_of_path_that_can_not_be_searched_does_not_count(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    done = subprocess.run(
        [*CAPTURE, "--", "no-such-command"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{closed}:{os.environ['PATH']}"},
    )
    assert (done.returncode, done.stderr) == (127, "capture: no-such-command: command not found\n")


def test_a_wrong_call_is_explained():
    done = subprocess.run([*CAPTURE, "python", "train.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "capture -- python train.py" in done.stderr


def test_launchers_are_known():
    from capture.relay.command import launches_many

    assert launches_many(["/usr/bin/torchrun", "x.py"])
    assert launches_many(["python", "-m", "torch.distributed.run", "x.py"])
    assert not launches_many(["python", "train.py", "torchrun"])
