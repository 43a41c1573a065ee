"""Signals reach the command as without capture: each once, whoever sends it, with and without a terminal."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, eventually, run_in_progress, where_it_stands

from capture import runs

SENT = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]

# Counts what it gets; SIGALRM, which nobody else sends, tells it to say so and end.
COUNTS = """
import collections, os, signal
hits = collections.Counter()
def note(number, frame):
    hits[signal.Signals(number).name] += 1
    os.write(1, b'got\\n')
for name in ('SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'):
    signal.signal(getattr(signal, name), note)
def end(number, frame):
    os.write(1, repr(dict(hits)).encode() + b'\\n')
    os._exit(0)
signal.signal(signal.SIGALRM, end)
os.write(1, b'pid %d\\n' % os.getpid())
while True:
    signal.pause()
"""


@contextmanager
def counting():
    command = [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", COUNTS]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=os.setpgrp
    ) as process:
        try:
            yield process
        except BaseException:  # the test's limit, too: it would be waited for
            os.killpg(process.pid, signal.SIGKILL)
            raise


@pytest.mark.parametrize("name", SENT)
def test_sent_to_capture_alone_it_reaches_the_command_once(name):
    with counting() as process:
        pid = int(process.stdout.readline().split()[1])
        eventually(lambda: where_it_stands(process.pid) == "sleeping")  # its start is over
        os.kill(process.pid, getattr(signal, name))
        assert process.stdout.readline() == b"got\n"
        os.kill(process.pid, signal.SIGCONT)  # a second one has come by the time that the next has
        assert process.stdout.readline() == b"got\n"
        os.kill(pid, signal.SIGALRM)
        assert eval(process.stdout.read()) == {name: 1, "SIGCONT": 1}
    assert process.returncode == 0


@pytest.mark.parametrize("name", SENT)
def test_sent_to_the_whole_group_it_reaches_the_command(name):
    with counting() as process:
        pid = int(process.stdout.readline().split()[1])
        eventually(lambda: where_it_stands(process.pid) == "sleeping")
        os.killpg(process.pid, getattr(signal, name))
        assert process.stdout.readline() == b"got\n"
        os.kill(pid, signal.SIGALRM)
        assert process.stdout.read().count(name.encode()) == 1


@pytest.mark.parametrize("name", SENT)
def test_on_a_terminal_it_reaches_the_command_once(name):
    child = pexpect.spawn(CAPTURE[0], [*CAPTURE[1:], "--summary", "never", "--to", "jsonl", "--",
                                       sys.executable, "-c", COUNTS], timeout=100)  # fmt: skip
    child.expect(rb"pid (\d+)")
    pid = int(child.match[1])
    os.kill(child.pid, getattr(signal, name))
    child.expect(b"got")
    os.kill(pid, signal.SIGALRM)
    child.expect(rb"\{.*\}")
    assert child.match[0] == b"{'%s': 1}" % name.encode()
    child.close(force=True)


def test_ctrl_c_reaches_a_command_on_pipes_once():
    """The kernel gives it to both: what capture got must not be passed on."""
    Path("counts.py").write_text(COUNTS)
    line = " ".join([*CAPTURE, "--to", "jsonl", "--", sys.executable, "counts.py"])
    child = pexpect.spawn("sh", ["-c", f"exec {line} >out 2>&1"], timeout=100)
    out = Path("out")
    eventually(lambda: out.exists() and out.read_bytes().endswith(b"\n"))
    pid = int(out.read_bytes().split()[1])
    eventually(lambda: where_it_stands(child.pid) == "sleeping")
    child.sendintr()
    eventually(lambda: b"got" in out.read_bytes())
    os.kill(pid, signal.SIGALRM)
    child.expect(pexpect.EOF)
    assert b"{'SIGINT': 1}" in out.read_bytes()
    child.close(force=True)


def test_ctrl_z_and_fg_with_a_command_on_pipes():
    line = " ".join([*CAPTURE, "--to", "jsonl", "--", sys.executable, "counts.py"])
    Path("counts.py").write_text(COUNTS)
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], timeout=100, env={**os.environ, "PS1": "$ "}
    )
    shell.expect_exact(b"$ ")
    shell.sendline(f"{line} 2>&1 | cat")
    shell.expect(rb"pid (\d+)")
    pid = int(shell.match[1])
    relay = runs.read(run_in_progress()).pid
    eventually(lambda: where_it_stands(relay) == "sleeping")
    shell.sendcontrol("z")
    shell.expect(b"Stopped")
    assert [where_it_stands(pid), where_it_stands(relay)] == ["stopped", "stopped"]
    shell.sendline("fg")
    shell.expect(b"got")  # SIGCONT
    os.kill(pid, signal.SIGKILL)
    shell.expect_exact(b"$ ")
    shell.close(force=True)


def test_stopped_and_continued_alone_the_command_stops_and_goes_on_too():
    with counting() as process:
        pid = int(process.stdout.readline().split()[1])
        eventually(lambda: where_it_stands(process.pid) == "sleeping")
        os.kill(process.pid, signal.SIGTSTP)
        eventually(lambda: where_it_stands(pid) == "stopped" and where_it_stands(process.pid) == "stopped")
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.readline() == b"got\n"
        os.kill(pid, signal.SIGALRM)
        process.stdout.read()
    assert process.returncode == 0


def test_what_was_ignored_outside_stays_ignored():
    script = (
        f"trap '' HUP INT; {' '.join(CAPTURE)} --to jsonl -- sh -c 'kill -HUP $$; kill -INT $$; echo alive'"
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("alive\n", 0)


@pytest.mark.parametrize(
    ("name", "says"), [("SIGTERM", "Terminated"), ("SIGSEGV", "Segmentation fault"), ("SIGKILL", "Killed")]
)
def test_the_shell_says_the_same_of_a_death_by_signal(name, says):
    end = f"sh -c 'kill -{name.removeprefix('SIG')} $$'"
    for script in (end, f"{' '.join(CAPTURE)} --to jsonl -- {end}"):
        done = subprocess.run(
            ["bash", "-c", f"{script}; echo status $?"], capture_output=True, text=True, check=False
        )
        assert says in done.stderr
        assert done.stdout == f"status {128 + getattr(signal, name)}\n"


def test_a_blocked_signal_stays_blocked_and_no_other_is():
    code = "import signal; print(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))"
    driver = (
        "import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", driver, *CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout == f"[{int(signal.SIGUSR2)}]\n"
