"""Weights & Biases: what its own client leaves on a server on loopback, and in offline files."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import CAPTURE, eventually, only_run, run_in_progress, tracker_of
from wandb_server import DOWN, KEY, LOST, Server

from capture import delivery, formats, plugins, runs
from capture.delivery import Delivery
from capture.records import Record, to_json

pytestmark = [
    pytest.mark.timeout(60),
    # The client's threads are surprised when it is torn down, and it does not wait for its own process.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]

OWN = {"_step", "_timestamp", "_runtime"}
WANDB = Path(sys.executable).with_name("wandb")
FORMAT = """
parsers:
  - name: ours
    patterns:
      - line: "step {step}: loss {loss}, val acc {val.acc}"
      - line: "epoch {epoch}: val_loss {val_loss}"
      - line: "lr is {lr}"
        as: config
"""
TEXT = """\
lr is 0.1
step 0: loss 3, val acc 0.25
step 10: loss 1, val acc 0.75
epoch 1: val_loss 2.5
lr is 0.01
step 20: loss 2, val acc nan
epoch 2: val_loss 2.75
"""
PROGRAM = f"""\
import json, os, sys
print({TEXT!r}, end="")
print(json.dumps([name for name in os.environ if name.startswith("WANDB_")]), file=sys.stderr)
sys.exit(3)
"""


class Live:
    """A run in progress, delivered from this process."""

    def __init__(self, base, run_id="20261121-120000-abcdef", **more):
        self.folder = base / "p" / run_id
        run = runs.Run(run_id, "p", "n", ["train"], str(base), "h", time.time(), config={"depth": 4}, **more)
        runs.create(self.folder, run)
        (self.folder / runs.PARSERS).mkdir()
        text = next(text for _, text in formats.built_in())
        (self.folder / runs.PARSERS / "000.yaml").write_text(text, encoding="utf-8")
        self.count = 0
        self.delivery = None

    def start(self):
        self.delivery = Delivery(runs.read(self.folder), self.folder, {"wandb": plugins.adapter("wandb")})
        self.delivery.start()

    def say(self, count):
        """Add so many rows; their loss falls, and then rises again."""
        with (self.folder / runs.RECORDS).open("a") as file:
            for step in range(self.count, self.count + count):
                metrics = {"loss": abs(step - 7.5)}
                file.write(to_json(Record(1000.0 + step, "x", step, None, metrics)) + "\n")
        self.count += count
        if self.delivery:
            self.delivery.wake()

    def finish(self, limit=30):
        (outcome,) = self.delivery.finish(0, limit)
        return outcome

    def note(self):
        path = self.folder / runs.DELIVERED / "wandb.json"
        return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A run that is delivered by the client in this process, which nobody has logged in."""
    import wandb

    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.1)
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "3")
    yield Live(tmp_path / "runs")
    wandb.teardown()
    gc.collect()  # what the client leaves behind is to be blamed on these tests


@pytest.fixture
def live(server, offline, monkeypatch):
    """The same with a login."""
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    yield offline
    server.trouble = None


def everything_is_there_once(server, live):
    rows = [(row["_step"], row["step"], row["loss"], row["_timestamp"]) for row in server.run.rows]
    assert rows == [(n, n, abs(n - 7.5), 1000 + n) for n in range(live.count)]
    assert server.run.faults == []
    assert server.run.summary["loss"] == {"min": 0.5, "last": live.count - 8.5}
    assert server.run.defined["loss"]["5"] == 1 + list(server.run.defined).index("step")
    assert server.run.exit_code == 0


def core_of(pid):
    """wandb's own process."""
    found = [kid for kid in psutil.Process(pid).children(recursive=True) if "wandb-core" in kid.name()]
    return next(kid for kid in found if kid.status() != psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("trouble", [500, 502, 429, DOWN, LOST, "gone", "slow"])
def test_all_rows_arrive_once_through_an_outage(server, live, trouble):
    live.start()
    live.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10)
    if trouble == "gone":
        server.stop()
    elif trouble == "slow":
        server.delay = 1.0
    else:
        server.trouble = trouble
    asked = len(server.requests)
    live.say(15)
    if trouble == "gone":
        eventually(lambda: live.folder.exists() and refused_in(live))
        server.start()
    else:
        eventually(lambda: server.refused or (trouble == "slow" and len(server.requests) > asked))
    server.trouble = None
    live.say(5)
    outcome = live.finish()
    assert (outcome.delivered, outcome.error) == (30, None)
    everything_is_there_once(server, live)


def refused_in(live):
    """Whether wandb has met a closed door."""
    logs = (live.folder.parent.parent / "wandb").glob("run-*/logs/debug-internal.log")
    return any("connection refused" in path.read_text() for path in logs)


def test_a_server_that_is_down_at_first_gets_everything(server, live):
    server.stop()
    live.start()
    live.say(20)
    eventually(lambda: "connection refused" in (live.note().get("error") or ""))
    server.start()
    assert live.finish().error is None
    everything_is_there_once(server, live)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_wandbs_own_process_may_die(server, live, number):
    live.start()
    live.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10)
    core_of(os.getpid()).send_signal(number)
    live.say(10)
    assert live.finish().error is None
    everything_is_there_once(server, live)


def test_what_wandb_gave_up_to_send_is_sent_again(server, live):
    live.start()
    live.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10)
    server.trouble, server.where = 400, "file_stream"
    live.say(10)
    eventually(lambda: server.refused)
    server.trouble = None
    assert live.finish().error is None
    everything_is_there_once(server, live)


def test_a_key_that_the_server_refuses_is_said_at_once(server, live):
    server.trouble = 401
    live.start()
    live.say(1)
    outcome = live.finish(15)
    assert outcome.error.startswith("W&B refuses: ")
    assert outcome.error.endswith("check the key, WANDB_BASE_URL, entity and project")


@pytest.fixture(scope="module")
def online(tmp_path_factory):
    """A run with all that can be said of one, and what the command saw of it."""
    work = tmp_path_factory.mktemp("online")
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        patch.chdir(work)
        for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(name, str(work / "home"))
        for name in [name for name in os.environ if name.startswith(("WANDB_", "CAPTURE_"))]:
            patch.delenv(name)
        Path("capture.yaml").write_text(FORMAT + "wandb: {entity: team, job_type: pretrain}\n")
        Path("train.py").write_text(PROGRAM)
        Path(".git").mkdir()
        Path(".git/HEAD").write_text("1234567890123456789012345678901234567890\n")
        options = ["--to", "wandb", "--project", "mp", "--name", "first", "--config", "depth=4"]
        options += ["--tag", "a", "--tag", "b", "--notes", "why", "--group", "g"]
        done = subprocess.run(
            [*CAPTURE, *options, "--", sys.executable, "train.py", "--fast"],
            capture_output=True,
            check=False,
            env={**os.environ, **server.environ, "WANDB_PROJECT": "other", "WANDB_NAME": "other"},
        )
        assert (done.returncode, done.stdout) == (3, TEXT.encode())
        server.command_saw = json.loads(done.stderr)
        server.folder = only_run()
        yield server


def test_online_each_row_is_there_once_with_its_own_axis(online):
    rows = online.run.rows
    assert [row["_step"] for row in rows] == [1, 2, 3, 5, 6]
    assert [(row["step"], row["loss"]) for row in rows if "loss" in row] == [(0, 3), (10, 1), (20, 2)]
    assert [(row["epoch"], row["val_loss"]) for row in rows if "val_loss" in row] == [(1, 2.5), (2, 2.75)]
    assert all(set(row) <= {"loss", "val.acc", "val_loss", "step", "epoch"} | OWN for row in rows)
    assert online.run.faults == []


def test_online_metrics_are_drawn_over_their_axes(online):
    names = list(online.run.defined)
    over = {name: names[item["5"] - 1] for name, item in online.run.defined.items() if "5" in item}
    assert over == {"loss": "step", r"val\.acc": "step", "val_loss": "epoch"}


def test_online_the_summary_has_the_last_value_and_the_best_one(online):
    summary = online.run.summary
    assert (summary["loss"], summary["val_loss"]) == ({"min": 1, "last": 2}, {"min": 2.5, "last": 2.75})
    assert summary["val.acc"]["max"] == 0.75
    assert (summary["step"], summary["epoch"]) == (20, 2)


def test_online_the_config_has_what_was_printed_last(online):
    assert online.run.config == {"depth": 4, "lr": 0.01, "fast": True}


def test_online_the_run_is_who_it_is_told_to_be(online):
    run, fields = online.run, online.run.fields
    assert (run.id, run.entity, run.project, fields["displayName"]) == (
        online.folder.name,
        "team",
        "mp",
        "first",
    )
    assert (sorted(fields["tags"]), fields["notes"]) == (["a", "b"], "why")
    assert (fields["groupName"], fields["jobType"]) == ("g", "pretrain")
    assert run.exit_code == 3


def test_online_the_overview_shows_the_command_and_its_commit(online):
    about = json.loads(online.run.files["wandb-metadata.json"])
    assert (about["program"], about["args"]) == (sys.executable, ["train.py", "--fast"])
    assert about["git"]["commit"].startswith("1234567890")
    assert about["executable"] == sys.executable


def test_online_the_console_is_in_the_logs(online):
    assert online.run.console[: TEXT.count("\n")] == TEXT.splitlines()


def test_online_the_command_sees_nothing_of_our_run(online):
    assert sorted(online.command_saw) == sorted([*online.environ, "WANDB_PROJECT", "WANDB_NAME"])


def test_online_the_closing_block_leads_to_the_runs_page(online):
    text = (online.folder / runs.SUMMARY).read_text()
    assert f"wandb: {online.url}/team/mp/runs/{online.folder.name}" in text


class Command:
    """A captured command that prints the lines it is told."""

    def __init__(self, wait="30", **environ):
        Path("capture.yaml").write_text(FORMAT)
        self.process = subprocess.Popen(
            [*CAPTURE, "--to", "wandb", "--wait", wait, "--", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **environ},
        )
        self.folder = run_in_progress()
        self.count = 0

    def say(self, count):
        for step in range(self.count, self.count + count):
            self.process.stdin.write(b"step %d: loss %d, val acc 0.5\n" % (step, step))
        self.process.stdin.flush()
        self.count += count

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(50) == 0
        return (self.folder / runs.SUMMARY).read_text()

    def tracker(self):
        return eventually(lambda: tracker_of(self.folder))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def command(server):
    with Command(**server.environ) as command:
        yield command


def test_a_tracker_killed_in_the_middle_leaves_one_run_with_all_rows(server, command):
    command.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10, 40)
    first = command.tracker()
    os.kill(first, signal.SIGKILL)
    command.say(10)
    eventually(lambda: tracker_of(command.folder) != first)
    assert f"wandb: {server.url}" in command.end()
    assert [(row["_step"], row["loss"]) for row in server.run.rows] == [(n, n) for n in range(20)]
    assert (server.run.summary["loss"], server.run.exit_code) == ({"min": 0, "last": 19}, 0)
    assert server.run.faults == []


def test_a_tracker_that_is_told_to_stop_sends_what_there_is_and_says_that_the_run_broke_off(server, command):
    command.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10, 40)
    command.say(5)
    eventually(lambda: (command.folder / runs.RECORDS).read_text().count("\n") == 15)
    os.kill(command.tracker(), signal.SIGTERM)
    eventually(lambda: server.run.exit_code is not None)
    assert [row["_step"] for row in server.run.rows] == list(range(15))
    assert server.run.exit_code == 1
    command.end()


def test_a_server_that_is_gone_at_the_end_holds_up_nobody_and_gets_the_rest_later(server, live):
    with Command(wait="6", **server.environ) as command:
        command.say(10)
        eventually(lambda: server.runs and len(server.run.rows) == 10, 40)
        server.stop()
        command.say(5)
        began = time.monotonic()
        text = command.end()
        assert time.monotonic() - began < 10
    assert "wandb: 0 of 15 delivered: not finished in time" in text
    server.start()
    live.folder = command.folder
    live.start()
    assert live.finish().error is None
    assert [(row["_step"], row["loss"]) for row in server.run.rows] == [(n, n) for n in range(15)]
    assert (server.run.summary["loss"], server.run.exit_code) == ({"min": 0, "last": 14}, 0)
    assert server.run.faults == []


def offline_items(folder):
    """What `wandb leet inspect` reads back of the only offline run."""
    (file,) = (folder.parent.parent / "wandb").glob("offline-run-*/*.wandb")
    done = subprocess.run([WANDB, "leet", "inspect", "--json", file], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_offline_run_is_whole_though_wandbs_own_process_died(offline):
    live = offline
    live.start()
    live.say(10)
    eventually(lambda: live.note().get("rows") == 0)
    core_of(os.getpid()).kill()
    live.say(10)
    assert live.finish().error is None
    items = offline_items(live.folder)
    rows = [item["history"]["item"] for item in items if item["type"] == "history"]
    assert [(row["_step"], row["loss"], row["_timestamp"]) for row in rows] == [
        (n, abs(n - 7.5), 1000 + n) for n in range(20)
    ]
    metrics = {item["metric"]["name"]: item["metric"] for item in items if item["type"] == "metric"}
    assert metrics["loss"]["step_metric"] == "step"
    assert metrics["loss"]["summary"] == {"min": True, "last": True}


def test_wandb_sync_sends_an_offline_run_as_it_is(server, tmp_path, monkeypatch):
    Path("capture.yaml").write_text(FORMAT + "wandb: {job_type: pretrain}\n")
    Path("train.py").write_text(PROGRAM)
    options = ["--to", "wandb", "--project", "mp", "--name", "first", "--config", "depth=4", "--tag", "a"]
    environ = {**os.environ, "WANDB_MODE": "offline"}
    subprocess.run(
        [*CAPTURE, *options, "--", sys.executable, "train.py"], capture_output=True, check=False, env=environ
    )
    text = (only_run() / runs.SUMMARY).read_text()
    (said,) = [line for line in text.splitlines() if "wandb sync" in line]
    words = said.partition("kept offline; to send it: ")[2].split()
    assert server.requests == []
    subprocess.run([WANDB, *words[1:]], capture_output=True, check=True, env={**os.environ, **server.environ})
    run = server.run
    assert [(row["_step"], row.get("loss"), row.get("val_loss")) for row in run.rows] == [
        (1, 3, None),
        (2, 1, None),
        (3, None, 2.5),
        (5, 2, None),
        (6, None, 2.75),
    ]
    assert (run.id, run.project, run.fields["displayName"]) == (only_run().name, "mp", "first")
    assert (run.fields["jobType"], run.exit_code) == ("pretrain", 3)
    assert run.config == {"depth": 4, "lr": 0.01}
    assert (run.summary["loss"], run.summary["val.acc"]["max"]) == ({"min": 1, "last": 2}, 0.75)
    assert run.console[: TEXT.count("\n")] == TEXT.splitlines()


NETRC = f"machine 127.0.0.1:1 login user password {KEY}\n"


@pytest.mark.parametrize(
    ("environ", "files", "answer"),
    [
        ({}, {}, "False"),
        ({"WANDB_API_KEY": KEY}, {}, "True"),
        ({"WANDB_API_KEY": KEY, "WANDB_MODE": "offline"}, {}, "False"),
        ({"WANDB_API_KEY": KEY, "WANDB_MODE": "dryrun"}, {}, "False"),
        ({"WANDB_API_KEY": KEY, "WANDB_MODE": "disabled"}, {}, "WANDB_MODE=disabled: nothing is sent to W&B"),
        ({"WANDB_API_KEY": "short"}, {}, "W&B: WANDB_API_KEY invalid: "),
        ({}, {".netrc": NETRC}, "True"),
        ({}, {".netrc": NETRC.replace("127.0.0.1:1", "elsewhere")}, "False"),
        ({}, {".netrc": "}{ machine"}, "False"),
        ({}, {".config/wandb/settings": f"[default]\napi_key = {KEY}\n"}, "True"),
        ({"WANDB_API_KEY": KEY}, {".config/wandb/settings": "[default]\nmode = offline\n"}, "False"),
    ],
)
def test_a_login_is_found_without_a_prompt_and_without_the_network(environ, files, answer, tmp_path):
    for name, text in files.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    code = (
        "import socket\n"
        "from capture.adapters.wandb import logged_in\n"
        "def connect(*args): raise SystemExit('the network was asked')\n"
        "socket.socket.connect = connect\n"
        "try: print(logged_in())\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "WANDB_BASE_URL": "http://127.0.0.1:1", **environ},
        check=True,
    )
    assert done.stdout.startswith(answer), done
