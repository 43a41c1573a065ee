"""What other programs print is no candidate of any parser: to look at each such line would cost fifty microseconds."""

import random

import pytest

from capture.language.library import built_in
from capture.parsing.engine import Engine

WORDS = [
    "the", "queue", "checkpoint", "seed", "default", "index", "loading", "restored", "weights", "kernel", "special",
    "request", "started", "clipped", "allocated", "dataset", "version", "thread", "worker", "memory", "tokenizer",
    "layer", "folder", "shard", "state", "skipped", "optimizer", "pool",
]  # fmt: skip
MOST = 0.02  # of the lines


def words(dice):
    return " ".join(dice.choices(WORDS, k=dice.randint(3, 12)))


FORMS = {
    "Python's logging": lambda dice, n: f"2026-11-21 00:00:{n % 60:02},{n:03} - root - INFO - {words(dice)}",
    "level first": lambda dice, n: f"INFO: {words(dice)}: {n}",
    "brackets": lambda dice, n: f"[2026-11-21 00:00:{n % 60:02}] [{words(dice)}] {words(dice)}",
    "dashes": lambda dice, n: f"{words(dice)} - {words(dice)}",
    "a share": lambda dice, n: f"{words(dice)}: {n} / {n + 9} ({n % 100} %)",
    "comment": lambda dice, n: f"# {words(dice)}",
    "key and value": lambda dice, n: f"{dice.choice(WORDS)}={n} {dice.choice(WORDS)}={words(dice)!r}",
    "JSON": lambda dice, n: f'{{"{dice.choice(WORDS)}": {n}, "{dice.choice(WORDS)}": "{words(dice)}"}}',
    "access log": lambda dice, n: (
        f'127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /{n}.gif HTTP/1.0" 200 {n}'
    ),
    "path": lambda dice, n: f"/srv/{'/'.join(dice.choices(WORDS, k=3))}/{n}.bin: copied in {n / 1000}s",
    "Python's warnings": lambda dice, n: f"/srv/{dice.choice(WORDS)}-{n}.py:{n}: UserWarning: {words(dice)}",
    "table": lambda dice, n: f"| {dice.choice(WORDS):20} | {n:6} | {words(dice)} |",
    "words": lambda dice, n: words(dice),
}


@pytest.mark.parametrize("form", FORMS)
def test_lines_of_other_programs_are_no_candidates(form):
    engine, dice = Engine([parser for parser, _ in built_in()]), random.Random(7)
    lines = [FORMS[form](dice, n) for n in range(1000)]
    found = {
        rule.parser.name: sorted(literal for literal in rule.matcher.literals if literal in line)
        for line in lines
        for rule in engine.rules
        if rule.matcher.literals and any(literal in line for literal in rule.matcher.literals)
    }
    assert sum(map(engine._index.may_match, lines)) <= MOST * len(lines), found
