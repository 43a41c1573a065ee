"""A run's folder that was copied or moved: what belongs to it is written beside its new place."""

import shutil
from pathlib import Path

import pytest
from helpers import capture, only_run

from capture import runs

OPTIONS = "tensorboard:\n  logdir: curves\njsonl:\n  path: out/metrics.jsonl\n"


@pytest.fixture
def made():
    """The folder of a project with a run that has been delivered nowhere yet."""
    Path("before").mkdir()
    Path("before/capture.yaml").write_text(OPTIONS)
    done = capture("--to", "jsonl", "--wait", "80", "--", "echo", "epoch 1: loss=0.5", cwd="before")
    assert done.returncode == 0
    assert Path("before/out/metrics.jsonl").exists()
    return Path("before")


def test_a_project_that_was_moved(made):
    made.rename("after")
    done = capture("sync", "--to", "jsonl,tensorboard", cwd="after")
    assert (done.returncode, done.stderr) == (0, "")
    assert not Path("before").exists()
    found = {path.name for path in Path("after").iterdir()}
    assert found >= {"out", "curves"}


def test_one_run_that_was_copied_elsewhere_keeps_to_itself(made):
    shutil.copytree(only_run("before/capture-runs"), "elsewhere/copy")
    shutil.rmtree(made)
    done = capture("sync", "elsewhere/copy", "--to", "jsonl,tensorboard")
    assert (done.returncode, done.stderr) == (0, "")
    assert not Path("before").exists()
    assert {"out", "curves"} <= {path.name for path in Path("elsewhere/copy").iterdir()}


def test_where_its_paths_lead():
    run = runs.Run("i", "p", "n", [], "/was", "h", 1.0, folder="/was/capture-runs/p/i")
    for folder, cwd in [
        ("/was/capture-runs/p/i", "/was"),
        ("/is/now/capture-runs/p/i", "/is/now"),
        ("/is/now/p/i", "/is/now/p/i"),
        ("/i", "/i"),
    ]:
        assert runs.at_home(run, folder).cwd == cwd
    beside = run._replace(folder="/scratch/p/i")  # --dir
    assert runs.at_home(beside, "/scratch/p/i").cwd == "/was"
    assert runs.at_home(beside, "/other/p/i").cwd == "/other/p/i"
