"""Built-in patterns, which have no time limit, take linear time on long lines."""

import time
from itertools import product

import pytest

from capture.console.frames import Frame
from capture.language import library
from capture.parsing.rule import Rule
from capture.parsing.state import State

PARSERS = [parser for parser, _ in library.built_in()]
LENGTH = 2000
FLOOR = 0.008  # seconds: what takes less is not measured
FILLERS = [" ", "1", "a", "━", "1 ", " a=1", "a/"]


def seconds(rule, text):
    """The CPU time of reading a line, the least of three where it is worth measuring."""
    taken = []
    while len(taken) < 3:
        started = time.thread_time()
        rule.read(Frame(text.encode(), "newline", 0, len(text), None, None), text, State())
        taken.append(time.thread_time() - started)
        if taken[-1] < FLOOR:
            break
    return min(taken)


def lines(parser, rule):
    """A line of the samples that a rule matches, and one that it may not match."""
    found = [line for sample in parser.samples for line in sample.text.splitlines() if line.strip()]
    match = getattr(rule.matcher, "match", None)
    matching = [line for line in found if match and match(line) is not None]
    return [*matching[:1], *found[:1]]


def stretched(line, filler, length):
    """The line with a filler of this length before, in and behind it, and what that is cut off from."""
    places = sorted({0, len(line), len(line) // 2, *(line.find(c) for c in " :=" if c in line)})
    for place in places:
        middle = (filler * length)[:length]
        yield line[:place] + middle + line[place:]
        yield line[:place] + middle


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_line_of_twice_the_length_takes_at_most_three_times_as_long(parser):
    slow = []
    for number, pattern in enumerate(parser.patterns):
        rule = Rule(parser, pattern)
        for line, filler in product(lines(parser, rule), FILLERS):
            texts = zip(stretched(line, filler, LENGTH), stretched(line, filler, 2 * LENGTH), strict=True)
            for short, long in texts:
                one = seconds(rule, short)
                if one > FLOOR and (two := seconds(rule, long)) > 3 * one:
                    slow.append((number, pattern.source[:50], filler, short[:60], one, two))
    assert slow == []
