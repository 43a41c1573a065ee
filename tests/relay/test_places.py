"""Wherever it is started from: nohup, setsid, timeout, make, a container's process 1, another capture."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, eventually, needs, only_run, run_in_progress, where_it_stands

from capture import runs

OURS = " ".join([*CAPTURE, "--to", "jsonl", "--"])
SAYS = f"{sys.executable} -c \"print('epoch 1: loss=0.5')\""


def shell(script, **more):
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False, **more
    )


def values(folder):
    return (folder / runs.RECORDS).read_text().count('"loss":0.5')


@pytest.mark.parametrize(
    "launcher", ["nohup", "setsid --wait", "timeout 30", "env", "nice -n 3", "stdbuf -oL"]
)
def test_under_a_launcher_it_tracks_and_the_output_is_the_same(launcher):
    done = shell(f"{launcher} {OURS} {SAYS}")
    assert (done.returncode, done.stdout) == (0, "epoch 1: loss=0.5\n")
    assert values(only_run()) == 1


@pytest.mark.parametrize("launcher", ["nohup", "setsid --wait", "timeout 30"])
def test_over_a_launcher_it_tracks_and_the_output_is_the_same(launcher):
    done = shell(f"{OURS} {launcher} {SAYS}")
    assert (done.returncode, done.stdout) == (0, "epoch 1: loss=0.5\n")
    assert values(only_run()) == 1


def test_a_timeout_ends_the_command_as_without_capture():
    bare = shell("timeout 1 sleep 60")
    done = shell(f"timeout 1 {OURS} sleep 60")
    assert done.returncode == bare.returncode == 124
    assert runs.read(only_run()).exit_status == 128 + signal.SIGTERM


@needs("make")
def test_in_a_makefile():
    Path("Makefile").write_text(f"train:\n\t@{OURS} {SAYS.replace('$', '$$')}\n\t@{OURS} false\n")
    done = shell("make train")
    assert "epoch 1: loss=0.5\n" in done.stdout
    assert done.returncode == 2
    assert "Error 1" in done.stderr


def test_in_a_shell_pipeline_both_ways():
    done = shell(f"echo typed | {OURS} cat | tr a-z A-Z")
    assert done.stdout == "TYPED\n"


def test_in_the_background_of_a_script():
    done = shell(f"{OURS} {SAYS} & wait $!; echo status $?")
    assert done.stdout == "epoch 1: loss=0.5\nstatus 0\n"


def test_with_no_terminal_and_no_environment_at_all():
    done = subprocess.run(
        [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", "print('epoch 1: loss=0.5')"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={},
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"epoch 1: loss=0.5\n", b"")
    assert values(only_run()) == 1


def test_a_capture_inside_knows_its_parent():
    done = shell(f"{OURS} {' '.join(CAPTURE)} --to jsonl --project inner -- {SAYS}")
    assert done.stdout == "epoch 1: loss=0.5\n"
    (outer,) = Path("capture-runs/project").glob("*/run.json")
    (inner,) = Path("capture-runs/inner").glob("*/run.json")
    assert runs.read(inner.parent).parent == outer.parent.name
    assert values(inner.parent) == values(outer.parent) == 1


def test_the_commands_world_is_as_without_capture():
    """Folder, umask, limits, niceness, groups, and the signals that are ignored."""
    code = (
        "import os, resource as r, signal\nprint(os.getcwd(), oct(os.umask(0)), os.nice(0), os.getgroups(),\n"
        " [r.getrlimit(getattr(r, n)) for n in sorted(dir(r)) if n.startswith('RLIMIT_')],\n"
        " [n for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN])"
    )
    Path("world.py").write_text(code)
    before = "umask 027; ulimit -n 200 -c 0 -s 4096; trap '' USR1;"
    for nice in ("", "nice -n 5"):
        bare = shell(f"{before} exec {nice} {sys.executable} world.py")
        done = shell(f"{before} exec {nice} {OURS} {sys.executable} world.py")
        assert (done.stdout, done.stderr) == (bare.stdout, "")
        assert bare.stdout


def test_a_descriptor_that_was_handed_down_reaches_the_command():
    done = shell(f"exec 7>handed; {OURS} sh -c 'echo through >&7'")
    assert done.returncode == 0
    assert Path("handed").read_text() == "through\n"


def _unshare():
    tried = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not _unshare(), reason="no process namespace to be had")
class TestAsProcess1:
    """Of a container."""

    def capture(self, command):
        line = f"exec unshare --pid --fork --mount-proc {OURS} {command}"
        return subprocess.Popen(
            ["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )

    def test_the_status_is_passed_on(self):
        Path("train.py").write_text("print('epoch 1: loss=0.5')\nraise SystemExit(7)\n")
        with self.capture(f"{sys.executable} train.py") as process:
            assert process.stdout.read() == b"epoch 1: loss=0.5\n"
        assert process.returncode == 7
        assert values(only_run()) == 1

    def test_orphans_are_reaped(self):
        """Two that outlive their parent; a zombie still has its process id."""
        code = (
            "import os, subprocess, time\n"
            "script = 'for i in 1 2; do sleep 0.2 >&- & echo $!; done'\n"
            "started = subprocess.run(['sh', '-c', script], stdout=subprocess.PIPE, text=True, start_new_session=True)\n"
            "orphans = started.stdout.split()\n"
            "end = time.monotonic() + 30\n"
            "while (left := [pid for pid in orphans if os.path.exists('/proc/' + pid)]) and time.monotonic() < end:\n"
            "    time.sleep(0.01)\n"
            "print(len(orphans), 'orphans,', len(left), 'left')\n"
        )
        Path("orphans.py").write_text(code)
        with self.capture(f"{sys.executable} orphans.py") as process:
            assert process.stdout.read() == b"2 orphans, 0 left\n"

    def test_orphans_are_reaped_behind_a_zombie_of_our_own(self):
        """It is the first that waitid finds, until whoever started it waits for it."""
        code = (
            "import os, time\nfrom capture.relay.command import reap_orphans\n"
            "own = os.fork()\nif not own: os._exit(0)\n"
            "reader, writer = os.pipe()\n"
            "def orphan():\n if os.fork(): os._exit(0)\n os.write(writer, b'%d ' % os.getpid())\n os._exit(0)\n"
            "for _ in range(3):\n parent = os.fork()\n if not parent: orphan()\n os.waitpid(parent, 0)\n"
            "pids = b''\nwhile pids.count(b' ') < 3: pids += os.read(reader, 100)\n"
            "state = lambda pid: open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0]\n"
            "pids = [int(pid) for pid in pids.split()]\n"
            "while [state(pid) for pid in [own, *pids]] != ['Z'] * 4: time.sleep(0.01)\n"
            "reap_orphans({own})\nprint([os.path.exists(f'/proc/{pid}') for pid in pids], state(own))\n"
        )
        Path("zombies.py").write_text(code)
        contained = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "zombies.py"]
        done = subprocess.run(contained, capture_output=True, text=True, timeout=100, check=False)
        assert (done.stdout, done.stderr) == ("[False, False, False] Z\n", "")

    def test_sigterm_reaches_the_command(self):
        code = (
            "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(3))\n"
            "print('ready', flush=True)\nsignal.pause()"
        )
        Path("waits.py").write_text(code)
        with self.capture(f"{sys.executable} waits.py") as process:
            assert process.stdout.readline() == b"ready\n"
            (inside,) = eventually(lambda: _children(process.pid))
            os.kill(inside, signal.SIGTERM)
        assert process.returncode == 3


def _children(pid):
    import psutil

    return [child.pid for child in psutil.Process(pid).children()]


def test_where_no_process_can_be_started_it_says_so_like_a_shell():
    driver = (
        "import os, sys\ndef fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "os.fork = fork\nfrom capture.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", driver, "--", "true"], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr == "capture: true: resource temporarily unavailable\n"


def test_a_command_in_the_background_of_an_interactive_shell_is_not_stopped():
    done = shell(f"set -m; {OURS} {SAYS} & wait $!; echo status $?")
    assert "status 0" in done.stdout
    run = run_in_progress()
    assert where_it_stands(runs.read(run).pid) == "gone"
