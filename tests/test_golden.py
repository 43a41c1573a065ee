"""Recordings of real programs give the records that stand beside them."""

import itertools

import pytest
from golden import RECORDINGS, golden, records


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recording_gives_its_records(recording):
    given = records(recording).splitlines()
    wanted = golden(recording).read_text(encoding="utf-8").splitlines()
    for index, (got, want) in enumerate(itertools.zip_longest(given, wanted)):
        assert got == want, f"record {index} differs; `python tests/golden.py` writes all anew"


@pytest.mark.parametrize(
    "recording",
    [path for path in RECORDINGS if path.parent.name.startswith("noise_")],
    ids=lambda p: p.parent.name,
)
def test_what_is_no_training_gives_nothing(recording):
    assert records(recording) == ""
