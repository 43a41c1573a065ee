"""Files, tables, images and plots of a real run, read back from each backend."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import capture, only_run
from PIL import Image
from wandb_server import Server

from capture import runs
from capture.adapters import tensorboard_events

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = """\
project: voice
artifacts:
  - {path: "exported/*.tflite", name: model, type: model, alias: {best: max val_accuracy}}
  - saved
tables: [results.csv]
images: ["img/*"]
plots:
  - {type: confusion_matrix, path: pred.csv, name: confusion, truth: label, prediction: predicted}
  - {type: line, path: results.csv, name: curve, x: epoch, y: loss}
  - {type: line, path: results.csv, name: curves, x: epoch, y: [loss, acc]}
  - {type: scatter, path: pred.csv, name: points, x: score, y: label_id}
  - {type: bar, path: results.csv, name: bars, x: epoch, y: acc}
  - {type: histogram, path: pred.csv, name: scores, x: score, bins: 4}
  - {type: pr_curve, path: pred.csv, name: pr, truth: label_id, score: score}
  - {type: roc_curve, path: pred.csv, name: roc, truth: label_id, score: score}
mlflow: {registered_model: voice-model}
"""
DOT = io.BytesIO()
Image.new("RGB", (2, 1), "red").save(DOT, "PNG")
PNG = base64.b64encode(DOT.getvalue()).decode()
PROGRAM = f"""\
import base64, json, os
print("epoch 1: val_accuracy 0.5")
print("epoch 2: val_accuracy 0.75", flush=True)
for folder in ("exported", "saved/part", "img"): os.makedirs(folder)
open("exported/model.tflite", "wb").write(b"TFL3" * 100)
open("saved/a.txt", "w").write("a"); open("saved/part/b.txt", "w").write("b")
open("results.csv", "w").write("epoch,loss,acc\\n1,0.5,0.5\\n2,nan,0.75\\n3,0.25,0.8\\n")
open("img/dot.png", "wb").write(base64.b64decode({PNG!r}))
open("img/damaged.png", "wb").write(b"no image")
open("img/drawn.svg", "w").write('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>')
rows = [("neg", "neg", 0.1), ("neg", "pos", 0.6), ("pos", "pos", 0.9), ("pos", "neg", 0.4)]
with open("pred.csv", "w") as file:
    file.write("label,predicted,score,label_id\\n")
    for label, predicted, score in rows:
        file.write(f"{{label}},{{predicted}},{{score}},{{int(label == 'pos')}}\\n")
"""
PLOTS = ["confusion", "curve", "curves", "points", "bars", "scores", "pr", "roc"]
READ_TRACKIO = """
import json, sys
from trackio.sqlite_storage import SQLiteStorage as store
from trackio import cas
(run,) = store.get_run_records("voice")
versions = {}
for one in store.get_artifacts("voice"):
    found = store.get_artifact_manifest("voice", one["name"], "latest")
    versions[one["name"]] = [found, [cas.blob_path("voice", e["digest"]).read_text() for e in found["manifest"]]]
json.dump([store.get_logs("voice", run_id=run["id"]), versions], sys.stdout, default=str)
"""


def record(to, *options, environ=()):
    Path("capture.yaml").write_text(CONFIG)
    done = capture(
        *("--to", to, "--wait", "120", "--summary", "always", *options, "--", sys.executable, "-c", PROGRAM),
        env={**os.environ, **dict(environ)},
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "delivered:" not in done.stderr, done.stderr
    return done.stderr


def of_wandb(run, server):
    """What W&B's server has of the run, by name."""
    found = {}
    for row in run.rows:
        found |= {key: value for key, value in row.items() if isinstance(value, dict)}
    tables = {
        name: json.loads(run.files[value["path"]])
        for name, value in found.items()
        if value.get("nrows") is not None
    }
    return found, tables


def assert_all_in_wandb(server):
    run = server.run
    assert run.faults == []
    assert [row["val_accuracy"] for row in run.rows if "val_accuracy" in row] == [0.5, 0.75]
    media, tables = of_wandb(run, server)
    assert tables["results"]["columns"] == ["epoch", "loss", "acc"]
    assert [row[0] for row in tables["results"]["data"]] == [1, 2, 3]
    assert media["dot"]["_type"] == "image-file"
    assert (media["dot"]["width"], media["drawn"]["_type"]) == (2, "html-file")
    assert tables["confusion_table"]["data"] == [
        ["neg", "neg", 1],
        ["neg", "pos", 1],
        ["pos", "neg", 1],
        ["pos", "pos", 1],
    ]
    assert media["scores"] == {
        "_type": "histogram",
        "values": [1, 1, 1, 1],
        "bins": pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9]),
    }
    charts = run.raw_config["_wandb"]["value"]["visualize"]
    presets = {name: chart["panel_config"]["panelDefId"] for name, chart in charts.items()}
    assert presets == {
        "confusion": "wandb/confusion_matrix/v1",
        "curve": "wandb/line/v0",
        "curves": "wandb/lineseries/v0",
        "points": "wandb/scatter/v0",
        "bars": "wandb/bar/v0",
        "pr": "wandb/area-under-curve/v0",
        "roc": "wandb/area-under-curve/v0",
    }
    for name, chart in charts.items():  # each field is a column of the table that the chart is drawn of
        fields = {*chart["panel_config"]["fieldSettings"].values()} - {None}
        assert fields <= {*tables[f"{name}_table"]["columns"]}, name
    (model,) = server.versions("model")
    assert model["files"] == {"model.tflite": b"TFL3" * 100}
    assert sorted(one["alias"] for one in model["aliases"]) == ["best", "latest"]
    assert (model["artifactTypeName"], model["runName"]) == ("model", run.id)
    assert json.loads(model["metadata"])["val_accuracy"] == 0.75
    (saved,) = server.versions("saved")
    assert saved["files"] == {"a.txt": b"a", "part/b.txt": b"b"}


def test_wandb_has_them_while_the_run_goes_on():
    with Server() as server:
        record("wandb", environ=server.environ)
        assert_all_in_wandb(server)
        assert capture("sync", env={**os.environ, **server.environ}).stdout.startswith("nothing is missing")
        assert_all_in_wandb(server)


def test_wandb_has_them_when_an_offline_run_is_sent():
    record("wandb")
    with Server() as server:
        done = capture("sync", env={**os.environ, **server.environ}, timeout=200)
        assert done.returncode == 0, done.stdout
        assert_all_in_wandb(server)


def test_trackio_has_them_once():
    record("trackio")

    def read():
        environ = {**os.environ, "TRACKIO_DIR": os.path.abspath("capture-runs/trackio")}
        done = subprocess.run(
            [sys.executable, "-c", READ_TRACKIO], capture_output=True, env=environ, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    rows, artifacts = read()
    values = {name: value for row in rows for name, value in row.items() if isinstance(value, dict)}
    assert values["results"]["_value"][0] == {"epoch": 1, "loss": 0.5, "acc": 0.5}
    media = Path("capture-runs/trackio/media")
    assert (media / values["dot"]["file_path"]).read_bytes() == Path("img/dot.png").read_bytes()
    assert values["dot"]["_type"] == "trackio.image"
    for name in [*PLOTS, "drawn"]:
        assert values[name]["_type"] == "trackio.html"
        assert "<svg" in (media / values[name]["file_path"]).read_text()
    assert artifacts["model"][1] == ["TFL3" * 100]
    assert {"best", "latest"} <= {*artifacts["model"][0]["aliases"]}
    assert artifacts["saved"][1] == ["a", "b"]
    # Delivered again from the start, as after a crash: nothing is there twice.
    note = only_run() / runs.DELIVERED / "trackio.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "files": 0, "rows": 0, "state": "open"}))
    assert capture("sync").returncode == 0
    again = read()
    for a, b in zip(rows, again[0]):
        assert a == b
    assert again[0][len(rows) :] == []
    assert artifacts == again[1]


def test_mlflow_has_them_and_the_model_in_its_registry():
    from mlflow import MlflowClient

    record("mlflow")
    client = MlflowClient(f"sqlite:///{os.path.abspath('capture-runs/mlflow.db')}")
    (run,) = client.search_runs([client.get_experiment_by_name("voice").experiment_id])
    root = Path(run.info.artifact_uri.removeprefix("file://"))
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert {"tables/results.json", "saved/a.txt", "saved/part/b.txt"} <= files
    assert {f"plots/{name}.svg" for name in PLOTS} <= files
    table = json.loads((root / "tables/results.json").read_text())
    assert (table["columns"], table["data"][0]) == (["epoch", "loss", "acc"], [1, 0.5, 0.5])
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "tables/results.json", "type": "table"}
    ]
    assert any(name.startswith("images/dot") for name in files)
    (version,) = client.search_model_versions("name = 'voice-model'")
    assert (version.run_id, version.tags["val_accuracy"]) == (run.info.run_id, "0.75")
    assert client.get_model_version_by_alias("voice-model", "best").version == version.version
    assert (Path(version.source.removeprefix("file://")) / "model.tflite").read_bytes() == b"TFL3" * 100


def test_tensorboard_has_images_and_tables_and_says_what_it_can_not_show():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    block = record("tensorboard,jsonl")
    (file,) = Path("capture-runs/tensorboard").rglob("*tfevents*")
    events = EventAccumulator(str(file.parent))
    events.Reload()
    image = events.Images("dot")[0]
    assert (image.width, image.height, image.encoded_image_string) == (2, 1, Path("img/dot.png").read_bytes())
    text = tensor_util.make_ndarray(events.Tensors("results")[0].tensor_proto).item().decode()
    assert text.splitlines()[0] == "| epoch | loss | acc |"
    assert "| neg | 1 | 1 |" in str(
        tensor_util.make_ndarray(events.Tensors("confusion")[0].tensor_proto).item().decode()
    )
    assert "tensorboard: can't show files of this kind: 2 files; see files.jsonl" in block
    assert "jsonl: can't" not in block
    log = (only_run() / runs.TRACKER_LOG).read_text()
    assert "tensorboard: file rejected: an image for TensorBoard is PNG, JPEG or GIF" in log


def test_a_run_that_printed_nothing_delivers_its_files():
    with Server() as server:
        silent = "open('model.onnx', 'w').write('model')"
        options = ("--to", "wandb", "--save", "model.onnx", "--wait", "60")
        done = capture(*options, "--", sys.executable, "-c", silent, env={**os.environ, **server.environ})
        assert done.returncode == 0
        (model,) = server.versions("model.onnx")
        assert model["files"] == {"model.onnx": b"model"}


def test_a_file_that_is_gone_when_a_backend_is_back_is_one_line():
    record("jsonl")
    shutil.rmtree("exported")
    Path("saved/a.txt").write_text("a")
    done = capture("sync", "--to", "tensorboard,trackio")
    assert done.returncode == 0, done.stdout
    assert "trackio: model: was removed before it was delivered" in (only_run() / runs.SUMMARY).read_text()


@pytest.mark.parametrize(
    ("format", "size"), [("PNG", (7, 5)), ("JPEG", (300, 2)), ("GIF", (4, 9)), ("BMP", None)]
)
def test_the_size_of_an_image(tmp_path, format, size):
    path = tmp_path / "image"
    Image.new("RGB", size or (1, 1)).save(path, format)
    if size is None:
        with pytest.raises(ValueError, match="PNG, JPEG or GIF"):
            tensorboard_events.image_size(path.read_bytes())
    else:
        assert tensorboard_events.image_size(path.read_bytes()) == size
