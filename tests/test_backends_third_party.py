"""The package that the documents show, installed and run as somebody else would."""

import csv
import os
import subprocess
import sys

from backends import capture
from test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "backends.md"


def test_the_package_in_the_documents_works(tmp_path, monkeypatch):
    package, site = tmp_path / "capture-csv", tmp_path / "site"
    package.mkdir()
    for name, language in [("pyproject.toml", "toml"), ("capture_csv.py", "python")]:
        (text,) = blocks(PAGE, language)
        (package / name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--target", site, package], check=True, capture_output=True)
    monkeypatch.setenv("PYTHONPATH", str(site))
    folder = capture(
        "--to", "csv", "--name", "n", printing="epoch 1: loss=0.5\nepoch 2: loss=nan\n", status=1
    )
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["name"] == "loss"]
    assert [(row["run"], row["value"]) for row in rows] == [("n", "0.5"), ("n", "nan")]
    assert f"csv: {folder}{os.sep}metrics.csv" in (folder / "summary.txt").read_text()
