"""`capture doctor` says what is so, and marks what should be mended."""

import os
import socket
import subprocess
from pathlib import Path

from helpers import CAPTURE

from capture.settings import diagnosis


def doctor(**environ):
    done = subprocess.run(
        [*CAPTURE, "doctor"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **environ},
    )
    assert done.stderr == ""
    return done


def test_it_says_which_backend_and_why_and_who_set_what():
    Path("capture.yaml").write_text("project: mnist\nto: jsonl\n")
    done = doctor(CAPTURE_GROUP="nightly")
    here = Path("capture.yaml").absolute()
    assert f"project = mnist  ({here})" in done.stdout
    assert "group = nightly  (CAPTURE_GROUP)" in done.stdout
    assert f"a run goes to jsonl ({here})" in done.stdout
    assert "a run goes to trackio (CAPTURE_TO)" in doctor(CAPTURE_TO="trackio").stdout
    Path("capture.yaml").unlink()
    assert "a run goes to trackio (the default)" in doctor().stdout


def test_a_broken_configuration_is_marked_and_the_rest_is_said():
    Path("capture.yaml").write_text("projekt: x\n")
    done = doctor()
    assert done.returncode == 1
    assert "! capture.yaml:1: unknown key 'projekt'" in done.stdout
    assert "gpu" in done.stdout


def test_an_environment_that_is_shared_with_the_command_is_marked(tmp_path):
    own = str(Path(CAPTURE[0]).parent)
    assert "! " in next(line for line in doctor(PATH=own).stdout.splitlines() if "own environment" in line)
    other = tmp_path / "bin"
    other.mkdir()
    (other / "python").write_text("#!/bin/sh\necho /somewhere/else\n")
    (other / "python").chmod(0o755)
    assert (
        "has an environment of its own: /somewhere/else"
        in doctor(PATH=f"{other}:{os.environ['PATH']}").stdout
    )


def test_a_server_is_tried():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        key = {"WANDB_API_KEY": "a" * 40, "WANDB_BASE_URL": address, "CAPTURE_TO": "wandb"}
        done = doctor(**key)
        assert "wandb: online; 127.0.0.1:" in done.stdout
        assert "is reachable" in done.stdout
    done = doctor(**key)
    assert done.returncode == 1
    assert "is not reachable" in done.stdout


class TwoGpus:
    names, driver, notes = ("A100", "H200"), "550.54", ("GPU 1: no figure for power: refused",)
    closed = False

    def close(self):
        TwoGpus.closed = True


def test_gpus_are_named_and_what_they_refuse_is_marked(monkeypatch):
    monkeypatch.setattr(diagnosis, "Gpus", TwoGpus)
    found = [finding for finding in diagnosis.examine(".", os.environ) if finding.topic == "gpu"]
    assert [(finding.text, finding.wrong) for finding in found] == [
        ("0: A100, driver 550.54", False), ("1: H200, driver 550.54", False),
        ("GPU 1: no figure for power: refused", True),
    ]  # fmt: skip
    assert TwoGpus.closed


def test_every_mistake_is_marked_and_the_rest_is_said():
    Path("capture.yaml").write_text("projekt: x\nto: jsonl,wandbb\ngroup: kept\n")
    said = doctor().stdout
    assert "capture.yaml:1: unknown key 'projekt'" in said
    assert "! capture.yaml:2: to: there is no backend 'wandbb'; did you mean 'wandb'?" in said
    assert "group = kept" in said


def test_no_secret_is_shown():
    Path("capture.yaml").write_text("config: {hub_token: tomato-soup-4711, note: tomato-soup-4711}\n")
    assert "tomato" not in doctor(MY_TOKEN="tomato-soup-4711").stdout
