"""Made-up tokens of every known shape are planted wherever a run can meet one: none of them is kept or delivered."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, needs, only_run
from made_up_tokens import all_examples

pytestmark = needs("git")
PLACES = ("argument", "option", "variable", "file", "printed", "note", "diff")
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC/tomato\n" * 4
    + "-----END PRIVATE KEY-----"
)
OTHERS = {
    "variable": "tomato-soup",
    "several lines": "first-row-x\nsecond-row-y",
    "numeric": "48151623",
    "remote": "cellar99",
    "user": "Zk83hfTq02LmVx",
}


def git(*arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A run that met them all: (folder of all runs, what was planted, what the command printed and was shown)."""
    world = tmp_path_factory.mktemp("world")
    before = Path.cwd()
    os.chdir(world)
    try:
        yield _run(world)
    finally:
        os.chdir(before)


def _run(world):
    texts = {
        place: [(text, secret) for _, text, secret in all_examples(seed)] for seed, place in enumerate(PLACES)
    }
    git("init", "-q", "-b", "main")
    git("remote", "add", "origin", f"https://ada:{OTHERS['remote']}@example.com/a.git")
    Path("model.py").write_text("depth = 3\n")
    Path(".gitignore").write_text("capture-runs\n*.yaml\n*.json\n")
    git("add", ".")
    git("commit", "-qm", "first")
    Path("model.py").write_text("\n".join(["depth = 4", *(text for text, _ in texts["diff"]), PEM]) + "\n")
    Path("base.yaml").write_text(
        "".join(f"k{n}: {json.dumps(text)}\n" for n, (text, _) in enumerate(texts["file"]))
        + f"db_password: {OTHERS['numeric']}\nurl: postgres://ada:{OTHERS['remote']}@db/x\npad_token: <pad>\nlr: 0.1\n"
    )
    Path("account.json").write_text(json.dumps({"type": "service_account", "private_key": PEM}))
    arguments = [text for text, _ in texts["argument"]]
    options = [word for n, (text, _) in enumerate(texts["option"]) for word in (f"--o{n}", text)]
    printed = [text for text, _ in texts["printed"]] + [
        PEM,
        "password: 48151623",
        *(value for name, value in OTHERS.items() if name != "user"),
    ]
    printed = "\n".join(
        ["epoch 1: loss=0.5", *printed, *(f"{text}: 0.25" for text, _ in texts["printed"][:40]), ""]
    )
    Path("printed.txt").write_text(printed)
    program = (
        "import os, sys, time\n"
        "sys.stdout.write(open('printed.txt').read())\n"
        "until = time.monotonic() + 100\n"
        "while not os.path.exists(os.environ['CAPTURE_RUN_DIR'] + '/provenance.json') and time.monotonic() < until:\n"
        "    time.sleep(0.05)\n"
        "print('epoch 2: loss=0.25')\n"
    )
    notes = [text for text, _ in texts["note"]]
    environ = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CAPTURE_", "WANDB_", "TRACKIO_"))
    }
    environ |= {f"SERVICE{n}_TOKEN": secret for n, (_, secret) in enumerate(texts["variable"])}
    environ |= {"A_TOKEN": OTHERS["variable"], "DEPLOY_KEY": OTHERS["several lines"], "DB_PASSWORD": OTHERS["numeric"],
                "DATABASE_URL": f"pg://ada:{OTHERS['remote']}@db/x", "WANDB_MODE": "offline", "HOME": str(world / "home")}  # fmt: skip
    os.umask(old := os.umask(0))
    command = [
        *CAPTURE, "--to", "jsonl,trackio,wandb,tensorboard,mlflow", "--wait", "110", "--dir", "capture-runs",
        "--notes", "\n".join(notes), "--tag", notes[0], "--tag", OTHERS["variable"], "--group", OTHERS["variable"],
        "--name", OTHERS["variable"], "--project", "p", "--config", f"hub={notes[1]}", "--config", f"password={OTHERS['user']}",
        "--", sys.executable, "-c", program, "--config", "base.yaml", "--account", "account.json",
        "--db-password", OTHERS["user"], *options, *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=environ, umask=0)
    assert done.returncode == 0, done.stderr
    os.umask(old)
    secrets = {secret for place in PLACES for _, secret in texts[place]} | {"first-row-x", "second-row-y"}
    secrets |= {*OTHERS.values(), "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC/tomato"}
    return world / "capture-runs", secrets, printed, done.stdout


def test_no_file_but_the_recording_holds_any_of_them(planted):
    base, secrets, printed, shown = planted
    assert shown == printed + "epoch 2: loss=0.25\n"  # the terminal is not touched
    recording = only_run(base) / "console.log"
    files = [path for path in base.rglob("*") if path.is_file() and path != recording]
    stores = {path.relative_to(base).parts[0] for path in files if recording.parent not in path.parents}
    assert stores >= {"trackio", "wandb", "tensorboard", "mlflow.db", "mlartifacts"}, stores
    survived = [
        (str(path.relative_to(base)), secret)
        for path in files
        for data in [path.read_bytes()]
        for secret in secrets
        if secret.encode() in data
    ]
    assert survived == []


def test_what_is_no_secret_is_still_there(planted):
    base, *_ = planted
    folder = only_run(base)
    config = json.loads((folder / "config.json").read_text())
    assert config["base.yaml"]["pad_token"] == "<pad>"
    assert config["base.yaml"]["lr"] == 0.1
    assert "+depth = 4" in (folder / "git.diff").read_text()
    assert (
        json.loads((folder / "provenance.json").read_text())["git"]["remote"]
        == "https://ada:***@example.com/a.git"
    )
    assert '"loss":0.25' in (folder / "metrics.jsonl").read_text()


def test_only_the_user_can_read_what_may_hold_one_whatever_the_umask(planted):
    base, *_ = planted
    folder = only_run(base)
    for name in (
        "run.json",
        "config.json",
        "git.diff",
        "console.log",
        "provenance.json",
        "records.jsonl",
        "tracker.log",
    ):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    stores = [path for path in base.rglob("*") if path.is_file() and folder not in path.parents]
    open_to_others = [path for path in stores if path.stat().st_mode & 0o077 and _reachable(path, base)]
    assert [path.name for path in open_to_others] == [".gitignore"]


def _reachable(path, base):
    """Whether others get as far as this file: no folder between stops them."""
    return all(parent.stat().st_mode & 0o011 for parent in path.parents if base in parent.parents)
