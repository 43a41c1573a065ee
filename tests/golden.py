"""The records that the recordings in `fixtures/` must give.

    python tests/golden.py

writes them anew beside the recordings; the diff then shows what a change does to each of them.
"""

from helpers import FIXTURES, engine_of

from capture.parsing.pipeline import parse
from capture.records import to_json

RECORDINGS = sorted(FIXTURES.glob("*/*.raw"))


def records(recording):
    """The records of a recording, as `capture parse` prints them."""
    with recording.open("rb") as file:
        return "".join(to_json(record) + "\n" for record in parse(file, engine_of()))


def golden(recording):
    """Where the records that a recording must give stand."""
    return recording.with_suffix(".jsonl")


if __name__ == "__main__":
    for recording in RECORDINGS:
        golden(recording).write_text(records(recording), encoding="utf-8")
