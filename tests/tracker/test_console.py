"""The parsers are loaded when there is something to read: no sooner, and in time."""

import subprocess
import sys

import pytest
from helpers import CAPTURE, capture, eventually, only_run, run_in_progress

from capture import runs
from capture.language import run_parsers
from capture.runs.recording import RESUME, Chunk
from capture.tracker.console import Console

SLOW = ("pydantic", "pydantic_core", "yaml", "regex", "importlib.metadata", "capture.language.model")


def loaded_parsers(folder):
    return len([*(folder / runs.PARSERS / run_parsers.BUILT_IN).glob("*.yaml")])


def test_a_tracker_starts_without_what_reads():
    code = f"import sys, capture.tracker.tracker; print(*[name for name in {SLOW} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.split() == []


def test_a_run_without_a_word_is_whole_and_loads_none():
    done = capture("--to", "jsonl", "--name", "x", "--summary", "always", "--wait", "80", "--", "true")
    folder = only_run()
    assert "nothing was printed; the run is kept in" in done.stderr
    assert runs.read(folder).state == "finished" and runs.read(folder).exit_status == 0
    assert (folder / runs.SUMMARY).read_text() == done.stderr
    assert runs.read_object(folder / runs.STATUS)["state"] == "done"
    assert loaded_parsers(folder) == 0


def test_one_line_is_read_and_the_parsers_that_read_it_are_kept():
    capture("--to", "jsonl", "--wait", "80", "--", "echo", "epoch 1: loss=0.5")
    folder = only_run()
    assert '"metrics":{"loss":0.5}' in (folder / runs.RECORDS).read_text()
    assert loaded_parsers(folder) > 50


def test_while_a_command_is_silent_the_parsers_are_made_ready():
    process = subprocess.Popen([*CAPTURE, "--to", "jsonl", "--", "cat"], stdin=subprocess.PIPE)
    folder = run_in_progress()
    eventually(lambda: loaded_parsers(folder) > 50)
    process.communicate()
    assert process.returncode == 0


def test_a_run_that_is_resumed_loads_them_then():
    capture("--to", "jsonl", "--id", "x", "--wait", "80", "--", "true")
    assert loaded_parsers(only_run()) == 0
    capture(
        "--to", "jsonl", "--id", "x", "--resume", "must", "--wait", "80", "--", "echo", "epoch 1: loss=0.5"
    )
    assert '"metrics":{"loss":0.5}' in (only_run() / runs.RECORDS).read_text()


@pytest.mark.parametrize("feed", [False, True])
def test_before_a_line_there_is_nothing_to_say(feed, tmp_path):
    console = Console(tmp_path, runs.read(_run_folder()))
    if feed:
        assert console.read(Chunk(0.0, "stdout", b"", 0), None) == []
    assert (
        console.read(Chunk(1.0, RESUME, b"", 0), 1.0),
        console.finish(1.0),
        console.lines,
        console.understood,
    ) == ([], [], 0, 0)
    assert console.events == []
    assert console.notes("p/1") == ["nothing was printed; the run is kept in p/1"]


def _run_folder():
    capture("--to", "jsonl", "--name", "x", "--wait", "80", "--", "true")
    return only_run()
