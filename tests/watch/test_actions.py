"""Who is told of an alert: commands, webhooks, Apprise, and each backend."""

import contextlib
import json
import os
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers import capture, only_run

from capture import runs
from capture.watch.actions import Actions, Told, body_of

PROGRAM = "for i in range(9): print(f'step {i} loss {\"nan\" if i == 6 else 3 - i / 10}', flush=True)"
TOLD = Told("loss is nan", "loss is nan", "error", 5.0, 6, None, "p", "train-1", "id", "h")


class Receiver(HTTPServer):
    """A webhook; `got` holds what came."""

    def __init__(self, status=200):
        self.got, self.status = [], status
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/T0KEN"

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def settings(text):
    with open("capture.yaml", "w") as file:
        file.write(text)


def run_it(*options, **environ):
    done = capture("--to", "jsonl", *options, "--", sys.executable, "-c", PROGRAM, **environ)
    assert done.returncode == 0
    return (only_run() / runs.SUMMARY).read_text()


def test_a_command_is_run_where_the_run_is_and_knows_what_happened():
    settings(
        "alerts:\n  - when: loss is nan\n    level: error\n    run: |\n"
        '      echo "$CAPTURE_ALERT_TITLE|$CAPTURE_ALERT_LEVEL|$CAPTURE_ALERT_STEP|$CAPTURE_ALERT_RUN" > told.txt\n'
        '      ls "$CAPTURE_RUN_DIR" > files.txt\n'
    )
    summary = run_it("--name", "first")
    assert Path("told.txt").read_text() == "loss is nan|error|6|first\n"
    assert "alerts.jsonl" in Path("files.txt").read_text().split()
    assert "alert: loss is nan (step 6)\n" in summary


def test_a_command_that_fails_is_said_in_the_closing_block_and_the_run_goes_on():
    settings("alerts: [{when: loss is nan, run: exit 3}]\n")
    assert "alert: run: exit 3: exit status 3\n" in run_it()


def test_a_webhook_gets_all_that_is_known_of_every_alert():
    with Receiver() as receiver:
        settings("on_alert: {webhook: $HOOK}\ndefault_alerts: false\n")
        summary = run_it(
            "--alert", "loss is nan", "--project", "p", "--name", "n", env={"HOOK": receiver.url}
        )
    (got,) = receiver.got
    run = runs.read(only_run())
    assert got["text"] == "loss is nan (p/n, step 6)"
    known = {"title": "loss is nan", "level": "warn", "step": 6, "project": "p", "run": "n", "run_id": run.id}
    assert known.items() <= got.items()
    assert "T0KEN" not in summary
    assert "T0KEN" not in (only_run() / runs.RUN_FILE).read_text()  # where only the variable stands


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("$NOT_SET_ANYWHERE", "webhook: $NOT_SET_ANYWHERE is not set"),
        ("http://127.0.0.1:1/T0KEN", "webhook: 127.0.0.1: "),
    ],
)
def test_an_address_that_does_not_work_is_said_without_its_secrets(address, said):
    settings(f"alerts: [{{when: loss is nan, webhook: '{address}'}}]\n")
    summary = run_it()
    assert f"alert: {said}" in summary
    assert "T0KEN" not in summary


def test_a_webhook_that_refuses_is_said():
    with Receiver(status=404) as receiver:
        settings(f"alerts: [{{when: loss is nan, webhook: '{receiver.url}'}}]\n")
        assert "alert: webhook: 127.0.0.1 answers 404 Not Found\n" in run_it()


def test_slack_and_discord_get_what_they_understand():
    sentence = "loss is nan (p/train-1, step 6)"
    assert body_of("https://hooks.slack.com/services/T/B/x", TOLD) == {"text": sentence}
    discord = body_of("https://discord.com/api/webhooks/1/x", TOLD._replace(text="x" * 5000))
    assert discord["allowed_mentions"] == {"parse": []}  # what a program prints can't call everyone
    assert len(discord["content"]) < 2000
    assert body_of("https://chat.example.com/hooks/x", TOLD)["text"] == sentence
    assert body_of("https://notslack.com.example.com/x", TOLD)["message"] == "loss is nan"


@pytest.mark.skipif(not find_spec("apprise"), reason="the extra `notify`")
def test_apprise_gets_it():
    with Receiver() as receiver:
        address = receiver.url.replace("http", "json")
        settings(f"alerts: [{{when: loss is nan, level: error, notify: '{address}'}}]\n")
        assert "alert: notify" not in run_it("--project", "p", "--name", "n")
        (got,) = receiver.got
        assert (got["title"], got["message"], got["type"]) == ("p/n", "loss is nan (p/n, step 6)", "failure")
        settings("alerts: [{when: loss is nan, notify: 'nothing://x'}]\n")
        done = capture("--to", "jsonl", "--dir", "other", "--", sys.executable, "-c", PROGRAM)
        assert done.returncode == 0
    assert (
        "notify: Apprise knows no such address: nothing:..." in (only_run("other") / runs.SUMMARY).read_text()
    )


def test_a_mistake_in_an_action_is_said_before_the_start():
    settings("on_alert:\n  webhook: hooks.slack.com/x\n  mail: me\n")
    done = capture("--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert "capture.yaml:2: on_alert.webhook.0: " in done.stderr
    assert "should be an address with http:// or https://" in done.stderr
    assert "capture.yaml:3: " in done.stderr and "mail" in done.stderr


def test_what_the_program_alerts_itself_is_told_as_well():
    with Receiver() as receiver:
        settings(f"on_alert: {{webhook: '{receiver.url}'}}\n")
        code = (
            "import capture\nwith capture.run(project='p', name='n', to='jsonl') as run:\n"
            " run.log({'loss': 1.0}, step=1); run.alert('saved', 'the model', level='info')"
        )
        done = capture("--to", "jsonl", "--", sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr
    assert [(one["title"], one["message"], one["level"]) for one in receiver.got] == [
        ("saved", "the model", "info")
    ]


def test_an_action_that_hangs_is_given_up_at_the_end(tmp_path):
    actions = Actions(str(tmp_path), str(tmp_path))
    actions.start({"run": "sleep 100"}, TOLD)
    actions.start({"webhook": ["http://127.0.0.1:1/"] * 200}, TOLD)
    actions.finish(limit=0.2)
    assert actions.notes[-1] == "alert: not finished in 0.2 s"
    assert any("left out" in note for note in actions.notes)


def test_a_replay_tells_nobody():
    with Receiver() as receiver:
        settings(f"on_alert: {{webhook: '{receiver.url}', run: 'touch told'}}\n")
        with open("log.txt", "w") as file:
            file.write("step 1 loss nan\n")
        assert capture("replay", "--to", "jsonl", "log.txt").returncode == 0
    assert receiver.got == []
    assert not os.path.exists("told")
    assert "loss is nan" in (only_run() / runs.ALERTS).read_text()


def test_trackio_shows_each_alert_once_also_when_it_is_delivered_again():
    run_it("--to", "trackio", "--alert", "loss is nan")
    (only_run() / runs.DELIVERED / "trackio.json").unlink()
    assert capture("sync", "--to", "trackio").returncode == 0
    (store,) = (only_run().parent.parent / "trackio").glob("*.db")
    with contextlib.closing(sqlite3.connect(store)) as base:
        found = base.execute("select title, text, level, step from alerts").fetchall()
    assert sorted(found) == [
        ("*loss* is not finite", "*loss* is not finite: loss is nan", "warn", 6),
        ("loss is nan", "loss is nan", "warn", 6),
    ]
