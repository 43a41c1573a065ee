"""A FIFO or a device that the command is given is the command's alone: nobody else takes its data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, eventually, run_in_progress

from capture import runs
from capture.facts import hyperparameters, provenance

# Gives the tracker time to look at all that is named before it reads.
READS = "import sys\nsys.stdin.readline()\nfor name in sys.argv[1:]: print(name, open(name).read())\n"
CALL = [*CAPTURE, "--to", "jsonl", "--wait", "0", "--"]


def read_once_looked_at(process):
    eventually(lambda: (run_in_progress() / runs.PROVENANCE).exists())
    return process.communicate("\n", timeout=100)


@pytest.mark.parametrize("name", ["data.fifo", "data.yaml", "data.py", "data"])
def test_a_fifo_is_read_by_the_command(name):
    os.mkfifo(name)
    Path("reads.py").write_text(READS)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writes = [sys.executable, "-c", f"open({name!r}, 'w').write('rows: 3')"]
    with (
        subprocess.Popen(writes) as writer,
        subprocess.Popen([*CALL, sys.executable, "reads.py", f"./{name}"], **pipes) as process,
    ):
        out, _ = read_once_looked_at(process)
    assert (out, process.returncode, writer.returncode) == (f"./{name} rows: 3\n", 0, 0)


def test_a_substituted_process_is_read_by_the_command():
    Path("reads.py").write_text(READS)
    script = f"{' '.join(CALL)} {sys.executable} reads.py <(echo one) <(echo two)"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(["bash", "-c", script], **pipes) as process:
        out, _ = read_once_looked_at(process)
    assert [line.split()[1:] for line in out.splitlines() if line] == [["one"], ["two"]]
    assert process.returncode == 0


@pytest.mark.parametrize(
    "name", ["fifo.yaml", "/dev/zero", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "."]
)
def test_what_is_no_regular_file_is_not_looked_into(name):
    os.mkfifo("fifo.yaml")
    assert not provenance.is_regular(name)
    assert (
        provenance.interpreter_of(["./tool", name], Path.cwd(), "/none") == []
    )  # a FIFO would be waited for
    assert hyperparameters.of_files(["./tool", name], Path.cwd()) == {}


def test_a_git_head_that_is_a_fifo_is_not_waited_for():
    from capture.runs.git import git_state

    Path(".git").mkdir()
    os.mkfifo(".git/HEAD")
    assert git_state(".") == {}
