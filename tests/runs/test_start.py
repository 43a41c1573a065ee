"""A run that begins: what is in its folder before the command starts."""

import json
from pathlib import Path

from capture import runs
from capture.runs import ParserSource, start

CHOSEN = {"to": [], "config": {}, "dir": "capture-runs"}


def begin(*parsers):
    chosen = {**CHOSEN, "parsers": list(parsers), "ignored": ["from before"]}
    run, folder = start.open_run(start.new_run(["x"], "x", chosen), chosen)
    assert run == runs.read(folder)
    return run, Path(folder)


def test_parsers_are_copied_in_their_order_under_plain_names():
    Path("ünï code.yml").write_bytes(b"name: a # \xff\r\n")
    run, folder = begin(
        ParserSource("ünï code.yml"),
        ParserSource("a/pyproject.toml: [tool.capture]", "b"),
        ParserSource("é", "c"),
    )
    found = {path.name: path.read_bytes() for path in (folder / runs.PARSERS).iterdir()}
    assert found == {
        "000--n-code.yaml": b"name: a # \xff\r\n",
        "001-pyproject.toml-tool.capture-.yaml": b"b",
        "002--.yaml": b"c",
    }
    assert run.settings == {"ignored": ["from before"]}


def test_a_parser_that_has_vanished_is_said_and_the_run_begins():
    Path("there.yaml").write_text("here")
    run, folder = begin(ParserSource("gone.yaml"), ParserSource("."), ParserSource("there.yaml"))
    assert run.settings["ignored"] == [
        "from before", "gone.yaml: No such file or directory", ".: Is a directory"
    ]  # fmt: skip
    assert [path.name for path in (folder / runs.PARSERS).iterdir()] == ["002-there.yaml"]
    assert json.loads((folder / runs.RUN_FILE).read_text())["settings"] == run.settings


def test_a_run_without_parsers_of_the_users_has_no_folder_for_them_yet():
    assert not (begin()[1] / runs.PARSERS).exists()
