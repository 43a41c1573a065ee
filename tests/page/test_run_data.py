"""What a page shows of a run is what the backends get of it, and each value knows its console line."""

import json

import pytest
from helpers import capture, only_run

from capture.page import console_text, run_data
from capture.runs import status

TRAINING = """\
\x1b[32mstep 1\x1b[0m loss 2.5 lr 0.1
step 2 loss nan lr 0.1
epoch 1/2 - train acc 0.5 val loss 1.25
step 3 loss 1.5 lr 0.1
epoch 2/2 - train acc 0.7 val loss 1.5
"""


@pytest.fixture
def run(tmp_path):
    """A run that printed TRAINING."""
    (tmp_path / "train.py").write_text(f"import sys\nsys.stdout.write({TRAINING!r})\n")
    capture("--to", "jsonl", "--tag", "nightly", "--", "python3", "train.py", "--lr", "0.1", cwd=tmp_path)
    return status.of(only_run(tmp_path / "capture-runs"))


def test_each_value_leads_to_its_console_line(run):
    data = run_data.of(run)
    loss = data["metrics"]["loss"]
    lines = [data["console"][data["rows"]["line"][row]] for row in loss["rows"]]
    assert loss["values"] == [2.5, "NaN", 1.5]
    assert ["loss 2.5" in lines[0], "loss nan" in lines[1], "loss 1.5" in lines[2]] == [True] * 3


def test_train_and_validation_of_one_metric_share_a_chart(run):
    metrics = run_data.of(run)["metrics"]
    assert metrics["loss"]["family"] == metrics["val loss"]["family"] == "loss"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("epoch/val_loss", "epoch/loss"),
        ("loss/train", "loss"),
        ("eval/loss", "loss"),
        ("train acc", "acc"),
        ("valid/bleu", "bleu"),
        ("test", "test"),
        ("latest_loss", "latest_loss"),
        ("train/learning_rate", "learning_rate"),
    ],
)
def test_a_split_is_no_part_of_the_family(name, family):
    assert run_data.family(name) == family


def test_the_best_value_knows_its_row(run):
    data = run_data.of(run)
    metric = data["metrics"]["val loss"]
    assert (metric["best"], data["rows"]["epoch"][metric["best_row"]], metric["last"]) == (1.25, 1, 1.5)


def test_config_says_where_it_comes_from(run):
    assert ["lr", 0.1, "command line"] in [list(item) for item in run_data.of(run)["config"]]


def test_what_is_to_be_published_says_nothing_of_console_machine_and_environment(run):
    data = run_data.of(run, public=True)
    assert not {"console", "command", "cwd", "host", "provenance", "diff", "folder"} & set(data)
    assert run.run.cwd not in json.dumps(data)
    assert data["metrics"]["loss"]["values"] == [2.5, "NaN", 1.5]


def test_secrets_on_the_console_are_masked(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_TOKEN", "swordfish-1234")
    (tmp_path / "train.py").write_text("print('token is swordfish-1234'); print('step 1 loss 0.5')\n")
    capture("--to", "jsonl", "--", "python3", "train.py", cwd=tmp_path)
    data = run_data.of(status.of(only_run(tmp_path / "capture-runs")))
    assert "swordfish" not in json.dumps(data)


def test_of_very_many_values_the_extremes_and_what_is_no_number_stay(monkeypatch):
    values = [float(i % 7) for i in range(1000)]
    values[333], values[700], values[801] = 99.0, -99.0, "NaN"
    kept = [values[i] for i in run_data._thinned(values, 100)]
    assert {99.0, -99.0, "NaN"} <= set(kept)
    assert len(kept) <= 150


def test_a_damaged_run_is_shown_as_far_as_it_can_be_read(run):
    (run.folder / "system.jsonl").write_text('[1]\n{"time": "noon"}\n{"time": 5.0, "cpu": 3}\n{"time"')
    (run.folder / "config.json").write_text('{"command line": [1, 2]}')
    with (run.folder / "records.jsonl").open("a") as file:
        file.write('"no record"\n{"metrics": 5}\n{"time"')
    data = run_data.of(run)
    assert data["system"] == {"time": [5.0], "values": {"cpu": [3]}}
    assert data["config"] == []
    assert data["metrics"]["loss"]["values"] == [2.5, "NaN", 1.5]


def test_a_bar_is_one_line_in_its_last_state():
    assert console_text.shown(b" 10%|# | 1/10\r\x1b[K100%|####| 10/10\r") == "100%|####| 10/10"
    assert console_text.shown(b"\x1b]0;title\x07\x1b[31mred\x1b[0m\x1b[2K\x00") == "\x1b[31mred\x1b[0m"


def test_offsets_lead_to_lines_also_in_huge_logs(tmp_path, monkeypatch):
    monkeypatch.setattr(console_text, "MOST_LINES", 30)
    monkeypatch.setattr(console_text, "_BLOCK", 64)
    lines = [f"line {i} " + "x" * (i % 50) * (3 if i % 11 else 30) for i in range(200)]
    (tmp_path / "console.log").write_text("\n".join(lines) + "\nunfinished")
    text = console_text.read(tmp_path)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    assert text.lines[-1] == "unfinished"
    assert text.gap == (10, 201 - 30, offsets[10])
    for i, line in enumerate(lines):
        place = text.line_at(offsets[i] + len(line) // 2)
        if i < 10 or i >= 181:
            assert line.rstrip().endswith(text.lines[place][-20:])
        else:
            assert place is None
