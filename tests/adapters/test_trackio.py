"""trackio: its store, its server and its dashboard, read back through its own functions."""

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from backends import MIXED, START, a_run, deliver, mixed_rows, row
from helpers import CAPTURE, eventually, run_in_progress, tracker_of

from capture import runs
from capture.adapters.trackio import TrackioAdapter
from capture.delivery.naming import Namer
from capture.errors import UserError
from capture.records import ConsoleLine, Record, Row, SystemSample

pytestmark = pytest.mark.filterwarnings("ignore")  # trackio's and its friends'

READ = """
import json, sys
from trackio.fragments import import_inbox_dir
from trackio.sqlite_storage import SQLiteStorage as store

import_inbox_dir()
project = sys.argv[1]
found = [
    [run["id"], run["name"], store.get_logs(project, run_id=run["id"]), store.get_run_config(project, run_id=run["id"])]
    for run in store.get_run_records(project)
]
json.dump(found, sys.stdout)
"""


def read(place, project):
    """Each run's id -> (name, rows, config); without the console, the table."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, project],
        capture_output=True,
        check=True,
        env={**os.environ, "TRACKIO_DIR": str(place), "TRACKIO_STORAGE_MODE": "sqlite"},
    )
    return {key: (name, rows, config) for key, name, rows, config in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """trackio reads once where its store is: all tests of this process share one, with projects of their own."""
    place = tmp_path_factory.mktemp("trackio")
    os.environ["TRACKIO_DIR"] = str(place)
    import trackio

    assert str(trackio.utils.TRACKIO_DIR) == str(place)
    return place


@pytest.fixture
def stored(store):
    """What the store holds of a project."""
    from trackio.sqlite_storage import SQLiteStorage

    def rows(run):
        return SQLiteStorage.get_logs(run.project, run_id=run.id)

    def config(run):
        return SQLiteStorage.get_run_config(run.project, run_id=run.id)

    rows.config = config
    return rows


def test_rows_have_the_steps_and_times_of_the_recording(stored, tmp_path):
    run, folder = a_run(tmp_path, project="steps")
    rows = [row(i, step, loss=i / 2) for i, step in enumerate([5, 5, 3, 9])] + [row(4, acc=1)]
    deliver(TrackioAdapter(), run, folder, rows)
    found = stored(run)
    assert [(r["step"], r.get("loss"), r.get("acc")) for r in found] == [
        (5, 0.0, None),
        (5, 0.5, None),
        (3, 1.0, None),
        (9, 1.5, None),
        (4, None, 1),
    ]
    times = [datetime.fromisoformat(str(r["timestamp"])).timestamp() for r in found]
    assert times == [START + i for i in range(5)]


def test_each_metric_of_a_mixed_program_has_a_curve_over_its_own_axis(stored, tmp_path):
    run, folder = a_run(tmp_path, project="mixed")
    deliver(TrackioAdapter(), run, folder, mixed_rows())
    found = stored(run)
    assert {name: [(r["step"], r[name]) for r in found if name in r] for name in MIXED} == MIXED
    assert {name for r in found for name in r} == {
        *MIXED,
        "step",
        "timestamp",
    }  # no chart of what only counts


def test_epochs_between_whole_numbers_are_drawn_where_they_are(stored, tmp_path):
    run, folder = a_run(tmp_path, project="fractions")
    namer = Namer({}, {})
    records = [Record(START, "x", None, n / 4, {"loss": float(n)}) for n in range(1, 9)]
    deliver(TrackioAdapter(), run, folder, [namer.row(n, record) for n, record in enumerate(records)])
    assert [r["step"] for r in stored(run)] == [n / 4 for n in range(1, 9)]


def test_a_row_whose_metrics_have_different_axes_is_split_and_stands_once(stored, tmp_path):
    run, folder = a_run(tmp_path, project="split")
    namer = Namer({}, {})
    records = [
        Record(START, "x", 100, 1, {"loss": 1.0}),
        Record(START, "x", None, 1, {"loss": 2.0, "val_loss": 3.0}),
    ]
    rows = [namer.row(n, record) for n, record in enumerate(records)]
    for _ in range(2):
        deliver(TrackioAdapter(), run, folder, rows)
    found = stored(run)
    assert [(r["step"], r.get("loss"), r.get("val_loss")) for r in found] == [
        (100, 1.0, None),
        (100, 2.0, None),
        (1, None, 3.0),
    ]


@pytest.mark.parametrize(("status", "state"), [(0, "finished"), (3, "failed"), (130, "interrupted")])
def test_the_config_says_how_the_run_ended(stored, tmp_path, status, state):
    run, folder = a_run(tmp_path, project=f"ended{status}", tags=["a", "b"], notes="why")
    runs.write(folder, run._replace(state="finished", exit_status=status, end=START + 90, paused=30.0))
    deliver(TrackioAdapter(), run, folder, [row(0, 1, loss=1.0)], exit_status=status)
    assert stored.config(run)["run"] == {
        "state": state,
        "exit_status": status,
        "duration_s": 60.0,
        "tags": "a, b",
        "notes": "why",
    }
    assert len(stored(run)) == 1


def test_no_number_and_no_name_is_too_odd(stored, tmp_path):
    run, folder = a_run(tmp_path, project="odd")
    metrics = {"nan": math.nan, "inf": math.inf, "big": 10**400, "long": 2**70, "time": 3, "__x": 4, "ß %": 5}
    rows = [
        Row(0, None, 10**30, None, metrics, {}),
        Row(1, 1e18, 7, None, {"loss": 1.0}, {}),
    ]
    deliver(TrackioAdapter(), run, folder, rows)
    first, second = stored(run)
    assert math.isnan(first["nan"])
    assert (first["inf"], first["big"], first["long"]) == (math.inf, math.inf, float(2**70))
    assert (first["time_"], first["__x_"], first["ß %"]) == (3, 4, 5)
    assert (first["step"], second["step"]) == (0, 7)


def test_config_is_complete_also_what_came_late_and_what_no_json_holds(stored, tmp_path):
    config = {"lr": 0.1, "seed": 2**64, "layers": [1, {"big": 10**30}], "_Username": "me", "nan": math.nan}
    run, folder = a_run(tmp_path, project="config", config=config, git={"commit": "abc"})
    deliver(
        TrackioAdapter(),
        run,
        folder,
        [row(0, 1, loss=1.0)],
        config={"late": 3, "_provenance": {"git": {"dirty": True}}},
    )
    found = stored.config(run)
    assert (found["lr"], found["late"], found["seed"]) == (0.1, 3, str(2**64))
    assert found["layers"] == [1, {"big": str(10**30)}]
    assert found["Username_"] == "me"
    origin = found["_provenance"]
    assert (origin["command"], origin["commit"], origin["git"]) == ("python train.py", "abc", {"dirty": True})
    assert list(found)[:4] == ["lr", "seed", "layers", "Username_"]
    assert len(stored(run)) == 1


def test_a_row_that_is_sent_twice_stands_once(stored, tmp_path):
    run, folder = a_run(tmp_path, project="twice")
    rows = [row(i, i, loss=i / 2) for i in range(40)]
    killed = TrackioAdapter()
    assert killed.open(run, folder) == 0
    killed.log(rows[:15])
    killed.log(rows[10:20])
    assert killed.stored() == 20
    killed.config({"late": 1})
    deliver(TrackioAdapter(), run, folder, rows, config={"late": 1})
    assert [r["loss"] for r in stored(run)] == [i / 2 for i in range(40)]


def test_runs_of_one_name_are_runs_of_their_own(stored, tmp_path):
    for number in range(2):
        run, folder = a_run(tmp_path, project="same", run_id=f"id{number}")
        deliver(TrackioAdapter(), run, folder, [row(0, 1, loss=number)])
        assert [r["loss"] for r in stored(run)] == [number]


def test_the_console_is_a_table_of_the_last_lines(stored, tmp_path):
    run, folder = a_run(tmp_path, project="console")
    lines = [ConsoleLine(START + i, "stdout", f"line {i}") for i in range(1200)] + [
        ConsoleLine(None, "stdout", "<b>")
    ]
    adapter = deliver(TrackioAdapter(), run, folder, [row(0, 1, loss=1.0)], lines=lines)
    adapter.close(0)
    rows, table = stored(run)
    assert rows["loss"] == 1.0
    assert table["console"]["_type"] == "trackio.table"
    shown = table["console"]["_value"]
    assert len(shown) == 1000
    assert shown[-2]["console"] == "line 1199"
    assert re.fullmatch(r"\d\d:\d\d:\d\d", shown[-2]["time"])
    assert shown[-1] == {"time": "", "console": "<b>"}


def test_the_load_stands_under_system_metrics_once_with_its_times(stored, tmp_path):
    from trackio.sqlite_storage import SQLiteStorage

    run, folder = a_run(tmp_path, project="load")
    adapter = TrackioAdapter()
    adapter.open(run, folder)
    adapter.log([row(0, 1, loss=1.0)])
    samples = [SystemSample(START + i, {"process/memory_mb": i * 10.0}) for i in range(3)]
    adapter.system(samples)
    adapter.system(samples[1:])
    found = SQLiteStorage.get_system_logs("load", run_id=run.id)
    assert [sample["process/memory_mb"] for sample in found] == [0.0, 10.0, 20.0]
    times = [datetime.fromisoformat(str(sample["timestamp"])).timestamp() for sample in found]
    assert times == [START, START + 1, START + 2]
    assert len(stored(run)) == 1


def test_where_sqlite_is_not_safe_fragments_hold_each_row_once(store, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_STORAGE_MODE", "jsonl")
    run, folder = a_run(tmp_path, project="fragments", config={"lr": 0.1})
    rows = [row(i, i, loss=i / 2) for i in range(30)]
    for part in (rows[:20], rows):
        deliver(TrackioAdapter(), run, folder, part, config={"late": 1})
    assert not (store / "fragments.db").exists()
    ((name, found, config),) = read(store, "fragments").values()
    assert [r["loss"] for r in found] == [i / 2 for i in range(30)]
    assert (name, config["lr"], config["late"]) == ("first", 0.1, 1)


def test_a_project_name_that_trackio_keeps_for_itself_is_said(store, tmp_path):
    run, folder = a_run(tmp_path, project="my_configs")
    with pytest.raises(UserError, match=r"^trackio: Project name 'my_configs' is not allowed"):
        TrackioAdapter().open(run, folder)


def test_a_server_without_a_token_is_said(store, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_SERVER_URL", "http://127.0.0.1:1")
    run, folder = a_run(tmp_path)
    with pytest.raises(UserError, match="wants a write token"):
        TrackioAdapter().open(run, folder)


@contextlib.contextmanager
def dashboard(folder, *options):
    """`capture ui`, which is trackio's own server; gives its address."""
    command = [*CAPTURE, "ui", "--no-browser", "--dir", str(folder), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield next(line for line in server.stdout if line.startswith("http")).split("?")[0].strip()
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate()


def ask(address, question, **about):
    """What the dashboard's page would ask its server."""
    data = json.dumps({"args": [], "kwargs": about}).encode()
    request = urllib.request.Request(f"{address}api/{question}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]


PRINT = "import sys, time\nfor i in range(int(sys.argv[1])):\n print(f'step {i}: loss={i / 4}', flush=True)\n time.sleep(float(sys.argv[2]))"


def test_two_runs_at_once_in_one_project_with_a_dashboard_beside_them(own_world):
    Path("capture-runs").mkdir()
    options = ["--wait", "50", "--project", "p", "--name", "n"]
    with dashboard("capture-runs", "--project", "p") as address:
        runs = [
            subprocess.Popen(
                [*CAPTURE, *options, "--", sys.executable, "-c", PRINT, "400", "0.002"],
                stdout=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        assert [run.wait() for run in runs] == [0, 0]
        shown = ask(address, "get_runs_for_project", project="p")
        assert len(shown) == 2
        for item in shown:
            rows = ask(address, "get_logs", project="p", run=item["name"], run_id=item["id"])
            assert [r["loss"] for r in rows if "loss" in r] == [i / 4 for i in range(400)]


def test_a_self_hosted_server_holds_each_row_once_and_says_when_the_token_is_wrong(
    own_world, tmp_path, store, monkeypatch
):
    monkeypatch.setenv("TRACKIO_WRITE_TOKEN", "s3cret")
    (tmp_path / "server").mkdir()
    run, folder = a_run(tmp_path, project="served", config={"lr": 0.1, "nan": math.nan})
    rows = [row(i, i, loss=math.nan if i == 3 else float(i)) for i in range(30)]
    with dashboard(tmp_path / "server") as address:
        monkeypatch.setenv("TRACKIO_SERVER_URL", address)
        for part in (rows[:20], rows):
            deliver(
                TrackioAdapter(),
                run,
                folder,
                part,
                config={"late": 1},
                lines=[ConsoleLine(START, "tty", "hi")],
            )
        adapter = TrackioAdapter()
        adapter.open(run, folder)
        adapter.system([SystemSample(START, {"machine/load": 0.5})])
        (sample,) = ask(address, "get_system_logs", project="served", run="first", run_id=run.id)
        assert sample["machine/load"] == 0.5
        monkeypatch.setenv("TRACKIO_WRITE_TOKEN", "wrong")
        with pytest.raises(UserError, match=f"^trackio: {address}.* answers: A write_token is required"):
            deliver(TrackioAdapter(), run, folder, rows)
    assert not (store / "served.db").exists()
    ((name, found, config),) = read(tmp_path / "server" / "trackio", "served").values()
    losses = [r["loss"] for r in found if "loss" in r]
    assert math.isnan(losses.pop(3))
    assert losses == [float(i) for i in range(30) if i != 3]
    assert (name, config["lr"], config["late"]) == ("first", 0.1, 1)
    assert [r["console"]["_value"][0]["console"] for r in found if "console" in r] == ["hi"]


def test_a_tracker_killed_in_the_middle_leaves_each_row_once(own_world):
    halves = (
        "import os, time\n"
        "for i in range(300):\n"
        "    print(f'step {i}: loss={i / 4}', flush=True)\n"
        "    while i == 150 and not os.path.exists('go'): time.sleep(0.01)\n"
    )
    process = subprocess.Popen(
        [*CAPTURE, "--wait", "50", "--project", "p", "--", sys.executable, "-c", halves],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = run_in_progress()
    eventually(lambda: (folder / "delivered" / "trackio.json").exists())  # some rows are there
    os.kill(tracker_of(folder), signal.SIGKILL)
    Path("go").touch()
    assert process.wait() == 0
    ((_, rows, _),) = read("capture-runs/trackio", "p").values()
    assert [r["loss"] for r in rows if "loss" in r] == [i / 4 for i in range(300)]
