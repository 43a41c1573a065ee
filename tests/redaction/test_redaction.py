"""Secrets never leave the machine; what only looks a little like one stays as it is."""

import time

import pytest
from made_up_tokens import all_examples

from capture.redaction import MASK, Lines, Redactor, is_secret

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
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {MASK}"),
        (
            "curl -H 'Authorization: token abcdef' https://x",
            f"curl -H 'Authorization: token {MASK}' https://x",
        ),
        ("curl -u ada:tomato https://x", f"curl -u ada:{MASK} https://x"),
        ("Cookie: a=b; session=tomato", f"Cookie: {MASK}"),
        ("x-api-key: tomato", f"x-api-key: {MASK}"),
        ("login(token='tomatotomato123456')", f"login(token='{MASK}')"),
        ("os.environ['DB_PASSWORD'] = 'tomato'", f"os.environ['DB_PASSWORD'] = '{MASK}'"),
        ("['--api-key', 'tomato']", f"['--api-key', '{MASK}']"),
        ('{\\"password\\": \\"tomato\\"}', f'{{\\"password\\": \\"{MASK}\\"}}'),
        ("train --hub-token tomato --lr 0.1", f"train --hub-token {MASK} --lr 0.1"),
        ("SERVICE_TOKEN=tomato-soup", f"SERVICE_TOKEN={MASK}"),
        ("https://0a1b2c3d4e5f6a7b8c9d@o1.ingest.sentry.io/1", f"https://{MASK}@o1.ingest.sentry.io/1"),
        (
            "https://x.blob.core.windows.net/a?sv=2021&sig=Ab%2Bc%3D",
            f"https://x.blob.core.windows.net/a?sv=2021&sig={MASK}",
        ),
        ("https://h/?access_token=abc&x=1", f"https://h/?access_token={MASK}&x=1"),
        (
            "git@github.com:a/b.git ssh://git@github.com/a/b",
            "git@github.com:a/b.git ssh://git@github.com/a/b",
        ),
        ("machine h login ada password tomato", f"machine h login ada password {MASK}"),
        ("AccountName=a;AccountKey=tomato+soup==;x", f"AccountName=a;AccountKey={MASK}"),
        ('"auth": "dXNlcjpwYXNz"', f'"auth": "{MASK}"'),
        ("    client-key-data: LS0tLS1CRUdJTg==", f"    client-key-data: {MASK}"),
        (
            '{"username": "ada", "key": "0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f"}',
            f'{{"username": "ada", "key": "{MASK}"}}',
        ),
        ("sort_key=token=hf_abcdefghijklmnopqrstuvwx", f"sort_key=token={MASK}"),
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
        "sort_key=length eos_token: </s> image_key: jpg secret: 0.25 pass 3: loss 0.1 key: 7%",
        "config: {'pad_token': '<pad>', 'bos_token_id': 1, 'tokenizer_class': 'LlamaTokenizer'}",
        "next token: 'hello' | tokens/s: 12345 | token 12345 of 99999",
        "loading /data/secret/model-00001-of-00004.safetensors",
        "Epoch 1/3:  12%|█▏        | 312/2500 [00:12<01:27, 25.01it/s, loss=0.4819, auth=0.5]",
        "task=glue/sst2 disk=/dev/sda1 model=facebook/opt-350m linear: nn.Linear(in=768)",
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


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["mysql", "-u", "ada", "-p", "tomato"], ["mysql", "-u", "ada", "-p", MASK]),
        (["mysql", "-ptomato"], ["mysql", f"-p{MASK}"]),
        (["train", "-p", "16"], ["train", "-p", "16"]),
        (["train", "-p", "Xk29fLw8QpZr4mN7"], ["train", "-p", MASK]),
        (["curl", "-H", "Authorization: Bearer tomato"], ["curl", "-H", f"Authorization: Bearer {MASK}"]),
        (
            ["train", "--datadog-id", "0123456789abcdef0123456789abcdef01234567"],
            ["train", "--datadog-id", MASK],
        ),
        (
            ["train", "--pad-token", "<pad>", "--sort-key", "len"],
            ["train", "--pad-token", "<pad>", "--sort-key", "len"],
        ),
        (["train", "db.password=tomato"], ["train", f"db.password={MASK}"]),
    ],
)
def test_options_that_are_secrets(command, shown):
    assert Redactor({}).command(command) == shown


FORMS = [
    "{}",
    "use {} now",
    "https://h/?t={}&x=1",
    '{{"k": "{}"}}',
    "[{}]",
    " {},",
    "('{}')",
    "a={}",
    "<{}>",
    "+  - {}",
]


@pytest.mark.parametrize("seed", range(4))
def test_every_shape_of_the_published_list_is_masked_wherever_it_stands(seed):
    examples = list(all_examples(seed))
    assert len(examples) > 200
    survived = [
        (rule["id"], form, text)
        for rule, text, secret in examples
        for form in FORMS
        if secret in (shown := Redactor({}).text(form.format(text))) or secret[4:-2] in shown
    ]
    assert survived == []


def test_values_of_several_lines_are_masked_line_by_line_and_in_other_writings():
    redactor = Redactor(
        {"DEPLOY_KEY": "first-line-x\nsecond-line-y", "DB_PASSWORD": "to/ma+to", "URL": "pg://u:cellar99@h/x"}
    )
    for text in (
        "first-line-x",
        "and second-line-y",
        "first-line-x\\nsecond-line-y",
        "to%2Fma%2Bto",
        "is cellar99",
    ):
        assert MASK in redactor.text(text)
    assert "-line-" not in redactor.text("a first-line-x\nsecond-line-y b")


PEM = [
    "-----BEGIN RSA PRIVATE KEY-----",
    *("MIIEowIBAAKCAQEA" + "aB3/" * 12 for _ in range(3)),
    "-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("before", ["", "+", "-", "    ", "12: "])
def test_a_private_key_is_masked_between_its_ends(before):
    diff = "\n".join([" lr: 0.1", *(before + line for line in PEM), " depth: 3"])
    shown = Redactor({}).text(diff)
    assert "aB3/" not in shown
    assert shown.startswith(" lr: 0.1\n")
    assert shown.endswith("\n depth: 3")


def test_a_private_key_that_comes_line_by_line_with_others_in_between():
    lines = Lines(Redactor({}))
    printed = [PEM[0], PEM[1], "epoch 1: loss=0.5", *PEM[2:], "epoch 2: loss=0.25"]
    shown = [lines.line(line) for line in printed]
    assert [line for line in shown if "epoch" in line] == ["epoch 1: loss=0.5", "epoch 2: loss=0.25"]
    assert not any("aB3/" in line for line in shown)


def test_what_is_indented_below_the_name_of_a_secret_is_masked():
    text = "+db_password: |\n+  tomato\n+  soup\n+lr: 0.1\n"
    assert Redactor({}).text(text) == f"+db_password: |\n+  {MASK}\n+  {MASK}\n+lr: 0.1\n"


def test_configurations_of_other_tools():
    redactor = Redactor({})
    secret = redactor.values({"kind": "Secret", "data.anything": "dG9tYXRv", "metadata.name": "db"})
    assert secret == {"kind": "Secret", "data.anything": MASK, "metadata.name": "db"}
    docker = redactor.values({"auths.https://index.docker.io/v1/.auth": "dXNlcjpwYXNz"})
    assert list(docker.values()) == [MASK]
    account = redactor.values(
        {"type": "service_account", "private_key": "\n".join(PEM), "client_email": "a@b.iam"}
    )
    assert account == {"type": "service_account", "private_key": MASK, "client_email": "a@b.iam"}
    kube = redactor.values(
        {
            "users": [
                "{'name': 'x', 'user': {'client-key-data': 'LS0tLS1CRUdJTg==', 'token': 'tomatotomato123456'}}"
            ]
        }
    )
    assert "LS0t" not in str(kube) and "tomato" not in str(kube)
    assert redactor.values({"password": 12345678, "max_tokens": 512, "token": True}) == {
        "password": MASK, "max_tokens": 512, "token": True,
    }  # fmt: skip


def test_a_pattern_that_takes_too_long_hides_the_text_and_costs_little():
    redactor = Redactor({}, [r"(a|aa)+$"])
    started = time.thread_time()
    assert redactor.text("a" * 60 + "!") == MASK
    for _ in range(500):
        assert redactor.text("a" * 60 + "!") == MASK
    assert time.thread_time() - started < 5


def test_patterns_of_ones_own():
    assert Redactor({}, [r"patient-\d+"]).text("scan of patient-4711 loss=0.5") == f"scan of {MASK} loss=0.5"


@pytest.mark.parametrize(
    "name", ["WANDB_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "PGPASSWORD"]
)
def test_names_that_say_so(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PWD",
        "SSH_AUTH_SOCK",
        "TOKENIZERS_PARALLELISM",
        "KEYBOARD",
        "tokens",
        "lr",
        "pad_token",
        "eos_token",
        "sort_key",
        "image_key",
        "max_tokens",
        "monkey",
        "secret_dim",
        "num_pass",
        "next_token",
    ],
)
def test_names_that_do_not(name):
    assert not is_secret(name)
