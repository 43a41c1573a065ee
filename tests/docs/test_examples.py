"""The examples do what their READMEs say, as far as they need no environment of their own."""

import json

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
