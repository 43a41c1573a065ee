"""The examples do what their READMEs say, as far as they need no environment of their own."""

import json
import shutil
import sys
from pathlib import Path

from helpers import ROOT, capture, only_run

from capture import open_run


def test_llama2c_is_replayed_with_its_config_and_its_metrics():
    log = ROOT / "examples" / "llama2c" / "console.log"
    assert capture("replay", "--to", "jsonl", "--project", "llama2c", log).returncode == 0
    stored = open_run(only_run())
    assert stored.config["dim"] == 64 and stored.config["max_iters"] == 200
    rows = list(stored.rows())
    assert {"loss/train", "loss/val", "loss", "lr", "mfu", "time_ms", "iter", "tokens"} <= {
        name for row in rows for name in row.metrics
    }
    assert max(row.step for row in rows if row.step is not None) == 200


def test_the_notebook_of_mediapipe_is_valid_and_empty_of_outputs():
    notebook = json.loads((ROOT / "examples" / "mediapipe_text" / "notebook.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    for cell in code:
        compile("".join(cell["source"]), "cell", "exec")


def test_the_files_of_a_training_are_kept(tmp_path):
    folder = tmp_path / "voice_commands"
    shutil.copytree(ROOT / "examples" / "voice_commands", folder)
    done = capture("--to", "jsonl", "--", sys.executable, "train.py", "--epochs", "3", cwd=folder)
    assert done.returncode == 0, done.stderr
    stored = open_run(only_run(folder / "capture-runs"))
    found = {item["name"]: item for item in stored.files}
    assert [*found] == ["commands.json", "results", "results/confusion_matrix", "results/histogram"]
    assert (found["commands.json"]["type"], found["commands.json"]["aliases"]) == ("model", ["best"])
    matrix = json.loads(Path(found["results/confusion_matrix"]["path"]).read_text())
    table = json.loads(Path(found["results"]["path"]).read_text())
    assert sum(map(sum, matrix["counts"])) == len(table["rows"]) > 50
    right = sum(row[1] == row[2] for row in table["rows"])
    assert sum(row[i] for i, row in enumerate(matrix["counts"])) == right
