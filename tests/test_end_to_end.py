"""A whole run: from the program's bytes to what each backend holds, read back from the real thing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, FIXTURES, only_run

from capture import records

PRINT = "import os, sys; os.write(1, open(sys.argv[1], 'rb').read())"
NAMES = ["loss", "accuracy", "precision", "recall"]
EPOCH_NAMES = [f"epoch/{prefix}{name}" for name in NAMES for prefix in ("", "val_")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """MediaPipe Model Maker's console, sent to three backends at once."""
    with pytest.MonkeyPatch.context() as patch:
        work = tmp_path_factory.mktemp("run")
        patch.chdir(work)
        patch.setenv("HOME", str(work))
        patch.setenv("XDG_CACHE_HOME", str(work / "cache"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_DIR", "TRACKIO_DIR"):
            patch.delenv(name, raising=False)
        options = ["--to", "wandb,trackio,jsonl", "--project", "mp", "--name", "first", "--config", "lr=0.1"]
        options += ["--tag", "a", "--tag", "b", "--notes", "why", "--group", "g"]
        recording = FIXTURES / "mediapipe_text" / "stdout.raw"
        done = subprocess.run(
            [*CAPTURE, *options, "--", sys.executable, "-c", PRINT, str(recording)],
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr, done.stdout) == (0, b"", recording.read_bytes())
        return only_run()


@pytest.fixture(scope="module")
def truth(run):
    """The epoch records: name -> values in their order."""
    found = [records.from_json(line) for line in (run / "records.jsonl").read_bytes().splitlines()]
    return {
        name: [record.metrics[name] for record in found if name in record.metrics] for name in EPOCH_NAMES
    }


@pytest.fixture(scope="module")
def wandb_items(run):
    """What `wandb leet inspect` reads back of the offline run."""
    (file,) = (run.parent.parent / "wandb").glob("offline-run-*/*.wandb")
    wandb = Path(sys.executable).with_name("wandb")
    done = subprocess.run([wandb, "leet", "inspect", "--json", str(file)], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(items, kind):
    return [item[kind] for item in items if item["type"] == kind]


def test_every_epoch_is_there(truth):
    assert all(len(values) == 5 for values in truth.values())


def test_wandb_holds_the_same_values(wandb_items, truth):
    rows = [row["item"] for row in of_type(wandb_items, "history")]
    for name, values in truth.items():
        assert [row[name] for row in rows if name in row] == values


def test_wandb_draws_each_metric_over_keras_own_axis(wandb_items):
    axes = {m["name"]: m.get("step_metric") for m in of_type(wandb_items, "metric")}
    assert axes["epoch/val_loss"] == "epoch/epoch"
    assert axes["batch/loss"] == "batch/batch_step"
    rows = [row["item"] for row in of_type(wandb_items, "history")]
    assert [row["epoch/epoch"] for row in rows if "epoch/val_loss" in row] == [0, 1, 2, 3, 4]


def test_wandb_steps_only_grow(wandb_items):
    steps = [row["item"]["_step"] for row in of_type(wandb_items, "history")]
    assert steps == sorted(set(steps))


def test_wandb_knows_the_run(wandb_items, run):
    (about,) = of_type(wandb_items, "run")[:1]
    assert (about["display_name"], about["project"], about["run_id"]) == ("first", "mp", run.name)
    assert (sorted(about["tags"]), about["notes"], about["run_group"]) == (["a", "b"], "why", "g")
    assert about["config"]["update"]["lr"] == 0.1
    assert [item.get("exit_code", 0) for item in of_type(wandb_items, "exit")] == [0]


def test_wandb_has_the_console_with_each_bar_once(wandb_items):
    lines = "".join(item["line"] for item in of_type(wandb_items, "output_logger")).splitlines()
    assert lines[0] == "Epoch 1/5"
    assert lines[1].startswith("199/199 [====")
    assert lines[-1].startswith("Test loss:0.33")
    assert len(lines) == 12


def test_trackio_holds_the_same_values(run, truth):
    code = (
        "import json, sys, trackio\n"
        "logs = trackio.SQLiteStorage.get_logs('mp', 'first', max_points=None)\n"
        "config = trackio.SQLiteStorage.get_run_config('mp', 'first')\n"
        "json.dump({'logs': logs, 'config': config}, sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        check=True,
        env={"TRACKIO_DIR": str(run.parent.parent / "trackio"), "HF_HUB_OFFLINE": "1", "HOME": str(run)},
    )
    stored = json.loads(done.stdout)
    for name, values in truth.items():
        assert [row[name] for row in stored["logs"] if name in row] == values
    assert stored["config"]["lr"] == 0.1


def test_the_json_lines_hold_the_same_values(run, truth):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for name, values in truth.items():
        assert [row[name] for row in rows if name in row] == values


def test_the_closing_block_says_where_to_look(run):
    text = (run / "summary.txt").read_text()
    assert text.startswith("capture: mp/first: exit status 0")
    assert "capture ui --project mp" in text
    assert "wandb (offline): to send it: capture login wandb, then capture sync" in text
    assert "  loss  " in text and "val best" in text


def test_the_recording_is_private(run):
    assert (run / "console.log").stat().st_mode & 0o777 == 0o600


def test_the_runs_are_kept_out_of_commits(run):
    assert (run.parent.parent / ".gitignore").read_text() == "*\n"
