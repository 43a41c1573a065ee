"""Whatever each of the three streams is outside, the command sees the same kind, and its bytes arrive there."""

import errno
import fcntl
import itertools
import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from helpers import CAPTURE

KINDS = ["terminal", "pipe", "file", "null", "closed"]

# Says of each stream whether it is a terminal, and writes to both outputs; the report is a file.
PROGRAM = """
import os, sys
def kind(fd):
    try:
        os.fstat(fd)
    except OSError:
        return 'closed'
    return 'terminal' if os.isatty(fd) else 'other'
seen = [kind(fd) for fd in (0, 1, 2)]
read = b''
if seen[0] == 'other':
    read = os.read(0, 100)
for fd, text in ((1, b'to stdout'), (2, b'to stderr')):
    try:
        os.write(fd, text)
    except OSError:
        pass
with open('report', 'w') as file:
    file.write(repr((seen, read)))
"""


def run(command, kinds):
    """Run with these three streams; gives the report and what arrived on each output."""
    outer, inner = os.openpty()
    files = {}
    for fd, kind in enumerate(kinds):
        if kind == "pipe":
            files[fd] = os.pipe()
        elif kind == "file":
            Path(f"file{fd}").write_bytes(b"typed" if fd == 0 else b"")
            one = os.open(f"file{fd}", os.O_RDWR)
            files[fd] = (one, one)
        elif kind == "null":
            one = os.open(os.devnull, os.O_RDWR)
            files[fd] = (one, one)

    def prepare():
        os.setsid()
        fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
        for fd, kind in enumerate(kinds):
            if kind == "closed":
                os.close(fd)
            else:
                os.dup2(inner if kind == "terminal" else files[fd][0 if fd == 0 else 1], fd)

    with subprocess.Popen(command, preexec_fn=prepare, close_fds=False) as process:
        for fd, kind in enumerate(kinds):
            if kind == "pipe":
                os.close(files[fd][0 if fd == 0 else 1])
                if fd == 0:
                    os.write(files[0][1], b"typed")
                    os.close(files[0][1])
        os.close(inner)
        shown = b""
        while data := _read(outer):
            shown += data
        arrived = {fd: _read(files[fd][0]) for fd in (1, 2) if kinds[fd] == "pipe"}
        assert process.wait(100) == 0
    for fd in (1, 2):
        if kinds[fd] == "file":
            arrived[fd] = Path(f"file{fd}").read_bytes()
        elif kinds[fd] == "terminal":
            arrived[fd] = (b"to stdout" if fd == 1 else b"to stderr") in shown
    for fd in {fd for pair in files.values() for fd in pair} | {outer}:
        try:
            os.close(fd)
        except OSError as error:
            assert error.errno == errno.EBADF
    return Path("report").read_text(), arrived


def _read(fd):
    try:
        return os.read(fd, 1 << 16)
    except OSError:  # the terminal's last user has closed it
        return b""


@pytest.mark.parametrize("stdin", KINDS)
@pytest.mark.parametrize("outputs", list(itertools.product(KINDS, KINDS)), ids="-".join)
def test_each_stream_is_of_the_same_kind(stdin, outputs):
    program = [sys.executable, "-S", "-c", PROGRAM]
    kinds = [stdin, *outputs]
    bare = run(program, kinds)
    assert (
        run([*CAPTURE, "--summary", "never", "--to", "jsonl", "--wait", "0", "--", *program], kinds) == bare
    )


@pytest.mark.parametrize(
    ("tty", "outer", "seen"),
    [
        ("always", ["null", "pipe", "pipe"], ["other", "terminal", "terminal"]),
        ("never", ["terminal", "terminal", "terminal"], ["terminal", "other", "other"]),
    ],
)
def test_tty_decides_otherwise(tty, outer, seen):
    report, _ = run([*CAPTURE, "--tty", tty, "--summary", "never", "--to", "jsonl", "--wait", "0", "--",
                     sys.executable, "-S", "-c", PROGRAM], outer)  # fmt: skip
    assert eval(report)[0] == seen
