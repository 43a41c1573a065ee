"""A folder of its own for each test, and nothing of the user's."""

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in each run, however slow the machine is; `--hypothesis-profile=random` looks for others.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("random", **PATIENT)
settings.register_profile("same", derandomize=True, **PATIENT)
settings.load_profile("same")


# A script that has `&` behind the tests, or nohup before them: all that they start would ignore these, too.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of thousands of starts would compile our modules anew


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which need not be there
def pytest_xdist_make_scheduler(config, log):
    """One worker runs all tests of a file that prepares something for all of them; others go to whoever is free."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    @cache
    def shares(file):
        return 'scope="module"' in (Path(config.rootpath) / file).read_text(encoding="utf-8")

    class ByWhatIsShared(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return file if shares(file) else nodeid

    return ByWhatIsShared(config, log)


def pytest_collection_modifyitems(items):
    """The slow ones first: others are done beside them, and nobody waits for one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def known_parsers(tmp_path_factory):
    """The user's cache after `capture` has been used once: each test begins with it, as most runs do."""
    cache = tmp_path_factory.mktemp("cache")
    subprocess.run(
        [sys.executable, "-m", "capture", "parse", "-"],
        input=b"epoch 1: loss=0.5\n", env={**os.environ, "XDG_CACHE_HOME": str(cache)}, cwd=cache,
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return cache / "capture"


@pytest.fixture(autouse=True)
def own_world(tmp_path, monkeypatch, known_parsers):
    """A working folder and a home of the test's own; no account, no settings of the user's."""
    for name in list(os.environ):
        if name.startswith(("CAPTURE_", "WANDB_", "TRACKIO_", "MLFLOW_", "HF_", "PYTHONUNBUFFERED")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name, folder in (("HOME", ""), ("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(home / folder))
    (home / "cache" / "capture").mkdir(mode=0o700, parents=True)
    for file in known_parsers.iterdir():
        (home / "cache" / "capture" / file.name).symlink_to(file)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project
