"""`capture sweep` from the first trial to the last line, as a user sees it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, capture, eventually

from capture import cli
from capture.delivery import install

# Prints a metric that is best at x=3; `steps` epochs, so many seconds each.
PROGRAM = """
import sys, time
options = dict(word.lstrip("-").split("=") for word in sys.argv[1:] if "=" in word)
x, pause = float(options.get("x", 1)), float(options.get("pause", 0))
if x > 90: raise SystemExit("x is too large")
for epoch in range(1, int(options.get("steps", 3)) + 1):
    print(f"epoch {epoch}: val_loss={abs(x - 3) + 1 / epoch:.4f}", flush=True)
    time.sleep(pause)
"""
QUICK = ["--metric", "min val_loss", "--to", "jsonl"]


@pytest.fixture(autouse=True)
def program():
    Path("train.py").write_text(PROGRAM)


def runs():
    return {
        path.parent.name: json.loads(path.read_text()) for path in Path("capture-runs").glob("*/*/run.json")
    }


def status(*words):
    return json.loads(capture("sweep", "status", "--json", *words).stdout)


def states(found=None):
    return [trial["state"] for trial in (found or status())["trials"]]


def test_a_sweep_ends_with_its_table_the_best_run_and_its_command():
    done = capture("sweep", "x=1,3,5", "y=a", *QUICK, "--id", "mine", "--", "python3", "train.py", "--x={x}")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "sweep mine: grid, 3 trials; project project"
    assert "trial 1 started: x=3" in done.stdout.replace(" y=a", "")
    assert any(
        re.fullmatch(r"trial 1 finished: val_loss 0\.3333 \(best so far\), [\d.]+ s", line) for line in lines
    )
    assert re.search(r"^1\*     finished  3          0\.3333  0\.3333       3", done.stdout, re.M)
    assert "best: trial 1, val_loss 0.3333, run mine-1\n  python3 train.py --x=3 --y=a\n" in done.stdout
    assert "capture page --project project --group mine" in done.stdout
    assert capture("sweep", "best").stdout == "python3 train.py --x=3 --y=a\n"
    found = runs()
    assert sorted(found) == ["mine-0", "mine-1", "mine-2"]
    assert {run["group"] for run in found.values()} == {"mine"}
    assert found["mine-1"]["name"] == "trial-1 x=3"
    assert found["mine-1"]["config"] == {"x": 3, "y": "a"}
    assert "val_loss=0.3333" in Path("capture-runs/project/mine-1/console.log").read_text()
    assert capture("page", "--group", "mine", "-o", "page.html").stdout.startswith("page.html: 3 runs")


def test_wandbs_file_and_its_default_command(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")  # it calls `python`
    Path("sweep.yaml").write_text(
        "program: train.py\nmethod: grid\nname: spirals\nproject: mine\nmetric: {name: val_loss}\n"
        "parameters:\n  x: {values: [1, 3]}\n  steps: {value: 2}\n"
    )
    done = capture("sweep", "sweep.yaml", "--to", "jsonl")
    assert done.returncode == 0, done.stderr
    assert "/usr/bin/env python train.py --steps=2 --x=3" in done.stdout
    assert {run["project"] for run in runs().values()} == {"mine"}
    again = capture("sweep", "sweep.yaml", "x=3,4", "--to", "jsonl", "--", "python3", "train.py")
    assert "best: trial 0, val_loss 0.5" in again.stdout


def test_a_losing_trial_is_ended_early_and_its_run_says_so():
    Path("sweep.yaml").write_text(
        "program: train.py\nmethod: grid\nmetric: {name: val_loss}\nearly_terminate: {type: hyperband, min_iter: 2}\n"
        "parameters:\n  x: {values: [3, 4, 5, 40]}\n  steps: {value: 60}\n  pause: {value: 0.05}\n"
    )
    done = capture("sweep", "sweep.yaml", "--to", "jsonl", "--id", "mine", "--", "python3", "train.py")
    assert done.returncode == 0, done.stderr
    found = status("mine")
    assert states(found)[0] == "finished", found["trials"][0]
    assert states(found)[3] == "ended early"
    assert found["trials"][3]["observed"] < 60
    run = runs()["mine-3"]
    assert run["stopped_by"] == "sweep mine: it loses"
    assert "stopped" in capture("runs", "--columns", "id,state").stdout
    assert found["best"]["values"]["x"] == 3


def test_a_trial_that_fails_does_not_end_the_sweep():
    done = capture("sweep", "x=91,3,4", *QUICK, "--", "python3", "train.py")
    assert done.returncode == 0
    assert re.search(r"^trial 0 failed: exit status 1: x is too large, ", done.stdout, re.M)
    assert states() == ["failed", "finished", "finished"]


@pytest.mark.slow
def test_a_command_that_never_works_ends_it_with_what_it_said():
    done = capture("sweep", "x=91,92,93,94,95", *QUICK, "--", "python3", "train.py")
    assert done.returncode == 1
    assert "the first 3 trials failed, the last one so: exit status 1: x is too large" in done.stderr
    assert "to go on with it: capture sweep --resume sweep-" in done.stderr
    assert states() == ["failed"] * 3


def test_a_sweep_of_which_every_trial_failed_has_failed():
    done = capture("sweep", "x=91,92", "--to", "jsonl", "--", "python3", "train.py")
    assert "2 of 2 trials, 2 failed" in done.stdout
    assert (done.returncode, states()) == (1, ["failed"] * 2)


def test_a_metric_that_is_not_printed_is_named_with_those_that_are():
    done = capture("sweep", "x=1", "--metric", "max acc", "--to", "jsonl", "--", "python3", "train.py")
    assert done.returncode == 1
    assert "trial 0 failed: no value of acc; it printed val_loss" in done.stdout


@pytest.mark.slow
def test_without_a_metric_the_runs_main_one_is_taken():
    done = capture("sweep", "x=1,3", "--to", "jsonl", "--", "python3", "train.py")
    assert "best: trial 1, val_loss 0.3333" in done.stdout


@pytest.mark.slow
def test_more_trials_later():
    words = [
        "x=0.1..6",
        "--method",
        "random",
        "--count",
        "2",
        *QUICK,
        "--id",
        "mine",
        "--",
        "python3",
        "train.py",
    ]
    assert capture("sweep", *words).returncode == 0
    before = status("mine")["trials"]
    assert capture("sweep", "--resume", "last", "--count", "4", "--to", "jsonl").returncode == 0
    after = status("mine")["trials"]
    assert [t["values"] for t in after[:2]] == [t["values"] for t in before]
    assert states() == ["finished"] * 4


@pytest.mark.slow
def test_the_same_command_with_the_same_storage_joins_the_sweep():
    words = ["x=1,2,3", *QUICK, "--storage", "shared.log", "--", "python3", "train.py"]
    first = capture("sweep", *words)
    second = capture("sweep", *words)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.splitlines()[0] == second.stdout.splitlines()[0]
    assert len(runs()) == 3
    other = capture("sweep", "x=1,2", *QUICK, "--storage", "shared.log", "--", "python3", "train.py")
    assert len(runs()) == 5, other.stdout


@pytest.mark.slow
def test_each_trial_gets_a_gpu_of_its_own():
    program = (
        "import os, time; print('epoch 1: val_loss=' + os.environ['CUDA_VISIBLE_DEVICES']); time.sleep(1)"
    )
    done = capture("sweep", "x=1,2", *QUICK, "--gpus", "4,7", "--", "python3", "-c", program)
    assert "2 at once" in done.stdout
    assert sorted(trial["best"] for trial in status()["trials"]) == [4, 7]


def test_a_file_that_configures_the_program_gets_the_values():
    Path("train.yaml").write_text("model: {x: 1}  # ours\nsteps: 2\n")
    program = "import sys, yaml; c = yaml.safe_load(open(sys.argv[1])); print(f\"epoch 1: val_loss={c['model']['x'] * c['steps']}\")"
    words = [
        "x=5,7",
        *QUICK,
        "--config-file",
        "train.yaml",
        "--",
        sys.executable,
        "-c",
        program,
        "train.yaml",
    ]
    done = capture("sweep", *words)
    assert done.returncode == 0, done.stderr
    assert [trial["best"] for trial in status()["trials"]] == [10, 14]
    assert Path("train.yaml").read_text() == "model: {x: 1}  # ours\nsteps: 2\n"
    copies = sorted(Path("capture-runs").glob("*/sweeps/*/*/train.yaml"))
    assert [copy.read_text() for copy in copies] == [f"model: {{x: {x}}}  # ours\nsteps: 2\n" for x in (5, 7)]


@pytest.mark.slow
def test_a_target_that_is_reached_ends_it():
    Path("sweep.yaml").write_text(
        "program: train.py\nmethod: grid\nmetric: {name: val_loss, target: 0.5}\nparameters: {x: {values: [9, 3, 8, 7]}}\n"
    )
    done = capture("sweep", "sweep.yaml", "--to", "jsonl", "--", "python3", "train.py")
    assert done.returncode == 0
    assert states() == ["finished", "finished"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say what is to be tried: a sweep's file, or NAME=VALUES such as lr=1e-4..1e-1"),
        (["x=1"], "the command is missing: put -- and the command at the end, such as -- python train.py"),
        (["x=1", "--", "no-such-program"], "no-such-program: command not found"),
        (
            ["rate=1,2", "--", "echo", "{rte}"],
            "the command has {rte}, which is no parameter; did you mean {rate}?",
        ),
        (["sweep.yml", "--", "true"], "sweep.yml: No such file or directory"),
        (["x=1", "--config-file", "train.cfg", "--", "true"], "train.cfg: No such file or directory"),
        (["--resume", "last"], "there is no sweep 'last'; there are none in "),
        (
            ["x=1", "--storage", "postgresql://127.0.0.1:1/x", "--", "true"],
            "--storage postgresql+psycopg://...: ",
        ),
    ],
)
def test_a_mistake_is_one_sentence(words, message, capfd):
    if "--storage" in words:
        pytest.importorskip("psycopg")
    assert cli.main(["sweep", *words]) == 2
    said = capfd.readouterr().err
    assert said.startswith(f"capture sweep: {message}"), said
    assert len(said.splitlines()) == 1
    assert not Path("capture-runs").exists()


def test_without_the_extra_it_says_what_to_install():
    done = without_optuna()
    wanted = install.command(install.of_extra("capture-metrics", "sweep"))
    assert "'optuna<6,>=4.5'" in wanted
    assert done.stderr == (
        f"capture sweep: optuna is not installed beside capture; install it with: {wanted}\n"
    )
    assert done.returncode == 2


def test_without_the_extra_it_says_so_to_pipx_in_its_own_words(tmp_path):
    (tmp_path / "capture-metrics").mkdir()
    (tmp_path / "capture-metrics" / "pipx_metadata.json").write_text("{}")
    said = without_optuna(str(tmp_path / "capture-metrics")).stderr
    assert "; install it with: pipx inject capture-metrics 'optuna<6,>=4.5' 'tomlkit>=0.12'\n" in said


def without_optuna(prefix=sys.prefix):
    code = f"""
import sys
sys.modules["optuna"], sys.prefix = None, {prefix!r}
from capture.cli import main
sys.exit(main(["sweep", "x=1", "--", "true"]))
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


LONG = ["x=1..80", "--method", "random", "--count", "9", "--workers", "2", *QUICK, "--id", "mine", "--"]
LONG += ["python3", "train.py", "--steps=400", "--pause=0.05"]


def started(count):
    """So many trials print already."""
    logs = list(Path("capture-runs").glob("project/mine-*/records.jsonl"))
    return len([log for log in logs if log.stat().st_size]) >= count


def test_ctrl_c_twice_stops_the_trials_and_they_are_tried_again_later():
    child = pexpect.spawn(CAPTURE[0], [*CAPTURE[1:], "sweep", *LONG], dimensions=(24, 80), timeout=100)
    child.expect("Ctrl-C: no new trials")
    eventually(lambda: started(2))
    child.sendintr()
    child.expect("no new trials; waiting for those that run")
    assert states(status("mine")) == ["running", "running"]
    child.sendintr()
    child.expect("to go on with it: capture sweep --resume mine")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert [run["stopped_by"] for run in runs().values()] == ["sweep mine was stopped"] * 2
    assert states(status("mine")) == []


@pytest.mark.slow
def test_ctrl_c_once_lets_the_running_trials_end():
    words = ["x=1..80", "--method", "random", "--count", "9", *QUICK, "--id", "mine", "--"]
    words += ["python3", "train.py", "--steps=20", "--pause=0.1"]
    child = pexpect.spawn(CAPTURE[0], [*CAPTURE[1:], "sweep", *words], dimensions=(24, 80), timeout=100)
    eventually(lambda: started(1))
    child.sendintr()
    child.expect("to go on with it: capture sweep --resume mine")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert states(status("mine")) == ["finished"]


@pytest.mark.slow
def test_it_is_stopped_from_another_terminal():
    worker = subprocess.Popen([*CAPTURE, "sweep", *LONG], stdout=subprocess.PIPE, text=True)
    eventually(lambda: started(2))
    assert "no more trials are started" in capture("sweep", "stop", "mine").stdout
    assert "stop their trials now" in capture("sweep", "stop", "mine").stdout
    output = worker.communicate(timeout=100)[0]
    assert "to go on with it" in output
    assert all(run["stopped_by"] for run in runs().values())


def test_a_sweep_of_the_same_id_elsewhere_is_left_alone(tmp_path):
    """Another user's, or another project's: its trials have the same ids."""
    waits = "import time, os; print('epoch 1: val_loss=1', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.05)"
    words = [*CAPTURE, "sweep", "x=5", *QUICK, "--id", "mine", "--", "python3", "-c", waits]
    other = tmp_path / "other"
    other.mkdir()
    theirs = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=other)
    ours = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    eventually(lambda: started(1) and list(other.glob("capture-runs/*/*/records.jsonl")))
    ours.kill()
    ours.wait()
    again = subprocess.Popen(
        [*CAPTURE, "sweep", "--resume", "mine", "--to", "jsonl"], stdout=subprocess.DEVNULL
    )
    eventually(lambda: runs()["mine-0"]["state"] == "finished")
    for place in (Path(), other):
        (place / "go").touch()
    assert (again.wait(100), theirs.wait(100)) == (0, 0)
    (run,) = other.glob("capture-runs/*/mine-0/run.json")
    assert json.loads(run.read_text())["exit_status"] == 0


def test_a_killed_workers_trial_is_tried_again_and_its_command_ended():
    waits = "import time, os; print('epoch 1: val_loss=1', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.05)"
    words = ["x=5", *QUICK, "--id", "mine", "--", "python3", "-c", waits]
    first = subprocess.Popen([*CAPTURE, "sweep", *words], stdout=subprocess.DEVNULL)
    eventually(lambda: started(1))
    first.kill()
    first.wait()
    second = subprocess.Popen(
        [*CAPTURE, "sweep", "--resume", "mine", "--to", "jsonl"], stdout=subprocess.DEVNULL
    )
    ended = eventually(lambda: [run for run in runs().values() if run["state"] == "finished"])
    assert (ended[0]["id"], ended[0]["exit_status"]) == ("mine-0", 143)
    eventually(lambda: started(2))
    Path("go").touch()
    assert second.wait(100) == 0
    (trial,) = status("mine")["trials"]
    assert (trial["run"], trial["state"], trial["values"]) == ("mine-1", "finished", {"x": 5})
