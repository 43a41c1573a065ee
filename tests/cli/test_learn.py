"""`capture learn`: from a run that nothing reads to one with its values."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import capture

from capture.cli.learn import ALL
from capture.page import run_data
from capture.runs import status

LINES = "starting up\n" + "".join(f"sweep {i * 10} | phi {i}.5 | gap 1.{i}% (3s)\n" for i in range(1, 7))
READ_TRACKIO = """
import json
from trackio.sqlite_storage import SQLiteStorage as store
(project,) = store.get_projects()
(run,) = store.get_run_records(project)
print(json.dumps([[row["step"], row["phi"]] for row in store.get_logs(project, run_id=run["id"]) if "phi" in row]))
"""


@pytest.fixture
def unread():
    """A run of a program that nobody knows; what its closing block says."""
    Path("lines").write_text(LINES)
    return capture("--to", "jsonl", "--summary", "always", "--", "cat", "lines").stderr


def metrics():
    """The (step, metrics) of the last run."""
    found = [json.loads(line) for line in capture("parse", "last").stdout.splitlines()]
    return [(record["step"], record["metrics"]) for record in found]


def test_from_the_closing_block_to_the_values(unread):
    (advice,) = [line for line in unread.splitlines() if "capture learn" in line]
    words = advice[advice.index("capture learn") :].split()[1:]
    done = capture(*words, "--yes")
    assert done.returncode == 0, done.stderr
    assert "step is the first number" in done.stdout
    assert "gap" in done.stderr  # the closing block of the new run
    assert "12 values from 6 of 7 lines" in done.stderr
    (folder, _) = [path.parent for path in Path("capture-runs").rglob("metrics.jsonl")] * 2
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["phi"] for row in rows if "phi" in row] == [i + 0.5 for i in range(1, 7)]
    assert [row["step"] for row in rows if "phi" in row] == [i * 10 for i in range(1, 7)]
    run = json.loads((folder / "run.json").read_text())
    assert run["tags"] == ["learnt"]
    # and the next run of the program is read at once
    assert "12 values" in capture("--to", "jsonl", "--summary", "always", "--", "cat", "lines").stderr


def test_from_the_closing_block_to_the_right_chart():
    """As a new user does it, with the default backend: each point stands at its step, in trackio and on the page."""
    Path("lines").write_text(LINES)
    shown = capture("--summary", "always", "--wait", "60", "--", "cat", "lines").stderr
    advice = next(line for line in shown.splitlines() if "capture learn" in line)
    done = capture(*advice[advice.index("capture learn") :].split()[1:], "--yes", timeout=150)
    assert done.returncode == 0, done.stderr
    environ = {**os.environ, "TRACKIO_DIR": os.path.abspath("capture-runs/trackio")}
    read = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ_TRACKIO], capture_output=True, env=environ, check=True
    )
    wanted = [[i * 10, i + 0.5] for i in range(1, 7)]
    assert json.loads(read.stdout.splitlines()[-1]) == wanted
    (folder,) = [
        path.parent for path in Path("capture-runs").rglob("run.json") if "learnt" in path.read_text()
    ]
    page = run_data.of(status.of(folder))
    chart = page["metrics"]["phi"]
    assert [
        [page["rows"]["step"][n], value] for n, value in zip(chart["rows"], chart["values"], strict=True)
    ] == wanted
    assert (chart["axis"], page["metrics"]["step"]["is_axis"]) == ("step", True)
    lines = [page["console"][page["rows"]["line"][n]] for n in chart["rows"]]
    assert lines == LINES.splitlines()[1:]


def test_what_was_learnt_is_the_last_run_and_the_one_that_the_name_means(unread):
    (old,) = [path.parent.name for path in Path("capture-runs").rglob("run.json")]
    assert capture("learn", "last", "--yes").returncode == 0
    for name in ("last", "cat-1", "project/cat-1"):
        shown = json.loads(capture("show", name, "--json").stdout)
        assert (shown["parent"], shown["metrics"]["phi"]["last"]) == (old, 6.5), name
    assert [run["id"] for run in json.loads(capture("runs", "--json").stdout)] == [old, shown["id"]]
    # Learnt once more, there is nothing to do.
    done = capture("learn", "last", "--yes")
    by = "no unread lines look like results: 'project' (capture-parsers/project.yaml) reads 6 lines"
    assert (done.returncode, done.stderr) == (1, f"capture learn: {by}; {ALL}\n")
    done = capture("learn", old, "--yes")
    assert done.stderr == f"capture learn: {by}; to make a run of it: capture replay {old}\n"
    # And again is the last run whatever comes after the old one.
    capture("--to", "jsonl", "--name", "other", "--", "echo", "epoch 1: loss=0.5")
    assert json.loads(capture("show", "--json").stdout)["name"] == "other"
    assert capture("replay", "--to", "jsonl", old).returncode == 0
    latest = json.loads(capture("show", "--json").stdout)
    assert latest["parent"] == old
    assert latest["id"] != shown["id"]
    assert json.loads(capture("show", "cat-1", "--json").stdout)["id"] == latest["id"]
    assert capture("runs", "rm", latest["id"]).returncode == 0
    assert json.loads(capture("show", "--json").stdout)["name"] == "other"


def test_the_parser_is_a_file_that_passes_its_test_and_knows_its_schema(unread):
    Path("capture.yaml").write_text("# by hand\nproject: demo  # mine\n")
    assert capture("learn", "last", "--yes", "--name", "solver").returncode == 0
    assert Path("capture.yaml").read_text() == (
        "# by hand\nproject: demo  # mine\nparsers:\n  - capture-parsers/solver.yaml\n"
    )
    text = Path("capture-parsers/solver.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=.schema.json\n")
    assert "properties" in json.loads(Path("capture-parsers/.schema.json").read_text())
    assert capture("parsers", "test", "capture-parsers/solver.yaml").returncode == 0


def test_what_is_there_is_never_overwritten(unread):
    Path("capture-parsers").mkdir()
    Path("capture-parsers/solver.yaml").write_text("mine")
    done = capture("learn", "last", "--yes", "--name", "solver")
    assert done.returncode == 2
    assert done.stderr == "capture learn: --name solver: capture-parsers/solver.yaml is there already\n"
    assert Path("capture-parsers/solver.yaml").read_text() == "mine"


def test_without_a_terminal_nothing_is_written_unasked(unread):
    done = capture("learn", "last", input="")
    assert (done.returncode, done.stderr) == (1, "capture learn: nothing is written without --yes\n")
    assert not Path("capture-parsers").exists()
    assert not Path("capture.yaml").exists()


def test_print_only_prints_also_from_a_pipe():
    done = capture("learn", "-", "--print", "--name", "x", input=LINES)
    assert done.stdout.startswith("# yaml-language-server")
    assert "name: x\n" in done.stdout
    assert not Path("capture-parsers").exists()


def test_where_nothing_looks_like_a_result_it_says_so():
    Path("train.log").write_text("".join(f"epoch {i}: loss=0.{i}\n" for i in range(5)))
    done = capture("learn", "train.log", "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("capture learn: no unread lines look like results")


def test_a_log_is_learnt_from_as_well():
    Path("my.log").write_text(LINES)
    done = capture("learn", "my.log", "--yes")
    assert done.stdout.splitlines()[-1] == "to make a run of it: capture replay my.log"
    assert len(capture("parse", "--parser", "capture-parsers/my.yaml", "my.log").stdout.splitlines()) == 6
