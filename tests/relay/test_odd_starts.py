"""Whatever state it is started in, the command runs as it does bare: recorded if possible, else with a line that says so."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, capture, only_run

from capture import runs

OPTIONS = ["--to", "jsonl", "--wait", "0"]
INSTALLED = shutil.which("capture", path=os.path.dirname(sys.executable))
COMMAND = [INSTALLED or "capture", *OPTIONS, "--"]  # as a user's shell starts it

needs_script = pytest.mark.skipif(not INSTALLED, reason="the command is not installed")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **more)


@needs_script
@pytest.mark.parametrize("most", [5, 6, 8, 10, 12, 16, 24])
def test_with_few_files_that_may_be_open(most):
    script = f"ulimit -n {most}; exec {' '.join(COMMAND)} sh -c 'echo out; exit 7'"
    done = run("bash", "-c", script)
    assert (done.returncode, done.stdout) == (7, "out\n")
    said = "" if most >= 16 else "capture: not recorded: Too many open files\n"
    assert done.stderr == said


@needs_script
def test_a_limit_that_may_be_raised_is_raised_for_capture_alone():
    done = run(
        "bash", "-c", f"ulimit -Sn 8; {' '.join(COMMAND)} bash -c 'ulimit -Sn; ulimit -Hn'; ulimit -Hn"
    )
    soft, hard, outside = done.stdout.split()
    assert (soft, hard, done.stderr) == ("8", outside, "")
    assert (only_run() / runs.CONSOLE_LOG).read_bytes().startswith(b"8\n")


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000, reason="not so many may be open")
@pytest.mark.parametrize("outside", ["pipe", "terminal"])
def test_more_than_a_thousand_descriptors_are_handed_down(outside):
    command = [*CAPTURE, *OPTIONS, "--", "bash", "-c", "echo through >&1100; echo out; exit 5"]
    driver = (
        "import os, resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))\n"
        "file = os.open('handed', os.O_WRONLY | os.O_CREAT)\n"
        "while os.dup(file) < 1100: pass\nfor fd in range(file, 1101): os.set_inheritable(fd, True)\n"
        f"os.execv({command[0]!r}, {command!r})"
    )
    if outside == "pipe":
        done = run(sys.executable, "-c", driver)
        assert (done.returncode, done.stdout, done.stderr) == (5, "out\n", "")
    else:
        child = pexpect.spawn(sys.executable, ["-c", driver], timeout=100, encoding="utf-8")
        child.expect(pexpect.EOF)
        child.close()
        assert (child.exitstatus, "out\r\n" in child.before) == (5, True)
    assert Path("handed").read_text() == "through\n"
    assert (only_run() / runs.CONSOLE_LOG).read_bytes().split() == [b"out"]


def test_in_a_folder_that_has_been_removed():
    call = " ".join([*CAPTURE, *OPTIONS])
    script = f"mkdir gone; cd gone; rmdir ../gone; {call} -- echo out; echo $?; {call} -- /no/such; echo $?"
    done = run("bash", "-c", script, env={**os.environ, "PYTHONPATH": ""})
    assert done.stdout == "out\n0\n127\n"
    assert done.stderr.count("capture: not recorded: the current folder has been removed\n") == 2
    assert "Traceback" not in done.stderr


def test_the_folder_is_removed_while_the_command_runs():
    script = "cd ..; rm -r gone; echo out; exit 6"
    Path("gone").mkdir()
    done = capture(*OPTIONS, "--summary", "always", "--", "sh", "-c", script, cwd="gone")
    assert (done.returncode, done.stdout) == (6, "out\n")
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("capture: the run's folder has been removed, nothing is kept: ")


@needs_script
@pytest.mark.parametrize("path", [".", "", "elsewhere", ":"])
def test_modules_of_the_users_are_not_taken_for_ours(path):
    elsewhere = Path(path if path == "elsewhere" else ".")
    elsewhere.mkdir(exist_ok=True)
    for name in ("capture", "json", "argparse", "select", "signal", "time", "yaml", "errno"):
        (elsewhere / f"{name}.py").write_text(f"raise SystemExit('the {name} of the user')")
    done = run(*COMMAND, "sh", "-c", "echo $PYTHONPATH; exit 4", env={**os.environ, "PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (4, f"{path}\n", "")
    assert (only_run() / runs.CONSOLE_LOG).exists()


def test_a_json_in_the_current_folder_of_python_m_capture():
    Path("json.py").write_text("raise SystemExit('the json of the user')")
    done = capture(*OPTIONS, "--", "sh", "-c", "exit 4")
    assert (done.returncode, done.stderr) == (4, "")


@needs_script
@pytest.mark.parametrize(("variable", "value"), [
    ("PYTHONINSPECT", "1"), ("PYTHONDEVMODE", "1"), ("PYTHONWARNINGS", "error"), ("PYTHONSTARTUP", "/no/such"),
    ("PYTHONOPTIMIZE", "2"), ("PYTHONSAFEPATH", "1"), ("PYTHONIOENCODING", "ascii"),
])  # fmt: skip
def test_variables_for_python_are_meant_for_the_command(variable, value):
    done = run(*COMMAND, "sh", "-c", f"echo ${variable}; exit 4", env={**os.environ, variable: value})
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.split() == [value]


@needs_script
def test_with_pythoninspect_every_command_ends_with_its_own_status():
    env = {**os.environ, "PYTHONINSPECT": "1"}
    assert run(COMMAND[0], "--version", env=env, input="").returncode == 0
    wrong = run(COMMAND[0], "run", "--no-such-option", env=env, input="")
    assert (wrong.returncode, ">>>" in wrong.stderr) == (2, False)


@needs_script
def test_the_environment_is_not_what_python_makes_of_it():
    """In the locale "C" Python sets LC_CTYPE, and would hand it down."""
    for given in ({}, {"LC_CTYPE": "C.UTF-8"}):
        done = run(*COMMAND, "env", env=given)
        found = dict(line.split("=", 1) for line in done.stdout.splitlines())
        assert {
            name: value
            for name, value in found.items()
            if not name.startswith(("CAPTURE_", "PYTHON", "RAY_"))
        } == given


@pytest.mark.parametrize("seconds", ["inf", "1e300", "0"])
def test_any_time_to_linger(seconds):
    assert capture(*OPTIONS, "--linger", seconds, "--", "sh", "-c", "exit 4").returncode == 4


@pytest.mark.parametrize("option", ["--linger", "--wait"])
@pytest.mark.parametrize("seconds", ["nan", "-1", "soon"])
def test_what_is_no_time_is_said_and_nothing_is_started(option, seconds):
    done = capture(option, seconds, "--", "touch", "started")
    assert (done.returncode, done.stdout, Path("started").exists()) == (2, "", False)
    assert f"capture: {option}: {seconds!r}: should be a number of seconds, such as 2.5" in done.stderr
