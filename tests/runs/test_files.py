"""Any JSON in the files of a run: what is broken is shown as broken, and all other runs as ever."""

import json
import shutil
from pathlib import Path

import pytest
from helpers import capture
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import runs
from capture.cli.runs import FACTS
from capture.page import results
from capture.runs import files
from capture.runs.status import all_runs, of

GOOD = runs.Run(
    "good", "p", "fine", ["x"], "/x", "h", 1e9, end=1e9 + 5, exit_status=0, state="finished", to=["jsonl"]
)
ODD = ["null", "[]", "{}", "3", '"text"', "[[]]", "{", "", "\xff\xfe", '{"id": 1}', "[" * 100_000, "NaN"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def make(name, **more):
    """A run that has ended and is delivered."""
    folder = Path("capture-runs/p", name)
    runs.create(folder, GOOD._replace(id=name, **more))
    (folder / runs.CONSOLE_LOG).write_bytes(b"")
    (folder / runs.RECORDS).write_text("{}\n")
    (folder / runs.STATUS).write_text('{"state": "done", "records": 1, "pid": 1, "last": {"loss": 0.5}}')
    (folder / runs.DELIVERED).mkdir()
    (folder / runs.DELIVERED / "jsonl.json").write_text('{"state": "closed", "rows": 1}')
    return folder


@pytest.mark.parametrize("text", ODD)
def test_one_odd_run_stands_as_broken_among_the_others(text):
    make("good")
    (make("odd") / runs.RUN_FILE).write_text(text, encoding="latin-1")
    shown = capture("runs")
    assert shown.returncode == 0
    listed = sorted(line.split()[:2] for line in shown.stdout.splitlines()[1:])
    assert listed == [["p/fine", "finished"], ["p/odd", "broken"]]
    assert shown.stderr.startswith("capture runs: capture-runs/p/odd/run.json: ")
    assert shown.stderr.count("\n") == 1


def test_sync_and_rm_say_which_run_is_broken_and_do_the_others():
    make("good")
    (make("odd") / runs.RUN_FILE).write_text("[]")
    synced = capture("sync")
    assert (synced.returncode, synced.stderr) == (1, "")
    assert synced.stdout == "p/odd: broken: run.json: should be an object, is a list\n"
    kept = capture("runs", "rm", "odd", "good")
    assert sorted(kept.stdout.splitlines()) == [
        "p/fine: removed, also from jsonl", "p/odd: broken (run.json: should be an object, is a list), kept (--force)"
    ]  # fmt: skip
    assert capture("runs", "rm", "odd", "--force").stdout == "p/odd: removed\n"
    assert not Path("capture-runs/p/odd").exists()


@pytest.mark.parametrize("text", ["null", "[[]]", "{}", "{", '{"last": [1], "state": {}, "rows": []}'])
def test_an_odd_status_or_note_of_a_delivery_counts_as_none_and_is_said(text):
    folder = make("odd")
    (folder / runs.STATUS).write_text(text, encoding="latin-1")
    (folder / runs.DELIVERED / "jsonl.json").write_text(text, encoding="latin-1")
    shown = capture("runs")
    assert shown.returncode == 0
    assert "jsonl missing" in shown.stdout
    if not text.startswith("{}"):
        assert "capture-runs/p/odd/status.json: " in shown.stderr
        assert text.startswith('{"') or "capture-runs/p/odd/jsonl.json: " in shown.stderr
    (folder / runs.RECORDS).unlink()
    done = capture("sync")
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout == "p/fine: read to its end; it holds no metrics\n"


@pytest.mark.parametrize("field", runs.Run._fields)
@pytest.mark.parametrize("value", [None, True, [], {}, "text", 1.5, [1], [{}]])
def test_a_field_of_another_shape_breaks_no_list(field, value):
    make("good")
    folder = make("odd")
    item = json.loads((folder / runs.RUN_FILE).read_text())
    (folder / runs.RUN_FILE).write_text(json.dumps({**item, field: value}))
    found = {one.folder.name: one.state for one in all_runs(Path("capture-runs"))}
    assert found["good"] == "finished"
    for one in all_runs(Path("capture-runs")):
        found = results.of(one)
        assert found.metrics == {}
        json.dumps({name: value(one, found) for name, value in FACTS.items()})


def test_what_is_wrong_is_named():
    folder = make("odd")
    item = json.loads((folder / runs.RUN_FILE).read_text())
    for change, says in [
        ({"start": "soon"}, "run.json: 'start' should be a number, is \"soon\""),
        ({"command": "x"}, "run.json: 'command' should be a list of texts, is \"x\""),
        ({"exit_status": 0.5}, "run.json: 'exit_status' should be a whole number, is 0.5"),
        ({"config": None}, "run.json: 'config' should be an object, is null"),
    ]:
        (folder / runs.RUN_FILE).write_text(json.dumps({**item, **change}))
        with pytest.raises(ValueError) as error:
            runs.read(folder)
        assert str(error.value) == says


@settings(max_examples=150)
@given(run=JSON, status=JSON, note=JSON)
def test_no_json_raises_anything_else(tmp_path_factory, run, status, note):
    folder = tmp_path_factory.mktemp("any") / "p" / "run"
    (folder / runs.DELIVERED).mkdir(parents=True)
    whole = GOOD._asdict() | (run if isinstance(run, dict) else {})
    for path, item in ((runs.STATUS, status), (f"{runs.DELIVERED}/x.json", note)):
        (folder / path).write_text(json.dumps(item))
    for item in (run, whole):
        (folder / runs.RUN_FILE).write_text(json.dumps(item))
        one = of(folder)
        assert one is not None
        assert isinstance(one.state, str)
        try:
            files.read_run(folder / runs.RUN_FILE)
        except ValueError:
            assert one.state == "broken"
    shutil.rmtree(folder)
