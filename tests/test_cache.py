"""What is remembered in the user's cache folder is used only where nothing speaks against it."""

import json
import os
import stat
from pathlib import Path

import pytest

from capture import cache, plugins


@pytest.fixture
def entry():
    """The file of an entry about the file `watched`."""
    for known in Path("../home/cache/capture").iterdir():
        known.unlink()
    Path("watched").write_text("1")
    cache.remember("x", "kind", {"a": [1, None, "ü"]}, ["watched"])
    assert cache.recall("x", "kind") == {"a": [1, None, "ü"]}
    (file,) = Path("../home/cache/capture").iterdir()
    return file


def test_an_entry_lasts_until_a_file_changes(entry):
    assert cache.recall("x", "other") is None
    Path("watched").write_text("12")
    assert cache.recall("x", "kind") is None


def test_another_version_of_capture_begins_anew(entry, monkeypatch):
    monkeypatch.setattr(cache, "__version__", "0.0.0")
    assert cache.recall("x", "kind") is None


@pytest.mark.parametrize("damage", [
    lambda text: text[: len(text) // 2], lambda text: "", lambda text: "null", lambda text: "[" * 100_000,
    lambda text: text.replace("[1,", "[2,"), lambda text: text.replace('"sum"', '"some"'),
    lambda text: text.replace("kind", "king"),
])  # fmt: skip
def test_a_damaged_entry_counts_as_none(entry, damage):
    text = entry.read_text()
    assert damage(text) != text
    entry.write_text(damage(text))
    assert cache.recall("x", "kind") is None
    cache.remember("x", "kind", 2, ["watched"])
    assert cache.recall("x", "kind") == 2


def test_nobody_else_can_read_or_write_it(entry):
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("place", ["entry", "folder"])
def test_what_others_could_have_written_is_not_believed(entry, place):
    changed = entry if place == "entry" else entry.parent
    changed.chmod(0o777)
    assert cache.recall("x", "kind") is None
    cache.remember("x", "kind", 2, ["watched"])
    assert cache.recall("x", "kind") == 2
    assert not changed.stat().st_mode & 0o077


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("place", ["entry", "folder"])
def test_what_another_user_has_written_is_not_believed(entry, place):
    os.chown(entry if place == "entry" else entry.parent, 12345, -1)
    assert cache.recall("x", "kind") is None


def test_a_link_that_somebody_has_put_there_is_not_written_through(entry):
    Path("precious").write_text("mine")
    entry.with_name(f"{entry.name}.{os.getpid()}").symlink_to(Path("precious").resolve())
    cache.remember("x", "kind", 2, ["watched"])
    assert Path("precious").read_text() == "mine"


def test_what_packages_bring_is_looked_up_once_until_one_is_installed(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugins.installed.cache_clear()
    before = plugins.installed(plugins.ADAPTERS)
    look = plugins._look
    monkeypatch.setattr(plugins, "_look", lambda group: pytest.fail("looked up again"))
    plugins.installed.cache_clear()
    assert plugins.installed(plugins.ADAPTERS) == before
    monkeypatch.setattr(plugins, "_look", look)
    info = tmp_path / "site" / "third-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[capture.adapters]\nthird = json.decoder:JSONDecoder.decode\n")
    plugins.installed.cache_clear()
    (added,) = set(plugins.installed(plugins.ADAPTERS)) - set(before)
    assert added == ("third", "json.decoder:JSONDecoder.decode", "third")
    assert added.load() is json.JSONDecoder.decode
    plugins.installed.cache_clear()
