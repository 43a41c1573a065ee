"""Without a terminal: the same bytes, the same exit status, the same streams."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, only_run
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import runs
from capture.runs.recording import RecordingReader

EVERYTHING = (
    "import os, sys\n"
    "os.write(1, b'text\\n\\rbar\\r\\x08\\x08\\x1b[31mred\\x1b[0m\\x00\\xff\\xfe no newline')\n"
    "os.write(2, b'err\\r\\n\\xc3')\n"
)


def run(*command, options=("--to", "jsonl"), **more):
    return capture(*options, "--", *command, text=False, **more)


@pytest.mark.parametrize("code", [EVERYTHING, "pass", "print('x' * 300_000)"])
def test_both_streams_are_unchanged(code):
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    done = run(sys.executable, "-c", code)
    assert (done.stdout, done.stderr, done.returncode) == (bare.stdout, bare.stderr, bare.returncode)


def test_files_are_byte_identical():
    with open("out", "wb") as out, open("err", "wb") as err:
        done = subprocess.run(
            [*CAPTURE, "--", sys.executable, "-c", EVERYTHING], stdout=out, stderr=err, check=False
        )
    assert done.returncode == 0
    bare = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, check=False)
    assert (Path("out").read_bytes(), Path("err").read_bytes()) == (bare.stdout, bare.stderr)


def test_the_order_is_kept_where_both_streams_are_one():
    code = "import os\nfor i in range(200):\n os.write(1 + i % 2, b'%d\\n' % i)"
    done = subprocess.run(
        [*CAPTURE, "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    assert done.stdout == b"".join(b"%d\n" % i for i in range(200))


@settings(max_examples=12)
@given(chunks=st.lists(st.binary(min_size=1, max_size=5000), max_size=20), terminal=st.booleans())
def test_any_bytes_pass_and_stand_in_the_recording(chunks, terminal):
    data = b"".join(chunks)
    sizes = ",".join(str(len(chunk)) for chunk in chunks)
    code = (
        "import os, sys, tty\nos.isatty(1) and tty.setraw(1)\nfile = open(sys.argv[1], 'rb')\n"
        "for n in sys.argv[2].split(','):\n"
        " data = file.read(int(n or 0))\n while data: data = data[os.write(1, data):]"
    )
    with tempfile.TemporaryDirectory() as base:
        (Path(base) / "data").write_bytes(data)
        options = ("--wait", "0", "--to", "jsonl", "--dir", base, "--tty", "always" if terminal else "never")
        done = run(sys.executable, "-S", "-c", code, f"{base}/data", sizes, options=options)
        assert done.stdout == data
        assert (only_run(base) / runs.CONSOLE_LOG).read_bytes() == data
        reader = RecordingReader(only_run(base))
        assert b"".join(chunk.data for chunk in reader.read()) == data
        assert reader.finished or (reader.read() == [] and reader.finished)


def test_standard_input_is_passed():
    assert run("cat", input=b"typed\n").stdout == b"typed\n"


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, "closed"])
def test_a_command_that_reads_nothing_does_not_hang(stdin):
    more = {"preexec_fn": lambda: os.close(0)} if stdin == "closed" else {"stdin": stdin}
    assert run("echo", "done", timeout=100, **more).stdout == b"done\n"


def test_a_closed_stream_stays_closed():
    code = "import os\ntry:\n os.fstat(2)\nexcept OSError: print('closed')"
    done = subprocess.run(
        [*CAPTURE, "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.close(2),
        check=False,
    )
    assert done.stdout == b"closed\n"


def test_a_reader_that_goes_away_ends_the_command_as_without_capture():
    script = f"{' '.join(CAPTURE)} -- yes | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=100, check=False)
    assert done.stdout.split() == [b"y", b"141"]


def test_a_slow_reader_of_one_stream_does_not_hold_up_the_other():
    code = (
        "import os, sys\n"
        "os.write(2, b'ready\\n')\n"
        "import threading\n"
        "threading.Thread(target=lambda: os.write(1, b'x' * 3_000_000)).start()\n"
        "os.write(2, b'still here\\n')\n"
    )
    with subprocess.Popen(
        [*CAPTURE, "--", sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr.readline() == b"ready\n"
        assert process.stderr.readline() == b"still here\n"
        assert len(process.stdout.read()) == 3_000_000
        assert process.wait(100) == 0


def test_a_slow_reader_gets_all_of_it_also_after_the_end():
    """The command is gone long before; its last bytes stand in pipes and in the relay."""
    code = "import os; os.write(1, b'x' * 100_000); os.write(1, b'y' * 30_000)"
    script = (
        f'{" ".join(CAPTURE)} --linger 0 --to jsonl -- {sys.executable} -c "{code}" | {{ sleep 1; wc -c; }}'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.split() == ["130000"]


def test_a_background_process_that_never_stops_writing_does_not_hold_it_up():
    done = run(
        "sh", "-c", "while echo y; do :; done & :", options=("--linger", "0.2", "--wait", "0"), timeout=100
    )
    assert (done.returncode, done.stdout[:4]) == (0, b"y\ny\n")


def test_python_prints_at_once_where_it_is_no_terminal():
    code = "import os; print(os.environ.get('PYTHONUNBUFFERED'))"
    assert run(sys.executable, "-c", code).stdout == b"1\n"
    assert run(sys.executable, "-c", code, options=("--no-unbuffer",)).stdout == b"None\n"


def test_launchers_of_many_processes_keep_their_buffers(tmp_path):
    launcher = tmp_path / "torchrun"
    launcher.write_text("#!/bin/sh\necho buffered=$PYTHONUNBUFFERED\n")
    launcher.chmod(0o755)
    assert run(str(launcher)).stdout == b"buffered=\n"


def test_the_environment_is_the_same_but_for_three_variables():
    bare = subprocess.run(["env"], capture_output=True, check=True).stdout.splitlines()
    captured = run("env").stdout.splitlines()
    extra = {line.split(b"=")[0] for line in set(captured) - set(bare)}
    assert extra == {b"PYTHONUNBUFFERED", b"CAPTURE_RUN_DIR", b"RAY_DEDUP_LOGS"}
    assert set(bare) <= set(captured)


def test_no_descriptor_leaks_into_the_command():
    code = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert run(sys.executable, "-c", code).stdout == bare


def test_what_is_left_in_the_background_holds_nothing_up_and_lives_on():
    done = run("sh", "-c", "sleep 30 & echo $!", options=("--linger", "0.2", "--to", "jsonl"), timeout=15)
    pid = int(done.stdout)
    os.kill(pid, 0)
    os.kill(pid, 9)
