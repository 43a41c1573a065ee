"""Help, quiet, progress and what the dashboard says: the first words that a user reads."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, capture, eventually, only_run

from capture import __version__
from capture.cli import COMMANDS


def record(**more):
    """Make a run that holds one value."""
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    assert capture("--to", "jsonl", *options, "--", "echo", "epoch 1: loss=0.5").returncode == 0


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_the_help_shows_the_commands_and_the_options_that_matter(words):
    done = capture(*words)
    assert (done.returncode, done.stderr) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout
    for option in ("--project", "--name", "--tag", "--config", "--to", "--parser", "--quiet"):
        assert f" {option}" in done.stdout
    assert "--linger" not in done.stdout
    assert "capture -- python train.py" in done.stdout


@pytest.mark.parametrize("name", ["run", "sync", "parsers", "completion"])
def test_help_of_a_command_is_the_commands_help(name):
    assert capture("help", name).stdout == capture(name, "--help").stdout


def test_help_of_a_part_of_a_command():
    assert capture("help", "runs", "rm").stdout.startswith("usage: capture runs rm ")


@pytest.mark.parametrize("words", [("version",), ("--version",)])
def test_the_version(words):
    assert capture(*words).stdout == f"capture {__version__}\n"


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet_prints_no_closing_block_even_on_a_terminal(option):
    arguments = [*CAPTURE[1:], option, "--to", "jsonl", "--wait", "60", "--", "echo", "epoch 1: loss=0.5"]
    with pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=100) as tty:
        tty.expect(pexpect.EOF)
    assert tty.before == "epoch 1: loss=0.5\r\n"


def test_the_users_own_line_comes_back_with_the_dashes_for_a_file_too():
    Path("train.py").write_text("print(1)\n")
    Path("run.sh").write_text("echo 1\n")
    assert capture("train.py", "--lr", "1").stderr.endswith(": capture -- python train.py --lr 1\n")
    assert capture("./run.sh").stderr.endswith(": capture -- ./run.sh\n")


def test_following_shows_lines_values_and_the_last_step_on_a_terminal():
    Path("job.log").write_text("".join(f"step {i} loss=0.{i} acc=0.5\n" for i in range(1, 8)))
    arguments = [*CAPTURE[1:], "follow", "job.log", "--to", "jsonl", "--wait", "60"]
    with pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=100, dimensions=(40, 120)) as tty:
        tty.expect_exact("\r\x1b[Kcapture follow: job.log: 7 lines, 14 values, step 7, Ctrl-C ends it")
        tty.sendintr()
        tty.expect_exact("14 values from 7 of 7 lines")
        tty.expect(pexpect.EOF)


def test_a_file_that_does_not_come_is_a_failure_and_no_run():
    done = capture("follow", "nope.log", "--wait-for", "0.2", "--to", "jsonl", "--wait", "60")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "capture follow: nope.log did not come\n")
    assert list(Path("capture-runs").glob("*/*/run.json")) == []


def test_a_file_that_comes_in_time_is_followed():
    with subprocess.Popen(
        [*CAPTURE, "follow", "late.log", "--wait-for", "60", "--idle", "1", "--to", "jsonl", "--wait", "60"]
    ) as process:
        eventually(lambda: next(Path("capture-runs").glob("*/*/console.log"), None))
        Path("late.log").write_text("epoch 1: loss=0.5\n")
        assert process.wait(100) == 0
    assert "0.5" in (only_run() / "records.jsonl").read_text()


class TestDashboard:
    def test_a_project_that_is_not_there_gets_the_nearest(self):
        record(project="mnist")
        done = capture("ui", "--project", "mnits")
        assert (done.returncode, done.stderr) == (
            2, "capture ui: there is no project 'mnits' in capture-runs; did you mean 'mnist'?\n",
        )  # fmt: skip

    @pytest.mark.parametrize(("port", "says"), [
        ("70000", "--port 70000: should be a number from 1 to 65535"), ("http", "--port http: should be a number"),
    ])  # fmt: skip
    def test_a_port_that_can_not_be(self, port, says):
        record()
        done = capture("ui", "--port", port)
        assert done.returncode == 2
        assert done.stderr.startswith(f"capture ui: {says}")

    def test_a_port_that_is_taken(self):
        record()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = capture("ui", "--port", port)
        assert done.returncode == 2
        assert done.stderr == (
            f"capture ui: --port {port}: address already in use; without --port a free one is taken\n"
        )

    def test_it_says_what_it_serves_and_how_to_end_it(self):
        record(project="mnist", to="trackio", wait="80")
        record(project="other")
        with open("shown", "wb") as shown:
            process = subprocess.Popen(
                [*CAPTURE, "ui", "--no-browser", "--project", "mnist"], stdout=shown, stderr=shown
            )
        try:
            eventually(lambda: "http://127.0.0.1:" in Path("shown").read_text())
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(100) == 0
        first, second, *_ = Path("shown").read_text().splitlines()
        assert first == "serving 1 run of mnist and 1 other project from capture-runs; Ctrl-C ends it"
        assert second.endswith("/?project=mnist&smoothing=0")


def test_a_subfolder_uses_the_runs_above():
    record(name="top")
    Path("deep/er").mkdir(parents=True)
    os.chdir("deep/er")
    record(name="below")
    assert not Path("capture-runs").exists()
    os.chdir("../..")
    assert sorted(line.split()[0] for line in capture("runs").stdout.splitlines()[1:]) == [
        "er/below",
        "project/top",
    ]
