"""Secrets never leave the machine; what only looks a little like one stays as it is."""

import os
import subprocess
from pathlib import Path

import pytest
from helpers import CAPTURE, only_run

from capture.redaction import MASK, Redactor, is_secret

TOKENS = {
    "hf": "hf_" + "aB3" * 11,
    "openai": "sk-proj-" + "a1B2" * 10,
    "github": "ghp_" + "x9Y" * 12,
    "fine": "github_pat_" + "a1" * 20,
    "aws": "AKIA" + "Q7" * 8,
    "wandb": "wandb_v1_" + "k3y" * 10,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
}


@pytest.mark.parametrize("name", TOKENS)
def test_known_tokens_are_masked_wherever_they_stand(name):
    for text in ("login with {}", "url?t={}&x=1", '{{"k": "{}"}}', "{}"):
        shown = Redactor({}).text(text.format(TOKENS[name]))
        assert TOKENS[name] not in shown
        assert MASK in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ada:tomato@host/x", f"https://ada:{MASK}@host/x"),
        ("postgres://u:p%40ss@db:5432/x", f"postgres://u:{MASK}@db:5432/x"),
        ("password=tomato", f"password={MASK}"),
        ('"db_password": "tomato",', f'"db_password": "{MASK}",'),
        ("API_KEY: abc", f"API_KEY: {MASK}"),
        ("export AWS_SECRET_ACCESS_KEY=ab/cd+ef", f"export AWS_SECRET_ACCESS_KEY={MASK}"),
        ("Authorization: Bearer abcdef0123456789", f"Authorization: Bearer {MASK}"),
        ("auth_token=0123456789abcdef01", f"auth_token={MASK}"),
    ],
)
def test_what_stands_beside_such_a_name_is_masked(text, shown):
    assert Redactor({}).text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "tokens: 1.2M, token_acc=0.53, max_tokens=1024, tokens per second = 5321.5",
        "tokenizer: gpt2 eos_token: <|endoftext|> pad_token=</s>",
        "commit 894b393bcb2e8b43d3e9b10a2f5f2bff4a7a4c11",
        "key: value, keys=3, monkey=banana",
        "secret sharing loss=0.25",
        "http://localhost:8080/x?a=b@c",
        "epoch 3: loss=0.481934 val_acc=62.000%",
        "password accuracy 0.93",
        "sk-learn 1.5, ask-me-anything",
    ],
)
def test_what_is_no_secret_stays(text):
    assert Redactor({"HOME": "/root", "SSH_AUTH_SOCK": "/tmp/agent"}).text(text) == text


def test_values_of_variables_that_say_so_are_masked_everywhere():
    redactor = Redactor(
        {"MY_TOKEN": "tomato-soup", "DB_PASSWORD": "x", "PWD": "/home/ada", "RUN": "tomatoes"}
    )
    assert redactor.text("got tomato-soup in /home/ada, x") == f"got {MASK} in /home/ada, x"
    assert redactor.values({"a": {"b": ["tomato-soup", 1]}, "api_key": "short", "lr": 0.1}) == {
        "a": {"b": [MASK, 1]}, "api_key": MASK, "lr": 0.1,
    }  # fmt: skip


def test_command_lines():
    command = [
        "train",
        "--api-key",
        "abc",
        "--lr",
        "1e-3",
        "--password=xyz",
        "--token",
        "--verbose",
        "wandb.api_key=q",
    ]
    assert Redactor({}).command(command) == [
        "train", "--api-key", MASK, "--lr", "1e-3", f"--password={MASK}", "--token", "--verbose", f"wandb.api_key={MASK}",
    ]  # fmt: skip


def test_patterns_of_ones_own():
    assert Redactor({}, [r"patient-\d+"]).text("scan of patient-4711 loss=0.5") == f"scan of {MASK} loss=0.5"


@pytest.mark.parametrize(
    "name", ["WANDB_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "PGPASSWORD"]
)
def test_names_that_say_so(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["PWD", "SSH_AUTH_SOCK", "TOKENIZERS_PARALLELISM", "KEYBOARD", "tokens", "lr"]
)
def test_names_that_do_not(name):
    assert not is_secret(name)


def test_nothing_that_is_delivered_or_kept_in_run_json_holds_a_secret():
    secrets = [*TOKENS.values(), "tomato-soup", "opensesame", "4711"]
    program = "\n".join(["config: seed=1", *(f"using {s}" for s in TOKENS.values()), "env tomato-soup",
                         "password=opensesame patient-4711", "epoch 1: loss=0.5"])  # fmt: skip
    Path("capture.yaml").write_text("redact: ['patient-\\d+']\nconfig: {note: tomato-soup}\n")
    done = subprocess.run(
        [*CAPTURE, "--to", "jsonl,trackio,wandb", "--notes", "uses tomato-soup", "--config", f"hub={TOKENS['hf']}",
         "--", "sh", "-c", 'printf "%s\\n" "$1"', "--api-key", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SERVICE_TOKEN": "tomato-soup", "WANDB_MODE": "offline"},
    )  # fmt: skip
    assert done.stdout == program + "\n"  # the terminal is not touched
    folder = only_run()
    kept = [folder / "run.json", folder / "metrics.jsonl", folder / "records.jsonl"]
    delivered = [
        p for name in ("trackio", "wandb") for p in (folder.parent.parent / name).rglob("*") if p.is_file()
    ]
    assert len(delivered) > 3
    for path in kept + delivered:
        data = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in data, path
