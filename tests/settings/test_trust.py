"""Whose configuration files are obeyed, and what those of a project can't do."""

import os
import subprocess
from pathlib import Path

import pytest
from helpers import CAPTURE, capture

from capture import settings
from capture.errors import UserError
from capture.settings import trust

STRANGER = 12345
ROOT_ONLY = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away"
)


@ROOT_ONLY
def test_a_file_of_somebody_else_in_a_folder_above_is_said_and_not_used(own_world):
    file = own_world.parent / "capture.yaml"
    file.write_text("project: theirs\nto: nonsense\n")
    os.chown(file, STRANGER, STRANGER)
    done = capture("--to", "", "--dir", "runs", "--", "echo", "hello")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert done.stderr == (
        f"capture: {file}: belongs to user {STRANGER}, not to you: not used (CAPTURE_TRUST={file.parent} would)\n"
    )
    assert not Path("runs/theirs").exists()
    problems = settings.Problems()
    layers = settings.layers_of(str(own_world), {"CAPTURE_TRUST": str(file.parent)}, problems)
    assert (layers[1][0], layers[1][1]["project"], problems.notes) == (str(file), "theirs", [])


@ROOT_ONLY
def test_a_link_of_somebody_else_is_not_followed(own_world):
    (own_world / "mine.yaml").write_text("project: mine\n")
    link = own_world / "capture.yaml"
    link.symlink_to("mine.yaml")
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    assert "belongs to user 12345" in trust.distrust(str(link), {})


def test_a_file_that_everybody_may_write_is_said_and_not_used(own_world):
    file = own_world / "pyproject.toml"
    file.write_text('[tool.capture]\nproject = "theirs"\n')
    file.chmod(0o666)
    problems = settings.Problems()
    layers = settings.layers_of(str(own_world), {}, problems)
    assert [where for where, _ in layers] == ["default", "variable"]
    assert problems.notes == [f"{file}: everybody may write it: not used (chmod o-w {file})"]
    assert f"! {problems.notes[0]}" in capture("doctor").stdout
    file.chmod(0o664)  # as with a umask of 002
    assert trust.distrust(str(file), {}) is None


@pytest.mark.parametrize(
    ("value", "obeyed"),
    [("*", True), ("{}", True), ("{}/", True), ("{}/sub", False), ("{}x", False), ("", False)],
)
def test_folders_that_are_trusted_whoever_owns_them(value, obeyed, own_world):
    file = own_world / "capture.yaml"
    file.write_text("project: x\n")
    file.chmod(0o666)
    assert (trust.distrust(str(file), {"CAPTURE_TRUST": value.format(own_world)}) is None) == obeyed


def test_the_own_file_may_name_a_path_to_import_from_and_that_of_a_project_may_not(own_world):
    (own_world / "client.py").write_text("def init(): pass\nlog = finish = init\n")
    text = f"to: 'module:{own_world}/client'\n"
    Path("capture.yaml").write_text(text)
    with pytest.raises(
        UserError, match="a project's file can't name a path to import from; --to, CAPTURE_TO or"
    ):
        settings.load(str(own_world), {"XDG_CONFIG_HOME": str(own_world / "own")}, {})
    Path("capture.yaml").unlink()
    (own_world / "own" / "capture").mkdir(parents=True)
    (own_world / "own" / "capture" / "capture.yaml").write_text(text)
    chosen = settings.load(str(own_world), {"XDG_CONFIG_HOME": str(own_world / "own")}, {})
    assert chosen["to"] == [f"module:{own_world}/client"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)),
            "capture.yaml:6: its aliases stand for more than 100,000 values",
        ),
        ("project: x\nconfig: &a\n  b: *a\n", "capture.yaml:2: this anchor contains itself"),
    ],
    ids=["bomb", "circle"],
)
def test_aliases_that_grow_without_end_are_an_error_with_a_line(text, message):
    Path("capture.yaml").write_text(text)
    done = subprocess.run([*CAPTURE, "--", "true"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr.endswith(f"{message}\n")
    assert len(done.stderr.splitlines()) == 1
