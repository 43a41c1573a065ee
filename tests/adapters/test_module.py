"""`--to module:NAME`: SwanLab, read back from its own file, and modules that a test writes."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from backends import START, a_run, deliver, mixed_rows, print_lines, row, run_printing
from helpers import CAPTURE, only_run

from capture import runs
from capture.adapters.module import ModuleAdapter, accepted, importable
from capture.errors import UserError
from capture.runs.recording import Recorder

OURS = """
import json

def say(*what):
    with open(place, "a") as file:
        file.write(json.dumps(what) + "\\n")

def init(project, name=None, config=None):
    global place
    import beside
    place = beside.PLACE
    say("init", project, name, config)

def log(values, step):
    say("log", values, step)

def finish(exit_code=0):
    say("finish", exit_code)
"""


def said(path="said"):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.fixture
def ours(own_world):
    """A client of the house, named by its path, which imports another file from there while it runs."""
    Path("tracking").mkdir()
    Path("tracking/client.py").write_text(OURS)
    Path("beside.py").write_text(f"PLACE = {str(own_world / 'said')!r}\n")
    return own_world


def test_a_module_beside_the_command_gets_the_run(ours):
    printed = "epoch 1: loss=0.5\nepoch 2: loss=nan\n"
    options = ["--to", "module:./tracking.client", "--config", "lr=0.1", "--project", "p", "--name", "n"]
    run_printing(*options, printing=printed, status=3)
    begun, *logged, ended = said()
    assert begun[:3] == ["init", "p", "n"]
    assert begun[3]["lr"] == 0.1
    assert [entry[2] for entry in logged] == [0, 1]
    assert logged[0][1]["loss"] == 0.5
    assert math.isnan(logged[1][1]["loss"])
    assert ended == ["finish", 3]


def test_a_module_that_asks_for_a_key_gets_no_answer_and_harms_nobody(own_world):
    Path("asks.py").write_text(
        "def init(): open('asked', 'w').close(); input('key: ')\ndef log(values): pass\ndef finish(): pass\n"
    )
    run_printing("--to", "module:./asks,jsonl", printing="epoch 1: loss=0.5\n")
    text = (only_run() / "summary.txt").read_text()
    assert "/asks: 0 of 1 delivered: module:asks: it asks for input" in text
    assert (only_run() / "metrics.jsonl").read_text().count("loss") == 1


def test_a_module_that_exits_is_an_error_of_this_backend_alone(own_world):
    Path("leaves.py").write_text("def init(): raise SystemExit('no licence')\nlog = finish = init\n")
    run_printing("--to", "module:./leaves,jsonl", printing="epoch 1: loss=0.5\n")
    text = (only_run() / "summary.txt").read_text()
    assert "/leaves: 0 of 1 delivered: module:leaves: it exits: no licence" in text


def test_a_module_that_can_alert_is_told(own_world):
    Path("alerts.py").write_text(
        "def init(): pass\ndef log(values): pass\ndef finish(): pass\n"
        "def alert(title, text): open('told', 'a').write(f'{title}|{text}\\n')\n"
    )
    run_printing("--to", "module:./alerts", "--alert", "loss > 0", printing="epoch 1: loss=0.5\n")
    assert (only_run() / "told").read_text() == "loss > 0|loss > 0: loss is 0.5\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("module:nowhere.at_all", "there is no module 'nowhere.at_all' installed beside capture"),
        ("module:./nowhere", "there is no module 'nowhere' in /"),
        ("module:", "should be the name of a module, such as module:swanlab"),
        ("module:a/b-c", "should be the name of a module, such as module:swanlab"),
        ("module", "there is no backend 'module'; did you mean 'module:NAME'?"),
        ("jsonl:x", "there is no backend 'jsonl:x'; did you mean 'jsonl'?"),
    ],
)
def test_a_wrong_name_is_said_before_the_start(name, message, own_world):
    done = subprocess.run([*CAPTURE, "--to", name, "--", "echo", "no"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def init(): pass\nfinish = 3\n", "module:broken: it has no log, finish, as wandb has"),
        ("import json\nraise KeyError('token')\n", "module:broken: KeyError: 'token'"),
        ("def init(:\n", "module:broken: SyntaxError: "),
    ],
)
def test_a_module_that_can_not_be_used_is_said_and_not_tried_again(text, message, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    run, folder = a_run(tmp_path)
    with pytest.raises(UserError) as error:
        ModuleAdapter(f"{tmp_path}/broken").open(run, folder)
    assert str(error.value).startswith(message)


def test_a_row_that_comes_again_is_logged_once(tmp_path, monkeypatch):
    (tmp_path / "picky.py").write_text(
        "rows = []\n"
        "def init(**about): pass\n"
        "def log(values, step=None):\n"
        "    if values['loss'] == 2: raise ValueError('no twos')\n"
        "    rows.append(values['loss'])\n"
        "def finish(): pass\n"
    )
    monkeypatch.setattr("sys.stdin", None)
    run, folder = a_run(tmp_path)
    adapter = ModuleAdapter(f"{tmp_path}/picky")
    adapter.open(run, folder)
    with pytest.raises(ValueError, match="no twos"):
        adapter.log([row(i, i, loss=i) for i in range(4)])
    adapter.log([row(i, i, loss=i) for i in range(2)])
    adapter.log([row(3, 3, loss=3)])
    assert adapter._module.rows == [0, 1, 3]


def test_a_module_beside_the_command_is_not_imported_unless_a_path_names_it(own_world):
    Path("client.py").write_text(f"open({str(own_world / 'imported')!r}, 'w').close()\n")
    done = subprocess.run(
        [*CAPTURE, "--to", "module:client", "--", "echo", "no"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "'client' is not installed; if the one in this folder is meant: --to module:./client" in done.stderr
    )
    assert not Path("imported").exists()


def test_a_runs_folder_decides_nothing_about_what_is_imported(own_world):
    for name in ("client", "json", "capture"):
        Path(f"{name}.py").write_text(f"open({str(own_world / 'imported')!r}, 'w').close()\n")
    for wanted in ("module:client", f"module:{own_world}/client", "../../../evil"):
        run, folder = a_run(own_world, run_id=f"r{len(list(Path().glob('capture-runs/*/*')))}", to=[wanted])
        runs.write(folder, run._replace(state="finished", host="h"))
        for name in ("json", "client"):
            (folder / f"{name}.py").write_text(f"open({str(own_world / 'imported')!r}, 'w').close()\n")
        print_lines(folder, "epoch 1: loss=0.5")
        Recorder(folder).close()
    sync = [str(Path(sys.executable).with_name("capture")), "sync"]
    done = subprocess.run(sync, capture_output=True, text=True, timeout=110)
    assert f"module:{own_world}/client: a run's folder names it, so it is not imported" in done.stdout
    assert not Path("imported").exists()
    assert not list(own_world.rglob("evil.json"))


def test_a_file_beside_the_command_stands_in_for_no_other_module(tmp_path):
    for name in ("queue", "beside"):
        (tmp_path / f"{name}.py").touch()
    before = list(sys.path)
    with importable(str(tmp_path)):
        assert not importlib.util.find_spec("queue").origin.startswith(str(tmp_path))
        assert importlib.util.find_spec("beside").origin == str(tmp_path / "beside.py")
    assert sys.path == before
    assert importlib.util.find_spec("beside") is None


def test_a_function_gets_the_keywords_that_it_takes():
    wandbs, others = {"project": 1, "notes": 2}, {"description": 2}
    assert accepted(lambda project: 0, wandbs, others) == {"project": 1}
    assert accepted(lambda project, description: 0, wandbs, others) == {"project": 1, "description": 2}
    assert accepted(lambda **about: 0, wandbs, others) == wandbs
    assert accepted(lambda: 0, wandbs, others) == {}


SWANLAB = """
import math, sys, threading
from pathlib import Path
from backends import a_run, deliver, row
from capture import runs
from capture.adapters.module import ModuleAdapter

about = {"config": {"lr": 0.1}, "tags": ["a"], "notes": "why"}
rows = [row(i, i + 1, axis="epoch", loss=0.5 / (i + 1), acc=math.nan) for i in range(3)]
run = a_run(Path(sys.argv[1]), **about)
given = (ModuleAdapter("swanlab"), *run, rows, {"late": 1}, (), 2)
thread = threading.Thread(target=deliver, args=given)  # as delivery does
thread.start()
thread.join()
"""


def test_swanlab_holds_the_rows_the_config_and_the_axes(own_world, monkeypatch):
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    monkeypatch.setenv("SWANLAB_MODE", "offline")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    subprocess.run([sys.executable, "-c", SWANLAB, own_world], capture_output=True, check=True)
    (file,) = Path("capture-runs").glob("*/*.swanlab")
    reader = DataStoreReader()
    reader.open(file)
    records = [Record.FromString(data) for data in reader]
    reader.close()
    (start,) = [record.start for record in records if record.HasField("start")]
    assert (start.project, start.name, start.description, list(start.tags)) == ("p", "first", "why", ["a"])
    scalars = [record.scalar for record in records if record.HasField("scalar")]
    losses = [(scalar.step, scalar.value.number) for scalar in scalars if scalar.key == "loss"]
    assert losses == [(0, 0.5), (1, 0.25), (2, 0.5 / 3)]
    axes = {record.column.column_key: record.column.x_axis for record in records if record.HasField("column")}
    assert axes["loss"] == axes["acc"] == "epoch"
    (end,) = [record.finish for record in records if record.HasField("finish")]
    assert "state: RUN_STATE_CRASHED" in str(end)
    config = yaml.safe_load((file.parent / "files" / "config.yaml").read_text())
    values = {name: item["value"] for name, item in config.items()}
    assert (values["lr"], values["late"], values["run"]["tags"]) == (0.1, 1, "a")


def test_each_metric_of_a_mixed_program_has_its_own_axis_and_what_only_counts_no_chart(tmp_path, monkeypatch):
    said = []
    module = SimpleNamespace(
        init=lambda **about: None,
        log=lambda values, step: said.append((step, values)),
        finish=lambda exit_code: said.append(exit_code),
        define_metric=lambda name, step_metric=None, hidden=None: said.append((name, step_metric, hidden)),
        config={},
    )
    monkeypatch.setitem(sys.modules, "our_client", module)
    run, folder = a_run(tmp_path, notes="why")
    runs.write(folder, run._replace(state="finished", exit_status=130, end=START + 5))
    deliver(ModuleAdapter("our_client"), run, folder, mixed_rows(), exit_status=130)
    assert [entry for entry in said if isinstance(entry, tuple) and len(entry) == 3] == [
        ("loss", "step", None),
        ("step", None, True),
        ("val_acc", "epoch", None),
        ("epoch", None, True),
    ]
    about = {"state": "interrupted", "exit_status": 130, "duration_s": 5.0, "notes": "why"}
    assert module.config["run"] == about
