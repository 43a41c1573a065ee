"""Standard output is a file that can't be written: the command fails as it does bare, and the reason is said."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, only_run

from capture import runs

OURS = [*CAPTURE, "--to", "jsonl", "--wait", "0", "--"]
PRINTS = f"{sys.executable} -c 'for i in range(100_000): print(i)'"
FULL = "capture: standard output: No space left on device\n"

FAILED = (1, 120)  # the second is Python's, where its buffer can't be written at the end either

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")


def shell(script, prefix=""):
    script = script.replace("OURS", prefix)
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["seq 2000", "seq 3", "yes", "echo one", PRINTS])
def test_a_full_disk_ends_the_command_with_the_status_that_it_has_bare(command):
    status, _, _ = shell(f"exec {command} >/dev/full")
    ours, _, said = shell(f"exec {' '.join(OURS)} {command} >/dev/full")
    assert status in FAILED
    assert ours in FAILED
    assert said.endswith(FULL)
    assert runs.read(only_run()).exit_status == ours


def test_a_program_gets_an_error_of_the_system_that_it_can_handle():
    code = (
        "import sys\ntry:\n while True: print('x' * 1000, flush=True)\n"
        "except OSError: sys.stderr.write('handled')\nsys.stdout = None\nsys.exit(4)"
    )
    Path("handles.py").write_text(code)
    for prefix in ([], OURS):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*prefix, sys.executable, "handles.py"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 4
        assert done.stderr == "handled" + (FULL if prefix else "")


@pytest.mark.parametrize("command", ["seq 20000", "yes", PRINTS])
def test_past_a_limit_of_size_it_ends_as_bare(command):
    found = []
    for prefix in ("", " ".join([*OURS[:-1], "--dir", "/dev/null/none", "--"])):
        status, _, said = shell(f"ulimit -f 20; exec {prefix} {command} >out")
        found.append((status, Path("out").stat().st_size))
        Path("out").unlink()
    assert "capture: standard output: File too large\n" in said
    for status, size in found:
        assert status in FAILED if command == PRINTS else status == -signal.SIGXFSZ
        assert size == 20 * 1024


def test_on_a_small_disk_what_fits_is_written_and_the_rest_is_said_to_be_missing():
    script = (
        "mkdir disk && mount -t tmpfs -o size=64k tmpfs disk || exit 99\n"
        f"{' '.join(OURS)} seq 100000 >disk/out; echo $?; wc -c <disk/out"
    )
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no file system may be mounted")
    assert done.stdout.split() == ["1", str(64 * 1024)]
    assert done.stderr == FULL


def test_standard_error_that_can_not_be_written_changes_no_status():
    for status in (0, 3):
        assert shell(f"OURS sh -c 'exit {status}' 2>/dev/full", " ".join(OURS))[0] == status
        code = f"import os; os.write(2, b'x'); raise SystemExit({status})"
        assert shell(f'OURS {sys.executable} -c "{code}" 2>/dev/full', " ".join(OURS))[0] == status


@pytest.mark.parametrize("command", ["seq 5", "yes"])
def test_with_a_terminal_for_the_command(command):
    call = " ".join([*OURS[:-1], "--tty", "always", "--"])
    status, _, said = shell(f"exec {call} {command} >/dev/full")
    assert (status, said) == (1, FULL)


def test_both_on_one_full_disk():
    status, _, _ = shell(f"exec {' '.join(OURS)} seq 5 >/dev/full 2>&1")
    assert status == 1


def test_a_reader_that_goes_away_is_no_error_of_ours():
    done = shell(f"{' '.join(OURS)} seq 100000 | head -1; echo ${{PIPESTATUS[0]}}")
    assert done == (0, "1\n141\n", "")


def test_standard_input_is_recorded_to_its_end_as_tee_copies_it():
    call = " ".join([*CAPTURE, "--to", "jsonl", "--wait", "0", "-"])
    status, out, said = shell(f"seq 20000 | {call} >/dev/full; echo ${{PIPESTATUS[@]}}")
    assert (status, out, said) == (0, "0 1\n", FULL)
    assert (only_run() / runs.CONSOLE_LOG).read_bytes().endswith(b"\n20000\n")


@pytest.mark.parametrize("command", [["parsers", "list"], ["runs"], ["--help"]])
def test_a_list_that_can_not_be_printed_is_no_traceback(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*CAPTURE, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, FULL)
