"""No place for the recording, or none any more: the command runs on, and what was recorded is delivered."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, only_run

from capture import runs

LINES = (
    "for i in range(3000):\n print(f'{i} | loss {6 - i / 1000:.4f} | lr 1.0e-04 | 5.00ms | mfu 0.01%' + ' ' * 400)\n"
    "print('over')"
)


def test_without_a_place_for_the_run_the_command_runs_all_the_same():
    with open("capture-runs", "w"):
        pass
    done = subprocess.run([*CAPTURE, "--", "echo", "works"], capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (b"works\n", 0)
    assert b"not recorded" in done.stderr


def test_a_deleted_run_folder_does_not_disturb():
    code = (
        "import shutil, time, os\nprint('a', flush=True)\nshutil.rmtree('capture-runs')\n"
        "for i in range(3): print('b', flush=True); time.sleep(0.1)"
    )
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code], stdout=subprocess.PIPE
    ) as process:
        out, _ = process.communicate(timeout=100)
    assert (out, process.returncode) == (b"a\nb\nb\nb\n", 0)


def test_a_folder_that_may_not_be_written():
    Path("capture-runs").mkdir()
    command = [*CAPTURE, "--to", "jsonl", "--", "echo", "works"]
    if os.geteuid() == 0:  # root may write everywhere, but not without its capabilities
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
        os.chown("capture-runs", 65534, 65534)
    Path("capture-runs").chmod(0o555)
    done = subprocess.run(command, capture_output=True, check=False)
    Path("capture-runs").chmod(0o755)
    assert (done.stdout, done.returncode) == (b"works\n", 0)
    assert b"not recorded: " in done.stderr
    assert b"ermission denied" in done.stderr


def _small_disk():
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not _small_disk(), reason="no file system may be mounted")
def test_a_disk_that_fills_up_ends_the_recording_not_the_command():
    """A small one, of the run's own; it is copied elsewhere before it vanishes with its namespace."""
    Path("disk").mkdir()
    Path("lines.py").write_text(LINES)
    line = " ".join(
        [
            *CAPTURE,
            "--to",
            "jsonl",
            "--dir",
            "disk/runs",
            "--summary",
            "always",
            "--",
            sys.executable,
            "lines.py",
        ]
    )
    script = (
        f"mount -t tmpfs -o size=1m tmpfs disk && {line} >out; status=$?; cp -r disk/runs kept; exit $status"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    bare = subprocess.run([sys.executable, "lines.py"], capture_output=True, text=True, check=True)
    assert Path("out").read_text() == bare.stdout
    assert done.stderr.count("the recording ended early: No space left on device") == 1
    folder = only_run("kept")
    kept = (folder / runs.CONSOLE_LOG).read_bytes()
    assert 100_000 < len(kept) < 1 << 20
    assert bare.stdout.encode().startswith(kept)


def test_at_a_limit_of_size_the_recording_ends_and_what_it_holds_is_delivered():
    """A limit on the size of files stands in for the full disk: that write fails in the same way."""
    driver = (
        "import resource, signal, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfrom capture.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            driver,
            "--to",
            "jsonl",
            "--summary",
            "always",
            "--",
            sys.executable,
            "-c",
            LINES,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.endswith("over\n")
    assert len(done.stdout.splitlines()) == 3001
    assert "the recording ended early: File too large" in done.stderr
    folder = only_run()
    whole = (folder / runs.CONSOLE_LOG).read_bytes().count(b"\n")
    delivered = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in delivered if "loss" in row][:whole] == list(range(whole))
    assert whole > 300
