"""What a run has kept, on its page and in `capture show`."""

import base64
import json
import sys

import pytest
from helpers import capture, only_run

from capture import runs
from capture.page import kept_files, run_data
from capture.runs import status

PROGRAM = """
print("epoch 1: loss 0.5")
open("model.onnx", "w").write("model")
open("t.csv", "w").write("name,score\\n" + "".join(f"{i},{i / 2}\\n" for i in range(1200)))
open("p.csv", "w").write("truth,prediction\\na,a\\nb,a\\n")
open("d.svg", "w").write('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
"""
CONFIG = """
to: jsonl
artifacts: [{path: model.onnx, alias: {best: min loss}}]
tables: [t.csv]
images: [d.svg]
plots: [{type: confusion_matrix, path: p.csv, name: matrix}]
"""


@pytest.fixture
def run():
    with open("capture.yaml", "w") as file:
        file.write(CONFIG)
    assert capture("--", sys.executable, "-c", PROGRAM).returncode == 0
    return status.of(only_run())


def shown(run, **more):
    return {item["name"]: item for item in run_data.of(run, **more)["files"]}


def test_pictures_and_tables_are_on_the_page(run):
    files = shown(run)
    assert [*files] == ["model.onnx", "t", "d", "matrix"]
    kind, _, data = files["matrix"]["picture"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert b"predicted" in base64.b64decode(data)
    assert (files["t"]["columns"], len(files["t"]["rows"]), files["t"]["count"]) == (
        ["name", "score"],
        1000,
        1200,
    )
    assert (files["model.onnx"]["aliases"], files["model.onnx"]["versions"]) == (["best"], 1)
    assert "picture" not in files["model.onnx"]


def test_a_public_page_does_not_say_where_files_lie(run):
    assert shown(run)["model.onnx"]["path"].endswith("/model.onnx")
    public = json.dumps(run_data.of(run, public=True)["files"])
    assert str(run.run.cwd) not in public
    assert "matrix" in public


def test_what_is_gone_or_large_is_said_and_the_page_is_made(run, monkeypatch):
    monkeypatch.setattr(kept_files, "LARGEST_IMAGE", 10)
    (table,) = (run.folder / runs.TABLES).glob("*.json")
    table.write_text("{")
    files = shown(run)
    assert (files["d"]["large"], files["t"]["missing"]) == (True, True)
    assert capture("page", "-o", "page.html").returncode == 0


def test_show_lists_what_is_kept(run):
    lines = capture("show").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("kept "))
    assert lines[start + 1].split()[:6] == ["model.onnx", "model", "1", "5", "B", "best"]
    assert [line.split()[:2] for line in lines[start + 2 : start + 5]] == [
        ["t", "table"],
        ["d", "image"],
        ["matrix", "plot"],
    ]
    files = json.loads(capture("show", "--json").stdout)["files"]
    assert [file["kind"] for file in files] == ["file", "table", "image", "plot"]


def test_an_alias_says_which_version_has_it(run):
    path = run.folder / runs.FILES
    first = json.loads(path.read_text().splitlines()[0])
    with path.open("a") as file:
        file.write(json.dumps({**first, "aliases": []}) + "\n")
    assert shown(run)["model.onnx"]["aliases"] == ["best (v0)"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (2_345_678, "2.35 MB"),
        (5 * 10**15, "5e+03 TB"),
    ],
)
def test_sizes(size, text):
    assert kept_files.size_of(size) == text
