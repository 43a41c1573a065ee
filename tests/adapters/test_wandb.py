"""Weights & Biases: what its own client leaves on a server on loopback, and in offline files."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest
import yaml
from backends import print_lines
from helpers import CAPTURE, eventually, only_run
from wandb_server import DOWN, KEY, LOST, Server

from capture import runs
from capture.delivery import registry, worker
from capture.delivery.delivery import Delivery
from capture.language import library
from capture.records import Record, to_json
from capture.runs.recording import Recorder

pytestmark = [
    # The client's threads are surprised when it is torn down, and it does not wait for its own process.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]

HIDDEN = 2  # among the flags of a metric
OWN = {"_step", "_timestamp", "_runtime"}
WANDB = Path(sys.executable).with_name("wandb")
PARSER = """
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
        text = next(text for _, text in library.built_in())
        (self.folder / runs.PARSERS / "000.yaml").write_text(text, encoding="utf-8")
        self.count = 0
        self.delivery = None

    def start(self):
        self.delivery = Delivery(
            runs.read(self.folder), self.folder, {"wandb": registry.adapter("wandb")}, {}
        )
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

    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.1)
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
    assert (server.run.config, server.run.exit_code) == ({"depth": 4}, 0)


def core_of(pid):
    """wandb's own process."""
    found = [kid for kid in psutil.Process(pid).children(recursive=True) if "wandb-core" in kid.name()]
    return next(kid for kid in found if kid.status() != psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("trouble", [500, 429, DOWN, LOST, "gone", "slow"])
def test_all_rows_arrive_once_through_an_outage(server, live, trouble):
    live.start()
    live.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10)
    if trouble == "gone":
        server.stop()
    elif trouble == "slow":
        server.delay = 0.5
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


def test_what_wandb_gave_up_to_send_is_sent_again(server, live, caplog):
    live.start()
    live.say(10)
    eventually(lambda: server.runs and len(server.run.rows) == 10)
    server.trouble, server.where = 400, "file_stream"
    live.say(10)
    eventually(lambda: server.refused)
    server.trouble = None
    assert live.finish().error is None
    said = [text for text in caplog.messages if "fatal error" in text]
    assert said[0].endswith("failed to upload: 400 Bad Request")
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
        Path("capture.yaml").write_text(PARSER + "wandb: {entity: team, job_type: pretrain}\n")
        Path("train.py").write_text(PROGRAM)
        Path(".git").mkdir()
        Path(".git/HEAD").write_text("1234567890123456789012345678901234567890\n")
        options = ["--to", "wandb", "--project", "mp", "--name", "first", "--config", "depth=4"]
        options += ["--alert", "loss > 2.5", "--tag", "a", "--tag", "b", "--notes", "why", "--group", "g"]
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
    hidden = {name for name, item in online.run.defined.items() if HIDDEN in item.get("6", [])}
    assert hidden == {"step", "epoch"}


def test_online_the_summary_has_the_last_value_and_the_best_one(online):
    summary = online.run.summary
    assert (summary["loss"], summary["val_loss"]) == ({"min": 1, "last": 2}, {"min": 2.5, "last": 2.75})
    assert summary["val.acc"]["max"] == 0.75
    assert (summary["step"], summary["epoch"]) == (20, 2)
    assert summary["exit_status"] == 3
    assert 0 <= summary["duration_s"] < 300


def test_online_the_config_has_what_was_printed_last(online):
    config = {name: value for name, value in online.run.config.items() if name != "_provenance"}
    assert config == {"depth": 4, "lr": 0.01, "fast": True}


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
    assert sorted(online.run.files) == ["config.yaml", "wandb-metadata.json", "wandb-summary.json"]


def test_online_the_console_is_in_the_logs(online):
    assert online.run.console[: TEXT.count("\n")] == TEXT.splitlines()


def test_online_an_alert_reaches_the_user_once(online):
    assert [alert[1:] for alert in online.alerts] == [("loss > 2.5", "loss > 2.5: loss is 3 (step 0)")]


def test_online_the_command_sees_nothing_of_our_run(online):
    assert sorted(online.command_saw) == sorted([*online.environ, "WANDB_PROJECT", "WANDB_NAME"])


def test_online_the_closing_block_leads_to_the_runs_page(online):
    text = (online.folder / runs.SUMMARY).read_text()
    assert f"wandb: {online.url}/team/mp/runs/{online.folder.name}" in text


def test_the_load_of_the_machine_is_that_of_the_command(server):
    Path("capture.yaml").write_text(PARSER)
    code = "import sys; x = bytearray(200_000_000); print('step 1: loss 1, val acc 1', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [*CAPTURE, "--to", "wandb", "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **server.environ, "WANDB_X_STATS_SAMPLING_INTERVAL": "1"},
    ) as process:
        eventually(lambda: server.runs and any("system.cpu" in event for event in server.run.events))
        process.stdin.close()
    assert 200 < server.run.events[0]["system.proc.memory.rssMB"] < 260


def offline_items(folder):
    """What `wandb leet inspect` reads back of the only offline run."""
    (file,) = (folder.parent.parent / "wandb").glob("offline-run-*/*.wandb")
    done = subprocess.run([WANDB, "leet", "inspect", "--json", file], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def offline_rows(folder):
    return [item["history"]["item"] for item in offline_items(folder) if item["type"] == "history"]


class Tracked:
    """A recording that grows, and the process that tracks it."""

    def __init__(self, base, environ):
        self.folder = base / "p" / "20261121-130000-abcdef"
        self.run = runs.Run(self.folder.name, "p", "n", ["train"], str(base), "h", time.time(), to=["wandb"])
        runs.create(self.folder, self.run)
        (self.folder / runs.PARSERS).mkdir()
        (parser,) = yaml.safe_load(PARSER)["parsers"]
        (self.folder / runs.PARSERS / "000-ours.yaml").write_text(yaml.safe_dump(parser))
        self.recorder = Recorder(self.folder, time.monotonic())
        self.environ = {**os.environ, **environ}
        self.count = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "capture.tracker", self.folder], stdin=subprocess.PIPE, env=self.environ
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def say(self, count):
        for step in range(self.count, self.count + count):
            self.recorder.write("stdout", b"step %d: loss %d, val acc 0.5\n" % (step, step))
        self.count += count
        eventually(lambda: self.records() == self.count)

    def records(self):
        path = self.folder / runs.RECORDS
        return path.read_text().count("\n") if path.exists() else 0

    def end(self):
        self.recorder.close()
        runs.write(self.folder, runs.read(self.folder)._replace(state="finished", exit_status=0))
        assert self.process.wait(100) == 0


@pytest.fixture
def tracked(server, tmp_path):
    with Tracked(tmp_path / "runs", server.environ) as tracked:
        yield tracked


def held(server, tracked):
    """Whether the server has what was printed, exactly."""
    assert server.run.faults == []
    rows = [(row["_step"], row["loss"]) for row in server.run.rows]
    return rows == [(n, n) for n in range(tracked.count)]


def test_a_tracker_killed_in_the_middle_leaves_one_run_with_all_rows(server, tracked):
    tracked.say(10)
    eventually(lambda: server.runs and held(server, tracked))
    tracked.process.kill()
    tracked.process.wait()
    tracked.process.stdin.close()
    tracked.start()
    tracked.say(10)
    tracked.end()
    assert held(server, tracked)
    assert (server.run.summary["loss"], server.run.exit_code) == ({"min": 0, "last": 19}, 0)
    assert server.run.defined["loss"]["5"] == 1 + list(server.run.defined).index("step")


@pytest.mark.parametrize("all_at_once", [False, True], ids=["alone", "with wandb's own process"])
def test_a_tracker_told_to_stop_sends_what_there_is_and_says_that_the_run_broke_off(
    server, tracked, all_at_once
):
    tracked.say(10)
    eventually(lambda: server.runs and held(server, tracked))
    tracked.say(5)
    if all_at_once:
        core_of(tracked.process.pid).terminate()
    tracked.process.terminate()
    assert tracked.process.wait(100) == 3  # the recording has not ended
    assert held(server, tracked)
    assert server.run.exit_code == 1


def test_a_server_that_is_gone_at_the_end_holds_up_nobody_and_gets_the_rest_later(server, tracked, live):
    tracked.say(10)
    eventually(lambda: server.runs and held(server, tracked))
    server.stop()
    tracked.say(5)
    began = time.monotonic()
    tracked.process.terminate()
    assert tracked.process.wait(100) == 3  # the recording has not ended
    assert time.monotonic() - began < 30
    text = (tracked.folder / runs.SUMMARY).read_text()
    assert "wandb: 0 of 15 delivered: not finished in time" in text
    server.start()
    live.folder = tracked.folder
    live.start()
    assert live.finish().error is None
    assert held(server, tracked)
    assert (server.run.summary["loss"], server.run.exit_code) == ({"min": 0, "last": 14}, 0)


def test_an_offline_run_can_be_read_though_all_was_killed_and_is_written_anew_by_the_next_tracker(tmp_path):
    with Tracked(tmp_path / "runs", {"WANDB_MODE": "offline"}) as tracked:
        tracked.say(10)
        eventually(lambda: list(tmp_path.glob("runs/wandb/offline-run-*/*.wandb")))
        eventually(lambda: len(offline_rows(tracked.folder)) == 10)
        core = core_of(tracked.process.pid)
        tracked.process.kill()
        core.kill()
        tracked.process.wait()
        tracked.process.stdin.close()
        assert [row["loss"] for row in offline_rows(tracked.folder)] == list(range(10))
        tracked.start()
        tracked.say(5)
        tracked.end()
    assert [(row["_step"], row["loss"]) for row in offline_rows(tracked.folder)] == [
        (n, n) for n in range(15)
    ]


def test_an_offline_run_is_whole_though_wandbs_own_process_died(offline):
    live = offline
    live.start()
    live.say(10)
    eventually(lambda: live.note().get("rows") == 0)
    core_of(os.getpid()).kill()
    live.say(10)
    assert live.finish().error is None
    items = offline_items(live.folder)
    assert [(row["_step"], row["loss"], row["_timestamp"]) for row in offline_rows(live.folder)] == [
        (n, abs(n - 7.5), 1000 + n) for n in range(20)
    ]
    metrics = {item["metric"]["name"]: item["metric"] for item in items if item["type"] == "metric"}
    assert metrics["loss"]["step_metric"] == "step"
    assert metrics["loss"]["summary"] == {"min": True, "last": True}


def test_an_interrupted_run_of_a_mixed_program_has_its_axes_its_start_and_its_end(offline):
    import wandb

    start = time.time() - 1000
    runs.write(
        offline.folder,
        runs.read(offline.folder)._replace(
            start=start, end=start + 50, paused=10.0, state="finished", exit_status=130
        ),
    )
    said = [
        (10, None, "loss"),
        (None, 1, "val_acc"),
        (20, None, "loss"),
        (None, 2, "val_acc"),
        (None, None, "bare"),
    ]
    with (offline.folder / runs.RECORDS).open("a") as file:
        for n, (step, epoch, name) in enumerate(said):
            file.write(to_json(Record(start + n, "x", step, epoch, {name: 0.5})) + "\n")
    offline.start()
    (outcome,) = offline.delivery.finish(130, 30)
    assert outcome.error is None
    items = offline_items(offline.folder)
    metrics = {item["metric"]["name"]: item["metric"] for item in items if item["type"] == "metric"}
    over = {name: item.get("step_metric") for name, item in metrics.items()}
    assert over == {"loss": "step", "step": None, "val_acc": "epoch", "epoch": None, "bare": None}
    assert {name for name, item in metrics.items() if item["options"].get("hidden")} == {"step", "epoch"}
    rows = offline_rows(offline.folder)
    assert [(r["step"], r["loss"]) for r in rows if "loss" in r] == [(10, 0.5), (20, 0.5)]
    assert [(r["epoch"], r["val_acc"]) for r in rows if "val_acc" in r] == [(1, 0.5), (2, 0.5)]
    about = next(item["run"] for item in items if item["type"] == "run")
    began = datetime.fromisoformat(about["start_time"].replace("Z", "+00:00"))
    assert began.timestamp() == pytest.approx(start, abs=0.01)
    assert next(item["exit"]["exit_code"] for item in items if item["type"] == "exit") == 255
    told = [item["summary"]["update"] for item in items if item["type"] == "summary"]
    assert {"exit_status": 130, "duration_s": 40.0} in told
    assert wandb.sdk.wandb_init.time is wandb.sdk.wandb_run.time is time


def test_wandbs_own_variables_say_who_the_run_is_where_nobody_else_does(offline, monkeypatch):
    said = {"ENTITY": "team", "PROJECT": "big", "NAME": "one", "NOTES": "why", "TAGS": "a, b"}
    said |= {"RUN_GROUP": "g", "JOB_TYPE": "eval", "RUN_ID": "notours", "RESUME": "must"}
    for name, value in said.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    offline.start()
    offline.say(1)
    assert offline.finish().error is None
    about = next(item["run"] for item in offline_items(offline.folder) if item["type"] == "run")
    assert (about["entity"], about["project"], about["display_name"]) == ("team", "big", "one")
    assert (about["notes"], sorted(about["tags"]), about["run_id"]) == (
        "why",
        ["a", "b"],
        offline.folder.name,
    )
    assert (about["run_group"], about["job_type"]) == ("g", "eval")


def test_an_offline_run_is_sent_as_it_is(server, offline, monkeypatch):
    offline.start()
    print_lines(offline.folder, "hello", "world")
    offline.say(20)
    result = offline.finish()
    assert (result.offline, result.links) == (True, ["to send it: capture login wandb, then capture sync"])
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    assert registry.adapter_class("wandb").send(runs.read(offline.folder), offline.folder, 30)
    everything_is_there_once(server, offline)
    assert (server.run.id, server.run.project) == (offline.folder.name, "p")
    assert server.run.config == {"depth": 4}
    assert server.run.console == ["hello", "world"]


NETRC = f"machine 127.0.0.1:1 login user password {KEY}\n"


@pytest.mark.parametrize(
    ("environ", "files", "answer"),
    [
        ({}, {}, "False"),
        ({"WANDB_API_KEY": KEY}, {}, "True"),
        ({"WANDB_API_KEY": KEY, "WANDB_MODE": "offline"}, {}, "False"),
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
