"""Resuming a run: what is kept of the old one, and what a user is told who asks for the impossible."""

import os
import time

import pytest

from capture import runs
from capture.errors import UserError
from capture.runs.recording import Recorder
from capture.runs.resume import check_id, resume


def a_run(**more):
    fields = {"id": "night", "project": "p", "name": "n", "command": [], "cwd": "/x", "host": "h"}
    return runs.Run(**{**fields, "start": time.time(), **more})


@pytest.fixture
def ended(tmp_path):
    """The folder of a run that has ended, and its recording."""
    folder = str(tmp_path / "night")
    old = a_run(start=1e9, name="first", tags=["a"], config={"lr": 0.1, "seed": 1}, state="finished")
    runs.create(folder, old)
    Recorder(folder).close()
    return folder


def test_identity_and_start_are_kept_and_what_is_new_is_added(ended):
    resumed = resume(a_run(name="second", tags=["b"], config={"lr": 0.2}), ended, "allow")
    assert resumed is not None
    assert (resumed.name, resumed.start, resumed.resumed, resumed.state) == ("first", 1e9, 1, "running")
    assert (resumed.tags, resumed.config) == (["a", "b"], {"lr": 0.2, "seed": 1})
    assert runs.read(ended) == resumed


def test_there_need_not_be_a_run_unless_there_must(tmp_path):
    assert resume(a_run(), str(tmp_path / "none"), "allow") is None
    assert resume(a_run(), str(tmp_path / "none"), "never") is None
    with pytest.raises(UserError, match="there is no run night in"):
        resume(a_run(), str(tmp_path / "none"), "must")


def test_a_run_that_must_not_be_there(ended):
    with pytest.raises(UserError, match="--resume allow"):
        resume(a_run(), ended, "never")


@pytest.mark.parametrize("name", ["", "../up", "a b", "x" * 101])
def test_an_id_that_is_no_name_of_a_folder(name):
    with pytest.raises(UserError, match="should be letters"):
        check_id(name)


@pytest.mark.parametrize(("text", "says"), [
    ("{", "damaged: "), ("[]", "should be an object, is a list"), ("{}", "has no 'id'"), ("\xff", "damaged: "),
])  # fmt: skip
def test_a_damaged_run_is_named(ended, text, says):
    with open(os.path.join(ended, runs.RUN_FILE), "w", encoding="latin-1") as file:
        file.write(text)
    with pytest.raises(UserError, match=f"night: this run can't be resumed: run.json: {says}"):
        resume(a_run(), ended, "allow")


def test_a_run_that_died_before_its_first_byte(ended):
    os.unlink(os.path.join(ended, runs.CONSOLE_INDEX))
    assert resume(a_run(), ended, "allow") is not None
    assert os.path.getsize(os.path.join(ended, runs.CONSOLE_INDEX)) == 0
