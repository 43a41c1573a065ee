"""An installation without dependencies: its `capture` is that of another environment, or says what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import capture

SOURCE = str(Path(capture.__file__).parent.parent)


@pytest.fixture
def bare(tmp_path):
    """Runs the command of an installation without dependencies; PATH begins with the folder `others`."""
    script = tmp_path / "own" / "capture"
    script.parent.mkdir()
    script.write_text(
        f"import sys\nsys.path.insert(0, {SOURCE!r})\nfrom capture.cli import main\nsys.exit(main())\n"
    )
    (tmp_path / "others").mkdir()

    def run(*words):
        path = os.pathsep.join([str(script.parent), str(tmp_path / "others"), "/usr/bin", "/bin"])
        command = [sys.executable, "-S", "-E", str(script), *words]
        environ = {**os.environ, "PATH": path}
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=100, check=False)

    return run


def executable(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_it_hands_on_to_the_capture_of_another_environment(bare, tmp_path):
    executable(tmp_path / "others" / "capture", 'echo "other: $*"; exit 7')
    done = bare("runs", "--csv")
    assert (done.returncode, done.stdout, done.stderr) == (7, "other: runs --csv\n", "")


def test_without_another_one_the_command_runs_and_the_reason_is_said(bare):
    done = bare("--", "sh", "-c", "echo step 1 loss 2; exit 5")
    assert (done.returncode, done.stdout) == (5, "step 1 loss 2\n")
    assert done.stderr.startswith("capture: not recorded: this installation has no dependencies")
    done = bare("runs")
    assert done.returncode == 2
    assert (
        done.stderr.startswith("capture: this installation has no dependencies")
        and "\n" not in done.stderr[:-1]
    )


def test_two_without_dependencies_do_not_hand_on_for_ever(bare, tmp_path):
    own = tmp_path / "own" / "capture"
    executable(tmp_path / "others" / "capture", f'exec {sys.executable} -S -E {own} "$@"')
    done = bare("runs")
    assert done.returncode == 2 and done.stderr.startswith("capture: this installation has no dependencies")
