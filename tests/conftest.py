"""What the tests share: a folder of their own, and nothing of the user's."""

import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from capture import runs

FIXTURES = Path(__file__).parent.parent / "fixtures"
CAPTURE = [sys.executable, "-m", "capture"]


@pytest.fixture(autouse=True)
def own_world(tmp_path, monkeypatch):
    """A working folder and a home of the test's own; no account, no settings of the user's."""
    for name in list(os.environ):
        if name.startswith(("CAPTURE_", "WANDB_", "TRACKIO_", "MLFLOW_", "HF_", "PYTHONUNBUFFERED")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name, folder in (("HOME", ""), ("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


def eventually(condition, limit=40.0):
    """Wait until `condition()` gives something true, and give that."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit} s: {condition}"
        time.sleep(0.01)
    return found


def run_in_progress(base="capture-runs"):
    """The folder of the run that is being started."""
    return eventually(lambda: next(Path(base).glob("*/*/run.json"), None)).parent.absolute()


def only_run(base="capture-runs"):
    """The folder of the one run there is."""
    folders = [path.parent for path in Path(base).glob("*/*/run.json")]
    assert len(folders) == 1, folders
    return folders[0].absolute()


def where_it_stands(pid):
    """What a process does: "sleeping", "stopped", ...; "gone" if there is none."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return "gone"


def tracker_of(folder):
    """The process id of a run's tracker, as its status says, once it tracks."""
    try:
        return json.loads((folder / runs.STATUS).read_text())["pid"]
    except (OSError, ValueError):
        return None
