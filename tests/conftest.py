"""A folder of its own for each test, and nothing of the user's."""

import os

import pytest


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
