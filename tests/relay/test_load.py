"""However much is printed, however slowly it is read: the same back-pressure, and memory stays flat."""

import os
import subprocess
import sys
import time

import psutil
import pytest
from helpers import CAPTURE, eventually, run_in_progress, tracker_of

from capture import runs

MB = 1 << 20
RELAY_LIMIT, TRACKER_LIMIT = 25 * MB, 200 * MB


def start(command, *options, stdout=subprocess.DEVNULL):
    return subprocess.Popen([*CAPTURE, "--to", "jsonl", *options, "--", *command], stdout=stdout)


def memory(pid):
    """The most bytes that a process has had in memory, without what it shares with others."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc")


@needs_proc
def test_ten_million_lines_pass_and_memory_stays_flat():
    code = "import os, sys\nfor i in range(1000): os.write(1, b'x\\n' * 10_000)\nos.write(2, b'over')\nsys.stdin.read()"
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "--wait", "0", "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        left = 20_000_000
        while left:
            left -= len(os.read(process.stdout.fileno(), 1 << 16))
        assert process.stderr.read(4) == b"over"
        assert memory(process.pid) < RELAY_LIMIT
        folder = run_in_progress()
        assert memory(eventually(lambda: tracker_of(folder))) < TRACKER_LIMIT
        process.stdin.close()
        assert process.wait(100) == 0
    assert (folder / runs.CONSOLE_LOG).stat().st_size == 20_000_000 + len("over")


@needs_proc
def test_a_gigabyte_without_a_newline_passes_and_memory_stays_flat():
    code = (
        "import os, sys\nblock = b'x' * (1 << 20)\nfor i in range(1024): os.write(1, block)\n"
        "os.write(2, b'over')\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "--wait", "0", "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr.read(4) == b"over"
        folder = run_in_progress()
        reader = psutil.Process(eventually(lambda: tracker_of(folder)))
        eventually(lambda: reader.io_counters().read_chars > 1 << 30, 120)  # it has come to the end as well
        assert memory(reader.pid) < TRACKER_LIMIT
        assert memory(process.pid) < RELAY_LIMIT
        process.stdin.close()
        assert process.wait(100) == 0
    (folder / runs.CONSOLE_LOG).unlink()


def test_a_reader_that_sleeps_holds_the_command_back_as_without_capture():
    """No more is taken from the command than the pipes hold and what the relay has in its hands."""
    code = "import os, sys\nfor i in range(4096):\n os.write(1, b'x' * 1023 + b'\\n')\n os.write(2, b'%d\\n' % i)\n"
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.set_blocking(process.stderr.fileno(), False)
        written = _stands_still(process.stderr)
        assert written < 64 + 64 + 64 + 64  # KiB: our pipe, the relay, the pipe outside, and some rest
        os.set_blocking(process.stderr.fileno(), True)
        out, err = process.communicate(timeout=100)
    assert out == (b"x" * 1023 + b"\n") * 4096
    assert err.endswith(b"4095\n")
    assert process.returncode == 0


def _stands_still(stream):
    """How many lines have come when for a second none has; the first 64, which a pipe holds, take the time they need."""
    seen, since = b"", time.monotonic()
    while seen.count(b"\n") < 64 or time.monotonic() - since < 1:
        data = os.read(stream.fileno(), 1 << 16) if _ready(stream) else b""
        if data:
            seen, since = seen + data, time.monotonic()
    return seen.count(b"\n")


def _ready(stream):
    import select

    return select.select([stream], [], [], 0.05)[0]
