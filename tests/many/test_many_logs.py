"""Many logs: files, folders, patterns, compressed ones; read by several processes, in the order of the files."""

import bz2
import gzip
import io
import json
import lzma
import os
import signal
from pathlib import Path

import pytest
from helpers import capture

import capture as public
from capture.errors import UserError
from capture.many import pool


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """Logs of three programs, one of them damaged, and files that are none."""
    monkeypatch.chdir(tmp_path)
    Path("logs/deep").mkdir(parents=True)
    for number, name in enumerate(["a.log", "b.out", "deep/c.log"], 1):
        lines = [f"epoch {number} step {step} loss {step / 8}\n" for step in range(1, 4)]
        Path("logs", name).write_text("".join(lines))
    Path("logs/model.pt").write_bytes(b"PK\0\0epoch 1 step 1 loss 9\n" * 100)
    Path("logs/.hidden").write_text("epoch 1 step 1 loss 9\n")
    return tmp_path


def parsed(*arguments):
    done = capture("parse", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def files_of(records):
    return list(dict.fromkeys(record["file"] for record in records))


def test_a_folder_is_read_in_the_order_of_its_files_without_what_is_no_text():
    records, done = parsed("logs")
    assert files_of(records) == ["logs/a.log", "logs/b.out", "logs/deep/c.log"]
    assert [record["epoch"] for record in records] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert (done.returncode, done.stderr) == (0, "")


def test_several_processes_print_the_same_as_one():
    Path("logs/0-large.log").write_text("".join(f"step {n} loss 0.5\n" for n in range(3000)))
    one, several = capture("parse", "logs"), capture("parse", "logs", "-j", "3")
    assert len(one.stdout.splitlines()) == 3009
    assert several.stdout == one.stdout


def test_a_pattern_is_read_and_each_file_once():
    records, _ = parsed("logs/a.log", "logs/**/*.log")
    assert files_of(records) == ["logs/a.log", "logs/deep/c.log"]
    assert len(records) == 6


def test_one_file_is_printed_without_its_name():
    records, _ = parsed("logs/a.log", "--json")
    assert "file" not in records[0]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, "zstd"])
def test_compressed_logs_are_read_whatever_they_are_called(compress):
    if compress == "zstd":
        compress = pytest.importorskip("backports.zstd").compress
    text = Path("logs/a.log").read_bytes()
    Path("packed.log").write_bytes(compress(text))
    records, _ = parsed("packed.log")
    assert records == parsed("logs/a.log")[0]
    assert list(public.parse("packed.log")) == list(public.parse(text))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_damaged_file_is_said_and_left_out(jobs):
    Path("logs/aa.log.gz").write_bytes(gzip.compress(os.urandom(5000))[:-3000])
    records, done = parsed("logs", "gone.log", "-j", jobs)
    assert files_of(records) == ["logs/a.log", "logs/b.out", "logs/deep/c.log"]
    assert done.returncode == 1
    assert "capture parse: logs/aa.log.gz: damaged: Compressed file ended" in done.stderr
    assert "there is no file 'gone.log'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("word", "said"),
    [("*.nope", "capture parse: *.nope: no file matches\n"), ("empty", "capture parse: empty: a folder without logs and runs\n")],
)  # fmt: skip
def test_nothing_found_is_one_sentence(word, said):
    Path("empty").mkdir()
    done = capture("parse", word)
    assert (done.returncode, done.stderr) == (2, said)


def test_runs_in_a_folder_are_read_as_recordings():
    capture("--to", "jsonl", "--project", "p", "--", "echo", "epoch 1: loss=0.5", cwd="logs")
    records, _ = parsed("logs/capture-runs")
    assert [(record["metrics"], record["context"]) for record in records] == [
        ({"loss": 0.5}, {"stream": "stdout"})
    ]


def test_replay_makes_a_run_of_each_log():
    Path("logs/b.gz").write_bytes(gzip.compress(Path("logs/b.out").read_bytes()))
    Path("logs/bad.gz").write_bytes(gzip.compress(os.urandom(5000))[:-3000])
    done = capture("replay", "logs/a.log", "logs/b.gz", "logs/bad.gz", "-j", "2", "--to", "jsonl", "--json")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert [(item["file"], item["records"]) for item in (first, second)] == [
        ("logs/a.log", 3),
        ("logs/b.gz", 3),
    ]
    assert Path(second["run"], "console.log").read_bytes() == Path("logs/b.out").read_bytes()
    assert json.loads(Path(second["run"], "run.json").read_text())["name"] == "b-1"
    assert "damaged" in third["problem"]
    assert (done.returncode, len(list(Path("capture-runs").glob("*/*/run.json")))) == (1, 2)


def test_a_binary_file_is_parsed_as_any_engine_hands_it_over():
    text = Path("logs/a.log").read_bytes()
    assert list(public.parse(io.BytesIO(text))) == list(public.parse(text))


def test_nothing_of_one_log_is_left_for_the_next():
    keras = b"Epoch 1/2\n\n5/5 - 0s - loss: 0.5000\n"
    first = list(public.parse(keras))
    list(public.parse(b"Epoch 7/9\nstep 3 loss 0.1\n"))
    assert list(public.parse(keras)) == first


def die(item):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_is_one_sentence():
    with pytest.raises(UserError, match="a process was killed"):
        list(pool.in_order(die, [1, 2], 2))
