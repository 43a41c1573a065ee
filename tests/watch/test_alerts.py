"""Alerts and stop rules of real runs: what is kept, said and done."""

import json
import os
import random
import signal
import subprocess
import sys

import psutil
import pytest
from helpers import CAPTURE, capture, eventually, only_run, run_in_progress, tracker_of

from capture import runs
from capture.adapters._about import about

DIVERGES = """
import os, signal, sys, time
{more}
while not os.path.exists(os.environ["CAPTURE_RUN_DIR"] + "/status.json"): time.sleep(0.01)  # until it is tracked
for i in range(1000):
    print(f"step {{i}} loss {{'nan' if i > 5 else 3 - i / 10}}", flush=True)
    if i == 6:
        print("nan at", time.time(), flush=True)
    time.sleep(0.02)
"""


def diverging(more=""):
    return [sys.executable, "-c", DIVERGES.format(more=more)]


def alerts(folder):
    return [json.loads(line) for line in (folder / runs.ALERTS).read_text().splitlines()]


@pytest.mark.parametrize("tty", ["never", "always"])
def test_a_diverging_program_is_stopped_at_once_and_its_status_is_its_own(tty):
    done = capture("--to", "jsonl", "--tty", tty, "--stop-if", "loss is nan", "--", *diverging())
    run = runs.read(only_run())
    assert done.returncode == -signal.SIGTERM
    assert (run.exit_status, run.stopped_by, runs.outcome(run)) == (143, "loss is nan", "stopped")
    assert run.end - float(done.stdout.split("nan at ")[1].split()[0]) < 10  # two on a machine that is idle
    assert [item["rule"] for item in alerts(only_run()) if item["stop"]] == ["loss is nan"]
    summary = (only_run() / runs.SUMMARY).read_text()
    assert "stopped by 'loss is nan', exit status 143" in summary
    assert "  alert: loss is nan (step 6)\n" in summary
    assert capture("runs", "--json").stdout.count('"stopped"') == 1
    assert about(run)["state"] == "stopped"  # what every backend is told
    assert about(run)["stopped_by"] == "loss is nan"


def test_a_program_that_ends_by_itself_when_told_keeps_its_own_status():
    ends = "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(7)))"
    done = capture("--to", "jsonl", "--stop-if", "loss is nan", "--", *diverging(ends))
    assert done.returncode == 7
    assert done.stdout.endswith("saved\n")
    assert runs.outcome(runs.read(only_run())) == "stopped"


def test_what_does_not_listen_is_killed_after_the_grace_time_with_all_below_it():
    with open("capture.yaml", "w") as file:
        file.write("alerts:\n  - {when: loss is nan, stop: true, grace: 0.5s}\n")
    deaf = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); import subprocess\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True, preexec_fn=lambda: "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)); print('child', child.pid, flush=True)"
    )
    done = capture("--to", "jsonl", "--", "sh", "-c", '"$@"; echo no', "sh", *diverging(deaf))
    assert done.returncode in (-signal.SIGKILL, -signal.SIGTERM)
    assert "no\n" not in done.stdout
    child = int(done.stdout.split("child ")[1].split()[0])
    eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")


def test_only_the_own_run_is_stopped():
    """The command is in the process group of a script, which goes on."""
    words = [*CAPTURE, "--to", "jsonl", "--stop-if", "loss is nan", "--", *diverging()]
    script = ["sh", "-c", 'sleep 60 & "$@"; echo status $?; kill $! && echo alive', "sh", *words]
    done = subprocess.run(script, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("status 143\nalive\n")


def test_every_run_warns_of_a_loss_that_is_not_finite_once_in_the_closing_block():
    for options in ([], ["--dir", "off"]):
        if options:
            with open("capture.yaml", "w") as file:
                file.write("default_alerts: false\n")
        code = "for v in (1, 'nan', 2, 'inf'): print('loss', v)"
        done = capture("--to", "jsonl", *options, "--", sys.executable, "-c", code)
        assert done.returncode == 0
    assert [(item["rule"], item["stop"]) for item in alerts(only_run())] == [("*loss* is not finite", False)]
    assert (only_run() / runs.SUMMARY).read_text().count("loss is nan") == 1
    assert not (only_run("off") / runs.ALERTS).exists()


def test_a_silence_is_said_while_it_lasts():
    code = "print('loss 1', flush=True); import sys; sys.stdin.read()"
    words = [*CAPTURE, "--to", "jsonl", "--alert", "silent for 1s", "--", sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        path = run_in_progress() / runs.ALERTS
        eventually(lambda: path.exists() and path.read_text().endswith("\n"))
        process.communicate(b"")
    assert [item["rule"] for item in alerts(path.parent)] == ["silent for 1s"]


def test_killed_again_and_again_the_tracker_fires_each_alert_once():
    code = (
        "import sys\nfor i in range(300):\n"
        " print(f'step {i} loss {\"nan\" if i % 50 == 49 else 1}', flush=True); sys.stdin.read(1)"
    )
    with open("capture.yaml", "w") as file:
        file.write("alerts: [{when: loss is nan, every: 0s}]\ndefault_alerts: false\n")
    words = [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        folder, killed = run_in_progress(), set()
        chance = random.Random(1)
        for _ in range(8):
            pid = eventually(lambda: (found := tracker_of(folder)) not in {*killed, None} and found)
            process.stdin.write(b"x" * chance.randrange(20, 40))
            process.stdin.flush()
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        process.communicate(b"x" * 300, timeout=100)
    assert [item["step"] for item in alerts(folder)] == [49, 99, 149, 199, 249, 299]


def test_a_rule_that_names_no_metric_of_the_run_is_said_at_the_end_with_the_one_that_was_meant():
    rules = ["vall_loss > 1", "loss > 100", "lr > 3 or vall_loss > 1", "loss > 9 or speed > 1", "step > 50"]
    options = [word for rule in rules for word in ("--alert", rule)]
    code = "for i in range(3): print(f'iter {i}: train/loss 0.5, val_loss 0.{i}')"
    done = capture("--to", "jsonl", *options, "--summary", "always", "--", sys.executable, "-c", code)
    assert done.returncode == 0
    assert [line.strip() for line in done.stderr.splitlines() if "no metric" in line] == [
        "vall_loss > 1: no metric was called 'vall_loss'; did you mean 'val_loss'?",
        "lr > 3 or vall_loss > 1: no metric was called 'lr'; there were train/loss, val_loss, step",
        "lr > 3 or vall_loss > 1: no metric was called 'vall_loss'; did you mean 'val_loss'?",
    ]
    done = capture("--to", "jsonl", *options, "--summary", "always", "--", "echo", "hello")
    assert "no metric was called" not in done.stderr


def test_a_mistake_in_a_rule_is_said_before_the_start():
    done = capture("--stop-if", "loss > ten", "--alert", "memory > 95", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--stop-if: 'loss > ten' is no rule; rules look like: loss is nan" in done.stderr
    assert "--alert: 'memory > 95': memory is a share: memory > 95%" in done.stderr
    with open("capture.yaml", "w") as file:
        file.write(
            "project: p\nalerts:\n  - loss is nan\n  - {when: silent for 15, stop: yes}\n  - {whn: x}\n"
        )
    done = capture("--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert "capture.yaml:4: alerts.1.when: 'silent for 15': for 15: should be a time" in done.stderr
    assert "capture.yaml:5: " in done.stderr


def test_without_rules_of_the_users_their_language_is_not_imported_at_the_start():
    code = (
        "import sys; from capture.cli import run, run_options as o; "
        "o.choose(run.arguments().parse_args([])); print([m for m in sys.modules if 'capture.watch' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_garbage_of_a_tracker_gone_mad_stops_nothing():
    from capture.tracker import requests

    for data in (b"", b"\xff\xfe\n", b"kill 1 2\n", b"stop soon loss\n", b"stop 3\n", b"stop 3 \n"):
        assert requests.read(data) is None
    assert requests.read(requests.line_of(2.5, "loss\nis nan")) == (2.5, "loss is nan")
