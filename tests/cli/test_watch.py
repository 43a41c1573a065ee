"""`capture parsers test --watch`: the samples are run again when a file has changed."""

import os
import signal
import subprocess
from pathlib import Path

from helpers import CAPTURE, MYSOLVER, capture


class Watching:
    """`capture parsers test --watch` in this folder, and what it prints."""

    def __init__(self, *files):
        self.process = subprocess.Popen(
            [*CAPTURE, "parsers", "test", *files, "--watch"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )  # fmt: skip

    def round(self):
        """The lines of the next run of the samples."""
        lines = []
        while not lines or not lines[-1].startswith("waiting"):
            line = self.process.stdout.readline()
            assert line, lines
            lines.append(line.strip())
        return [line for line in lines[:-1] if line]

    def until(self, wanted):
        """Wait for the first run that says this: one may fall into the moment in which a file is empty."""
        lines = self.round()
        while not any(wanted in line for line in lines):
            lines = self.round()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=100)
        return self.process.returncode


def save(path, text):
    """As editors do: another file takes its place."""
    Path("new").write_text(text)
    os.replace("new", path)


def test_a_file_is_tested_again_when_it_was_saved():
    Path("mine.yaml").write_text(MYSOLVER)
    watching = Watching("mine.yaml")
    assert watching.round() == ["mine (mine.yaml): 1 sample ok"]
    save("mine.yaml", MYSOLVER.replace("step: 1,", "step: 2,"))
    changed, failed, *_, difference = watching.round()
    assert changed.startswith("mine.yaml has changed, ")
    assert (failed, difference) == ("mine (mine.yaml): 1 of 1 sample failed", "step: expected 2, got 1")
    Path("mine.yaml").write_text("name: mine\npatterns: [{lin: x}]\n")  # half written
    watching.until("mine.yaml:2")
    Path("mine.yaml").unlink()
    Path("mine.yaml").write_text(MYSOLVER)
    watching.until("mine (mine.yaml): 1 sample ok")
    assert watching.end() == 0


def test_without_a_file_those_of_the_configuration_are_watched():
    Path("mine.yaml").write_text(MYSOLVER)
    watching = Watching()
    assert not any("(mine.yaml)" in line for line in watching.round())
    Path("capture.yaml").write_text("parsers: [mine.yaml]\n")
    assert watching.round()[1] == "mine (mine.yaml): 1 sample ok"
    save("mine.yaml", MYSOLVER.replace("step: 1,", "step: 2,"))
    assert watching.round()[1] == "mine (mine.yaml): 1 of 1 sample failed"
    assert watching.end() == 1


def test_a_file_that_is_not_there_is_said_at_once():
    done = capture("parsers", "test", "no.yaml", "--watch")
    assert done.returncode == 2
    assert done.stderr.startswith("capture parsers: no.yaml")
