"""Plans read what the rules would read: the same records, for all recordings and whatever their digits are."""

import random
import re

import pytest
from golden import RECORDINGS

from capture.language import library
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline

MOST_BYTES = 12_000  # of a recording
_DIGIT = re.compile(rb"(?<!\x1b\[)(?<!\x1b\[\d)(?<![\d;]m)\d")


def other_digits(data, dice):
    """The same text with other digits, but for those of escape sequences; many stay as they are."""
    parts = re.split(rb"(\x1b\[[0-9;?]*[A-Za-z])", data)
    changed = [_DIGIT.sub(lambda m: b"%d" % dice.randrange(10) if dice.random() < 0.6 else m[0], part)
               for part in parts[::2]]  # fmt: skip
    return b"".join(text + escape for text, escape in zip(changed, [*parts[1::2], b""], strict=True))


def longer_numbers(data, dice):
    """The same text, in which some numbers have a digit more or less."""
    parts = re.split(rb"(\x1b\[[0-9;?]*[A-Za-z])", data)
    changed = [
        re.sub(rb"\d(?=[\d.])", lambda m: dice.choice([b"", m[0], m[0], m[0], m[0] + b"7"]), part)
        for part in parts[::2]
    ]
    return b"".join(text + escape for text, escape in zip(changed, [*parts[1::2], b""], strict=True))


def records(data, dice, streams, plans):
    """The records of some chunks on some streams, and how many lines were understood."""
    engine = Engine([parser for parser, _ in library.built_in()], plans=plans)
    pipeline, found, at = Pipeline(engine), [], 0
    while at < len(data):
        stop = at + dice.choice([7, 60, 500, 4000])
        if len(streams) > 1:  # a line is printed on one stream
            newline = data.find(b"\n", stop)
            stop = newline + 1 if newline >= 0 else len(data)
        time = 1000.0 + at if dice.random() < 0.5 else None
        found += pipeline.feed(data[at:stop], at, dice.choice(streams), time)
        at = stop
    return [repr(record) for record in [*found, *pipeline.finish()]], engine.understood, engine.events


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_plans_read_what_the_rules_read(recording):
    dice = random.Random(str(recording.relative_to(recording.parents[1])))
    data = recording.read_bytes()[:MOST_BYTES]
    again = [data, other_digits(data, dice), longer_numbers(data, dice), other_digits(data, dice)]
    streams = dice.choice([["tty"], ["stdout"], ["stdout", "stderr"]])
    text, seed = b"".join(again), dice.random()
    by_plans = records(text, random.Random(seed), streams, plans=True)
    by_rules = records(text, random.Random(seed), streams, plans=False)
    assert by_plans == by_rules
