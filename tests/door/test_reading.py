"""`capture.parse` and `capture.open_run`: records without a run, and what a run's folder holds."""

import itertools
import subprocess
import sys

import pytest
from helpers import MYSOLVER, RECORDING, only_run
from programs import execute

import capture
from capture import runs


def test_a_log_is_parsed_from_a_path_from_bytes_and_from_lines_alike(tmp_path):
    found = [list(capture.parse(source)) for source in (RECORDING, str(RECORDING), RECORDING.read_bytes())]
    assert found[0] == found[1] == found[2] and len(found[0]) > 10
    text = "epoch 1: loss=0.5\nepoch 2: loss=0.25\n"
    for lines in (
        text.splitlines(),
        text.splitlines(keepends=True),
        [line.encode() for line in text.splitlines()],
    ):
        assert [(r.epoch, dict(r.metrics)) for r in capture.parse(lines)] == [
            (1, {"loss": 0.5}),
            (2, {"loss": 0.25}),
        ]
    assert list(tmp_path.glob("project/*")) == []  # nothing is written


def test_lines_that_never_end_are_parsed_as_they_come():
    endless = (f"epoch {i}: loss={1 / i}" for i in itertools.count(1))
    first = list(itertools.islice(capture.parse(endless), 3))
    assert [record.epoch for record in first] == [1, 2, 3]


def test_parsers_of_ones_own_come_first(tmp_path):
    (tmp_path / "mine.yaml").write_text(MYSOLVER)
    [record] = capture.parse(b"it 7: obj 0.5\n", parsers=[tmp_path / "mine.yaml"])
    assert (record.parser, record.step, dict(record.metrics)) == ("mine", 7, {"objective": 0.5})


def test_what_can_not_be_read_is_named():
    with pytest.raises(capture.UserError, match=r"missing\.log: No such file"):
        capture.parse("missing.log")
    with pytest.raises(capture.UserError, match="not a run's folder"):
        capture.open_run("missing")
    with pytest.raises(capture.UserError, match=r"missing\.yaml"):
        capture.parse(b"", parsers=["missing.yaml"])


def test_a_run_is_opened_with_all_that_it_holds():
    execute("""
        with capture.run(config={"lr": 0.1}) as run:
            print("step 1: loss=0.5")
            print("step 2: loss=nan")
            run.log({"own": 1}); run.config["batch"] = 8
            run.table("t", ["a"], [[1]]); run.alert("look")
    """)
    stored = capture.open_run(only_run())
    assert stored.run.state == "finished"
    assert stored.config == {"lr": 0.1, "batch": 8}
    rows = [row for row in stored.rows() if row.metrics]
    assert sorted((row.step, *sorted(row.metrics)) for row in rows) == [
        (0, "own", "step"),
        (1, "loss", "step"),
        (2, "loss", "step"),
    ]
    assert [line.text for line in stored.console()] == ["step 1: loss=0.5", "step 2: loss=nan"]
    assert stored.files[0]["path"] == str(only_run() / "tables" / "t.json")
    assert stored.alerts[0]["title"] == "look"
    assert sorted(str(dict(r.metrics)) for r in capture.parse(only_run())) == [
        "{'loss': 0.5}",
        "{'loss': nan}",
    ]


def test_rows_become_a_data_frame():
    pandas = pytest.importorskip("pandas")
    execute("""
        with capture.run() as run:
            for i in range(3): run.log({"loss": 1 / (i + 1)})
    """)
    frame = capture.open_run(only_run()).to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["loss"]) == [1, 1 / 2, 1 / 3] and list(frame["step"]) == [0, 1, 2]


def test_a_torn_last_line_is_ignored():
    execute("""
        with capture.run() as run: run.alert("one")
    """)
    with (only_run() / runs.ALERTS).open("a") as file:
        file.write('{"time": 1, "title": "tor')
    assert [alert["title"] for alert in capture.open_run(only_run()).alerts] == ["one"]


def test_opening_a_run_needs_no_pandas():
    code = "import sys, capture; capture.parse; capture.open_run; print('pandas' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"False\n"
