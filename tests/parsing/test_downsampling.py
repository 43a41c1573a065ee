"""`--every`: fewer records of bars, and never the last one of an epoch lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, engine_of, only_run
from hypothesis import given
from hypothesis import strategies as st

from capture.language import library
from capture.parsing.downsampling import downsampler
from capture.parsing.pipeline import Pipeline

PARSERS = [library.by_name(name) for name in ("llama2c", "tqdm")]


def bars(epochs=2, refreshes=100, end="\n"):
    """A bar of 100 steps for each epoch, a second for each refresh."""
    for epoch in range(1, epochs + 1):
        for step in range(1, refreshes + 1):
            last = end if step == refreshes else ""
            shown = f"Epoch {epoch}/{epochs}: {step}%|###| {step}/{refreshes} [00:01<00:01, 1.0it/s, loss={step + epoch / 10}]"
            yield f"\r{shown}{last}".encode()


def read(chunks, every=None):
    pipeline, offset, found = (
        Pipeline(engine_of(PARSERS, downsampler=downsampler(every) if every else None)),
        0,
        [],
    )
    for second, data in enumerate(chunks):
        found += pipeline.feed(data, offset, "tty", float(second))
        offset += len(data)
    return found + pipeline.finish(float(second))


def test_a_bar_gives_a_record_every_so_many_steps_and_the_last_of_each_epoch():
    found = read(bars(), "50")
    assert [(record.epoch, record.metrics["loss"]) for record in found] == [
        (1, 1.1), (1, 51.1), (1, 100.1), (2, 50.2), (2, 100.2)]  # fmt: skip


def test_a_bar_gives_a_record_every_so_many_seconds():
    times = [record.time for record in read(bars(epochs=1), "30s")]
    assert times == [1, 31, 61, 91, 99]
    assert [record.time for record in read(bars(epochs=1), "0.5m")] == times


def test_what_an_epoch_said_last_is_kept_though_its_line_is_never_finished():
    found = read(bars(end=""), "50")
    assert [record.metrics["loss"] for record in found if record.epoch == 1][-1] == 100.1
    assert found[-1].metrics["loss"] == 100.2


def test_finished_lines_are_all_kept():
    lines = [f"iter {i}: loss 0.{i}, time 5ms, mfu 2%\n".encode() for i in range(20)]
    assert len(read(lines, "1h")) == 20


@given(st.integers(1, 60), st.integers(1, 3), st.sampled_from(["\n", ""]))
def test_what_is_kept_is_part_of_what_there_was(every, epochs, end):
    chunks = list(bars(epochs, 60, end))
    everything, found = read(chunks), read(chunks, str(every))
    assert [record for record in found if record not in everything] == []
    lasts = {record.epoch: record for record in everything}
    assert {record.epoch: record for record in found} == lasts
    assert len(found) <= epochs * (60 // every + 3)


@pytest.mark.parametrize("every", ["", "s", "fast", "1.5", "10 s", "-3", "10d"])
def test_anything_else_is_explained(every):
    with pytest.raises(ValueError, match="should be a time such as 10s, or a number of steps such as 50"):
        downsampler(every)


@pytest.mark.parametrize(
    ("options", "environ", "config"),
    [(["--every", "50"], {}, ""), ([], {"CAPTURE_EVERY": "50"}, ""), ([], {}, "every: 50\n")],
    ids=["option", "variable", "file"],
)
def test_a_run_is_thinned_as_it_is_told(options, environ, config, monkeypatch):
    Path("capture.yaml").write_text(config)
    Path("bars").write_bytes(b"".join(bars()))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", "import sys; sys.stdout.buffer.write(open('bars', 'rb').read())"]
    subprocess.run([*CAPTURE, "--to", "jsonl", *options, "--", *command], check=True, capture_output=True)
    rows = [json.loads(line) for line in (only_run() / "metrics.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == [1.1, 51.1, 100.1, 50.2, 100.2]


def test_a_wrong_setting_stops_the_start():
    done = subprocess.run(
        [*CAPTURE, "--every", "often", "--", "true"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2, "capture: --every: 'often' should be a time such as 10s, or a number of steps such as 50\n")  # fmt: skip
