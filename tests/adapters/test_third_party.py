"""The package that the documents show, installed beside `capture` and run as somebody else would."""

import csv
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec

import pytest
from helpers import ROOT, blocks, only_run

PAGE = ROOT / "docs" / "backends.md"


@pytest.mark.skipif(find_spec("pip") is None, reason="pip is not in this environment")
def test_the_package_in_the_documents_works(tmp_path):
    package, place = tmp_path / "capture-csv", tmp_path / "environment"
    package.mkdir()
    for name, language in [("pyproject.toml", "toml"), ("capture_csv.py", "python")]:
        (text,) = blocks(PAGE, language)
        (package / name).write_text(text, encoding="utf-8")
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    (site,) = place.glob("lib/python*/site-packages")
    here = sysconfig.get_path("purelib")
    (site / "capture_and_its_needs.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    install = ["install", "-q", "--no-deps", "--no-index", "--no-build-isolation", package]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, *install], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-c", "print('epoch 1: loss=0.5\\nepoch 2: loss=nan')"]
    subprocess.run(
        [python, "-m", "capture", "--to", "csv", "--name", "n", "--", *command],
        check=True,
        capture_output=True,
    )
    folder = only_run()
    assert f"csv: {folder}/metrics.csv" in (folder / "summary.txt").read_text()
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["name"] == "loss"]
    assert [(row["run"], row["value"]) for row in rows] == [("n", "0.5"), ("n", "nan")]
