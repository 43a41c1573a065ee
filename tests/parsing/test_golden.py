"""Recordings of real programs give the records that stand beside them."""

import itertools
import json

import pytest
from golden import FIXTURES, RECORDINGS, golden, records

from capture.console.frames import visible


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recording_gives_its_records(recording):
    given = records(recording).splitlines()
    wanted = golden(recording).read_text(encoding="utf-8").splitlines()
    for number, (got, want) in enumerate(itertools.zip_longest(given, wanted), 1):
        if got != want:
            pytest.fail(
                f"{golden(recording).name}:{number} is the first line that differs\n"
                f"wanted: {want}\n   got: {got}\n"
                "`python tests/golden.py` writes all anew: look at the diff before you keep it",
                pytrace=False,
            )


def test_every_recording_says_what_it_is_and_nothing_is_left_over():
    folders = [f for f in FIXTURES.iterdir() if f.is_dir() and f.name not in ("public_logs", "sweeps")]
    assert [f.name for f in folders if not (f / "case.json").exists() or not list(f.glob("*.raw"))] == []
    assert {golden(path) for path in RECORDINGS} == set(FIXTURES.glob("*/*.jsonl"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_record_leads_back_to_bytes_that_show_its_numbers(recording):
    raw = recording.read_bytes()
    for line in golden(recording).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        offset, span = record["at"]
        shown = visible(raw[offset : offset + span]).decode()
        last = offset + span == len(raw) or raw[offset + span] in b"\n\r\x08\x1b"
        assert last and (raw[offset - 1 : offset] or b"\n") in b"\n\r\x08HAKG", record
        if record["parser"] in ("keras", "general"):
            values = [v for v in record["metrics"].values() if not isinstance(v, str)]
            assert all(
                any(f"{v:.{d}f}" in shown or f"{v:.{d}e}" in shown or repr(v) in shown for d in range(7))
                for v in values
            )


@pytest.mark.parametrize(
    "recording",
    [path for path in RECORDINGS if path.parent.name.startswith("noise_")],
    ids=lambda p: p.parent.name,
)
def test_what_is_no_training_gives_no_metrics(recording):
    found = [json.loads(line) for line in records(recording).splitlines()]
    assert [record for record in found if record["metrics"] or not record["config"]] == []
