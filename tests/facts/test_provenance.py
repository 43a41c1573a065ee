"""What a run knows by itself, read back from its folder and from a backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, eventually, needs, only_run

from capture import runs
from capture.facts import provenance

TRAIN = "import sys\nprint('epoch 1: loss=0.5', flush=True)\nsys.stdin.read()\n"


def train(*arguments, options=(), environ=()):
    """A run that lasts until everything is found out."""
    Path("train.py").write_text(TRAIN)
    with subprocess.Popen(
        [*CAPTURE, "--to", "jsonl,trackio", *options, "--", sys.executable, "train.py", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **dict(environ)},
    ) as process:
        found = eventually(lambda: next(Path("capture-runs").glob("*/*/provenance.json"), None))
        process.communicate()
    assert process.returncode == 0
    return json.loads(found.read_text())


def config_in_trackio():
    os.environ["TRACKIO_DIR"] = str(Path("capture-runs/trackio").absolute())
    code = (
        "import json, trackio\nfrom trackio.sqlite_storage import SQLiteStorage as S\n"
        "(run,) = S.get_runs('project')\nprint(json.dumps(S.get_run_config('project', run)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def config_in_wandb():
    (file,) = Path("capture-runs/wandb").glob("offline-run-*/*.wandb")
    wandb = Path(sys.executable).with_name("wandb")
    done = subprocess.run([wandb, "leet", "inspect", "--json", str(file)], capture_output=True, check=True)
    config = {}
    for item in map(json.loads, done.stdout.splitlines()):
        about = item.get("run", {}).get("config") or item.get("config") or {}
        config |= about.get("update", {})
    return config


def git(*arguments):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_hyperparameters_come_from_files_the_command_line_and_options_and_know_it():
    Path("base.yaml").write_text("lr: 0.1\ndepth: 3\n")
    train("--config", "base.yaml", "--lr", "3e-4", "--api-key", "tomato", options=("--config", "seed=7"))
    assert json.loads((only_run() / "config.json").read_text()) == {
        "base.yaml": {"lr": 0.1, "depth": 3},
        "command line": {"config": "base.yaml", "lr": 3e-4, "api_key": "***"},
        "capture": {"seed": 7},
    }
    shown = config_in_trackio()
    assert {name: shown[name] for name in ("lr", "depth", "seed")} == {"lr": 3e-4, "depth": 3, "seed": 7}
    assert shown["_provenance"]["python"]["executable"] == sys.executable


def test_what_the_program_prints_wins_over_what_it_was_asked_for_and_both_are_kept():
    Path("train.py").write_text(
        "from argparse import Namespace\n"
        "print(Namespace(lr=0.01, layers=[64, 32], hf_token='tomato', amp=True))\n"
        "print('number of parameters: 15.19M')\n"
        "print('epoch 1: loss=0.5')\n"
        "print('Namespace(lr=0.02)')\n"
    )
    command = [sys.executable, "train.py", "--lr", "0.1", "--depth", "3"]
    subprocess.run([*CAPTURE, "--to", "wandb,trackio", "--", *command], check=True, capture_output=True)
    assert json.loads((only_run() / "config.json").read_text()) == {
        "command line": {"lr": 0.1, "depth": 3},
        "printed": {
            "lr": 0.02,
            "layers": [64, 32],
            "hf_token": "***",
            "amp": True,
            "number_of_parameters": 15_190_000,
        },
    }
    shown = {"depth": 3, "lr": 0.02, "layers": [64, 32], "amp": True, "number_of_parameters": 15_190_000}
    for stored in (config_in_trackio(), config_in_wandb()):
        assert {name: stored[name] for name in shown} == shown
        assert "tomato" not in str(stored)


def test_of_ever_new_names_the_first_thousand_are_kept():
    Path("train.py").write_text(
        "for n in range(1500): print(f'Namespace(a{n}=1)')\nprint('Namespace(a3=4)')\n"
    )
    command = [*CAPTURE, "--to", "jsonl", "--", sys.executable, "train.py"]
    subprocess.run(command, check=True, capture_output=True)
    printed = json.loads((only_run() / "config.json").read_text())["printed"]
    assert (len(printed), printed["a3"], printed["a999"]) == (1000, 4, 1)


@needs("git")
def test_where_the_code_the_packages_and_the_machine_come_from():
    git("init", "-q")
    Path("model.py").write_text("depth = 3\n")
    git("add", "model.py")
    git("commit", "-qm", "first")
    Path("model.py").write_text("depth = 4  # api_key=tomato\n")
    facts = train(
        environ={"SLURM_JOB_ID": "17", "SLURM_JWT": "tomato", "CUDA_VISIBLE_DEVICES": "0,1"}.items()
    )
    assert facts["git"] == {"dirty": True}
    diff = (only_run() / "git.diff").read_text()
    assert "+depth = 4" in diff
    assert "tomato" not in diff
    assert len(runs.read(only_run()).git["commit"]) == 40
    assert facts["environment"]["SLURM_JOB_ID"] == "17"
    assert facts["environment"]["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "SLURM_JWT" not in facts["environment"]
    assert facts["python"]["executable"] == sys.executable
    assert "pytest" in facts["python"]["packages"]
    assert facts["hardware"]["cpus"] > 0


def test_each_part_can_be_left_out(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    Path("capture.yaml").write_text("collect: [environment]\n")
    assert set(train("--lr", "1")) == {"environment"}
    assert "command line" not in json.loads((only_run() / "config.json").read_text())


def test_without_a_work_tree_and_without_python_there_is_nothing_to_say(tmp_path):
    assert provenance.git(tmp_path) == ({}, "")
    assert provenance.packages(["true"], tmp_path, os.environ["PATH"]) == {}


@pytest.mark.parametrize(
    ("command", "first", "interpreter"),
    [
        (["python3.11", "train.py"], "", ["python3.11"]),
        (["env", "A=1", "/opt/x/bin/python", "-m", "y"], "", ["/opt/x/bin/python"]),
        (["./tool", "train"], "#!/opt/x/bin/python3\n", ["/opt/x/bin/python3"]),
        (["./tool", "train"], "#!/usr/bin/env python3\n", ["python3"]),
        (["./tool", "train"], "\x7fELF", []),
        (["nothing-like-this"], "", []),
        (["mpirun", "-np", "4", "/opt/x/bin/python", "train.py"], "", ["/opt/x/bin/python"]),
        (["nice", "-n", "5", "./tool", "train"], "#!/opt/x/bin/python3\n", ["/opt/x/bin/python3"]),
        (["cat", "./tool"], "#!/tmp/evil/python3\n", []),  # only named in the command
        (["./other", "/tmp/evil/python3", "./tool"], "#!/tmp/evil/python3\n", []),
    ],
)
def test_the_interpreter_of_the_command(command, first, interpreter, tmp_path):
    (tmp_path / "tool").write_text(first)
    (tmp_path / "tool").chmod(0o755)
    assert provenance.interpreter_of(command, tmp_path, str(tmp_path)) == interpreter


def test_a_process_that_is_asked_and_fails_is_no_error(tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    assert provenance.packages([str(tmp_path / "python")], tmp_path, "") == {}


def test_a_file_that_the_command_merely_names_starts_nothing_and_the_folder_lends_no_module(own_world):
    for name in ("json.py", "platform.py", "site.py"):
        Path(name).write_text(f"open({str(own_world / 'imported')!r}, 'w').close()\n")
    evil = Path("evil-python3")
    evil.write_text(f"#!/bin/sh\ntouch {own_world / 'started'}\n")
    evil.chmod(0o755)
    Path("data.txt").write_text(f"#! {evil.absolute()}\n")
    facts = provenance.packages(["cat", "data.txt", str(evil.absolute())], own_world, os.environ["PATH"])
    assert facts == {}
    facts = provenance.packages([sys.executable, "-c", "1"], own_world, os.environ["PATH"])
    assert "pytest" in facts["packages"]
    assert not Path("imported").exists()
    assert not Path("started").exists()


def test_a_pipe_that_the_command_names_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "data.fifo")
    assert provenance.interpreter_of([str(tmp_path / "data.fifo")], tmp_path, "") == []


@needs("git")
def test_a_repository_starts_no_program_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    Path("a.txt").write_text("one\n")
    Path(".gitattributes").write_text("*.txt diff=evil\n")
    git("add", ".")
    git("commit", "-qm", "first")
    Path("a.txt").write_text("two\n")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    evil.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager"):
        git("config", key, str(evil))
    facts, diff = provenance.git(tmp_path)
    assert facts["dirty"] is True
    assert "+two" in diff
    assert not Path("started").exists()
