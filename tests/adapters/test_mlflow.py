"""MLflow, read back by its own client: from its store in a file, and from a real server where it is installed."""

import contextlib
import importlib.util
import math
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from backends import MIXED, START, a_run, deliver, mixed_rows, row, run_printing
from helpers import eventually

from capture import runs
from capture.adapters.mlflow import ENVIRONMENT, ID, ROWS, MlflowAdapter, tracking_uri
from capture.adapters.mlflow_names import Names, legal
from capture.errors import UserError
from capture.records import Alert, ConsoleLine, SystemSample

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One database for all tests: to make its tables takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def client(store, monkeypatch):
    from mlflow import MlflowClient

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    return MlflowClient(store)


def found(client, run):
    """The run in MLflow, by capture's id for it."""
    experiment = client.get_experiment_by_name(run.project)
    (one,) = client.search_runs([experiment.experiment_id], f"tags.`{ID}` = '{run.id}'")
    return one


def points(client, run, name):
    history = client.get_metric_history(found(client, run).info.run_id, name)
    return sorted((point.timestamp / 1000 - START, point.step, point.value) for point in history)


def test_each_metric_stands_at_its_own_axis_with_the_time_of_the_recording(client, tmp_path):
    run, folder = a_run(tmp_path, project="axes")
    rows = [
        row(0, 10, loss=0.5),
        row(1, 20, loss=0.25),
        row(2, 1, axis="epoch/epoch", **{"epoch/loss": 0.1}),
        row(3, loose=7),
    ]
    deliver(MlflowAdapter(), run, folder, rows)
    assert points(client, run, "loss") == [(0, 10, 0.5), (1, 20, 0.25)]
    assert points(client, run, "epoch/loss") == [(2, 1, 0.1)]
    assert points(client, run, "loose") == [(3, 3, 7.0)]
    assert set(found(client, run).data.metrics) == {"loss", "epoch/loss", "loose"}


def test_each_metric_of_a_mixed_program_has_a_curve_over_its_own_axis(client, tmp_path):
    run, folder = a_run(tmp_path, project="mixed")
    deliver(MlflowAdapter(), run, folder, mixed_rows())
    assert {name: [point[1:] for point in points(client, run, name)] for name in MIXED} == MIXED
    assert set(found(client, run).data.metrics) == set(MIXED)


def test_nan_and_infinity_are_kept(client, tmp_path):
    run, folder = a_run(tmp_path, project="odd")
    values = [math.nan, math.inf, -math.inf, 10**400]
    deliver(MlflowAdapter(), run, folder, [row(i, i, loss=value) for i, value in enumerate(values)])
    nan, *others = [value for _, _, value in points(client, run, "loss")]
    largest = sys.float_info.max  # what MLflow itself makes of infinity
    assert math.isnan(nan)
    assert others == [largest, -largest, largest]


def test_the_load_is_on_the_page_of_system_metrics_once(client, tmp_path):
    run, folder = a_run(tmp_path, project="load")
    adapter = MlflowAdapter()
    adapter.open(run, folder)
    adapter.log([row(0, 1, loss=1.0)])
    samples = [
        SystemSample(START + 10 * i, {"process/memory_mb": i * 5.0, "gpu/0/percent": 40.0}) for i in range(3)
    ]
    adapter.system(samples)
    adapter.system(samples[1:])  # again, after an error
    assert points(client, run, "system/process/memory_mb") == [(10 * i, 10 * i, i * 5.0) for i in range(3)]
    assert len(points(client, run, "system/gpu/0/percent")) == 3


def test_alerts_are_tags_once(client, tmp_path):
    run, folder = a_run(tmp_path, project="alerts")
    adapter = MlflowAdapter()
    adapter.open(run, folder)
    alerts = [Alert(n, START, "loss > 5", "loss > 5: loss is 6", "warn", 7) for n in (1, 2)]
    adapter.alerts(alerts)
    adapter.alerts(alerts[1:])  # again, after a crash
    told = {key: value for key, value in found(client, run).data.tags.items() if key.startswith("alert.")}
    assert told == dict.fromkeys(("alert.1", "alert.2"), "warn: loss > 5: loss is 6 (step 7)")


def test_config_is_parameters_and_what_changes_later_is_a_tag(client, tmp_path):
    config = {"lr": 0.1, "model(big)": "x" * 9000, "amp": True} | {f"p{i}": i for i in range(150)}
    run, folder = a_run(tmp_path, project="config", config=config)
    late = {"lr": 0.2, "net": {"depth": 3}, "_provenance": {"git": {"commit": "abc"}}}
    deliver(MlflowAdapter(), run, folder, [row(0, 1, loss=1.0)], config=late)
    data = found(client, run).data
    assert (data.params["lr"], data.params["amp"], data.params["net.depth"]) == ("0.1", "True", "3")
    assert data.params["model_big_"] == "x" * 5997 + "..."
    assert len(data.params) == 154
    assert (data.tags["config.lr"], data.tags["provenance.git.commit"]) == ("0.2", "abc")


def test_the_run_is_described(client, tmp_path):
    about = {"tags": ["baseline", "a b"], "notes": "why", "group": "g", "git": {"commit": "abc"}}
    run, folder = a_run(tmp_path, project="about", **about)
    deliver(
        MlflowAdapter(), run, folder, [row(0, 1, loss=1.0)], lines=[ConsoleLine(START, "stdout", "größer")]
    )
    one = found(client, run)
    assert one.info.run_name == "first"
    assert one.info.start_time == START * 1000
    wanted = {
        "baseline": "true",
        "a b": "true",
        "mlflow.note.content": "why",
        "group": "g",
        "mlflow.source.git.commit": "abc",
        "mlflow.source.name": "python train.py",
    }
    assert wanted.items() <= one.data.tags.items()
    console = client.download_artifacts(one.info.run_id, "console.log", str(tmp_path))
    assert Path(console).read_text(encoding="utf-8") == "größer\n"


@pytest.mark.parametrize(
    ("exit_status", "status"), [(0, "FINISHED"), (1, "FAILED"), (255, "FAILED"), (130, "KILLED")]
)
def test_the_run_ends_as_the_command_ended(client, tmp_path, exit_status, status):
    run, folder = a_run(tmp_path, project=f"ended-{exit_status}")
    runs.write(folder, run._replace(state="finished", exit_status=exit_status, end=START + 60, paused=20.0))
    deliver(MlflowAdapter(), run, folder, [row(0, 1, loss=1.0)], exit_status=exit_status)
    one = found(client, run)
    assert (one.info.status, one.info.end_time) == (status, (START + 60) * 1000)
    state = {0: "finished", 130: "interrupted"}.get(exit_status, "failed")
    ended = {"state": state, "exit_status": str(exit_status), "duration_s": "40.0"}
    assert ended.items() <= one.data.tags.items()


def test_a_run_that_crashed_is_killed(client, tmp_path):
    run, folder = a_run(tmp_path, project="crashed")
    runs.write(folder, run._replace(state="crashed"))
    deliver(MlflowAdapter(), run, folder, [row(0, 1, loss=1.0)], exit_status=None)
    assert found(client, run).info.status == "KILLED"


def test_a_row_that_is_sent_twice_stands_once(client, tmp_path):
    run, folder = a_run(tmp_path, project="twice")
    rows = [row(i, i, loss=i / 2, acc=1.0) for i in range(50)]
    first = MlflowAdapter()
    assert first.open(run, folder) == 0
    first.log(rows[:20])
    assert first.stored() == 20
    first.log(rows[10:25])  # after an error the whole batch comes again
    assert deliver(MlflowAdapter(), run, folder, rows).stored() == 50
    wanted = [(i, i, i / 2) for i in range(50)]
    assert points(client, run, "loss") == wanted
    client.set_tag(found(client, run).info.run_id, ROWS, "30")  # killed between the points and the tag
    deliver(MlflowAdapter(), run, folder, rows)
    assert points(client, run, "loss") == wanted
    assert found(client, run).info.status == "FINISHED"


def test_a_row_may_hold_more_than_a_call_takes(client, tmp_path):
    run, folder = a_run(tmp_path, project="wide")
    rows = [row(i, i, **{f"m{k}": k + i for k in range(2100)}) for i in range(2)] + [row(2, 2, m0=5)]
    adapter = deliver(MlflowAdapter(), run, folder, rows)
    assert adapter.stored() == 3
    assert points(client, run, "m0") == [(0, 0, 0), (1, 1, 1), (2, 2, 5)]
    assert points(client, run, "m2099") == [(0, 0, 2099), (1, 1, 2100)]


def test_every_name_becomes_one_that_mlflow_takes_and_no_two_the_same(client, tmp_path):
    from mlflow.utils.validation import _validate_metric_name

    odd = [
        "mAP50(B)",
        "mAP50[B]",
        "mAP50_B_",
        "a//b",
        "/a",
        "a/",
        "../up",
        "..",
        ".",
        "",
        "größe %",
        "x" * 300,
    ]
    odd += ["x" * 299 + "y", "./a/../b", "a\nb", "a/..", "🙂", "/" * 300]
    names = Names()
    made = [names.of(name) for name in odd]
    for name in made:
        _validate_metric_name(name)
        assert len(name) <= 250
    assert len(set(made)) == len(odd)
    assert [names.of(name) for name in odd] == made
    assert legal("metrics/mAP50-95(B)") == "metrics/mAP50-95_B_"


def test_a_deleted_experiment_is_said_and_not_tried_again(client, tmp_path):
    client.delete_experiment(client.create_experiment("gone"))
    run, folder = a_run(tmp_path, project="gone")
    with pytest.raises(UserError, match="mlflow: the experiment 'gone' is deleted"):
        MlflowAdapter().open(run, folder)


def test_a_server_that_is_down_is_tried_again(client, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    run, folder = a_run(tmp_path)
    with pytest.raises(Exception, match=r"127\.0\.0\.1") as error:
        MlflowAdapter().open(run, folder)
    assert not isinstance(error.value, (ValueError, ImportError))


def test_a_place_that_mlflow_does_not_know_is_said_without_its_password(client, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://me:s3cret@there")
    run, folder = a_run(tmp_path)
    with pytest.raises(UserError, match=r"^mlflow: gopher://there: ") as error:
        MlflowAdapter().open(run, folder)
    assert "s3cret" not in str(error.value)


def test_a_removed_run_is_in_the_trash_and_others_stay(client, tmp_path):
    runs_there = [
        a_run(tmp_path, project="removed", run_id=f"20260102-030405-{name}", name=name)
        for name in ("gone", "kept")
    ]
    for run, folder in runs_there:
        deliver(MlflowAdapter(), run, folder, [row(0, 1, loss=0.5)])
    for _ in range(2):  # what is gone is no error
        assert MlflowAdapter.remove(*runs_there[0])
    experiment = client.get_experiment_by_name("removed")
    assert [one.info.run_name for one in client.search_runs([experiment.experiment_id])] == ["kept"]


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "databricks"])
def test_what_is_on_a_server_stays_there(tmp_path, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert MlflowAdapter.remove(*a_run(tmp_path)) is False


def test_places_are_relative_to_the_commands_folder(monkeypatch, tmp_path):
    run, folder = a_run(tmp_path)
    base = folder.parent.parent
    assert tracking_uri(run, base) == f"sqlite:///{base}/mlflow.db"
    chosen = run._replace(settings={"mlflow": {"tracking_uri": "sqlite:///a/b.db"}})
    assert tracking_uri(chosen, base) == f"sqlite:///{tmp_path}/a/b.db"
    for given, wanted in [
        ("sqlite:////abs/b.db", "sqlite:////abs/b.db"),
        ("mlruns", f"{tmp_path}/mlruns"),
        ("http://host:5000", "http://host:5000"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ]:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert tracking_uri(chosen, base) == wanted


def test_a_whole_run_goes_to_a_store_beside_the_runs(store):
    Path("capture-runs").mkdir()
    shutil.copy(store.removeprefix("sqlite:///"), "capture-runs/mlflow.db")  # making one takes seconds
    printed = "epoch 1: loss=0.5\nepoch 2: loss=nan\n"
    folder = run_printing("--to", "mlflow", "--config", "lr=0.1", printing=printed, status=3)
    text = (folder / "summary.txt").read_text()
    assert "mlflow: mlflow ui --backend-store-uri sqlite:///capture-runs/mlflow.db\n" in text
    code = (
        "import sys; from mlflow import MlflowClient; c = MlflowClient('sqlite:///capture-runs/mlflow.db')\n"
        "(run,) = c.search_runs([c.get_experiment_by_name('project').experiment_id])\n"
        "print(run.info.status, run.data.params['lr'], [(m.step, m.value) for m in c.get_metric_history(run.info.run_id, 'loss')])\n"
        "print(c.list_artifacts(run.info.run_id)[0].path)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "FAILED 0.1 [(1, 0.5), (2, nan)]\nconsole.log\n"


@pytest.mark.skipif(importlib.util.find_spec("flask") is None, reason="mlflow-skinny has no server")
def test_a_real_server_holds_each_point_once(client, store, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    options = ["--backend-store-uri", store, "--artifacts-destination", tmp_path / "art", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options, "--workers", "1"],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )

    def is_up():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health") as answer:
            return answer.status == 200

    try:
        eventually(is_up, 120)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        run, folder = a_run(tmp_path, project="served", config={"lr": 0.1})
        rows = [row(i, i, loss=float(i)) for i in range(1200)] + [row(1200, 1200, loss=math.nan)]
        first = MlflowAdapter()
        first.open(run, folder)
        first.log(rows[:700])
        deliver(MlflowAdapter(), run, folder, rows, lines=[ConsoleLine(START, "stdout", "hello")])
        client = MlflowClient(uri)
        stored = points(client, run, "loss")
        assert [step for _, step, _ in stored] == list(range(1201))
        assert math.isnan(stored[-1][2])
        one = found(client, run)
        assert [item.path for item in client.list_artifacts(one.info.run_id)] == ["console.log"]
        assert first.links() == [f"{uri}/#/experiments/{one.info.experiment_id}/runs/{one.info.run_id}"]
    finally:
        os.killpg(server.pid, 15)
        server.wait()
