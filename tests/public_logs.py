"""How much is read of logs that people pasted in public places.

    python tests/public_logs.py [NAME...]

lists what is missed, wrong or misplaced in `fixtures/public_logs`.  Each folder there has `log.txt`,
`about.json` (where it is from; whether it is noise, in which nothing is to be found) and `expected.jsonl`:
for each line with values what a careful reader takes from it, written before anybody looked at what is read.
`optional` values may be read or not: times, memory, counters.
"""

import json
import math
import sys
from bisect import bisect_right
from dataclasses import dataclass, field

from helpers import FIXTURES, engine_of

from capture.parsing.pipeline import parse

LOGS = sorted(path.parent for path in (FIXTURES / "public_logs").glob("*/about.json"))
SLACK = 2  # lines: the record of a wrapped line, or of one that waited, may end further down
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass
class Score:
    """Counts over one log or many; `faults` are sentences."""

    wanted: int = 0
    found: int = 0
    placeable: int = 0
    placed: int = 0
    spurious: int = 0
    given: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other):
        for name in ("wanted", "found", "placeable", "placed", "spurious", "given"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self):
        share = lambda part, of: part / of if of else 1.0  # noqa: E731
        return (
            f"recall {share(self.found, self.wanted):.3f}  precision "
            f"{1 - share(self.spurious, self.given) if self.given else 1:.3f}  "
            f"steps {share(self.placed, self.placeable):.3f}"
        )


def is_noise(log):
    """Whether nothing is to be found in this log."""
    return json.loads((log / "about.json").read_text())["noise"]


def records(log, engine=None):
    """The records with metrics of a log, each with the numbers of its first and last line, from 1.

    Read by all built-in parsers, or by the engine.
    """
    data = (log / "log.txt").read_bytes()
    starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
    engine = engine or engine_of()
    with (log / "log.txt").open("rb") as file:
        for record in parse(file, engine):
            if record.metrics:
                offset, span = record.at
                yield record, [bisect_right(starts, at) for at in (offset, offset + max(span, 1) - 1)]


def score(log, engine=None):
    """What is found of what is expected in a log, by all built-in parsers or by the engine."""
    values = [
        [lines, name, value, record]
        for record, lines in records(log, engine)
        for name, value in record.metrics.items()
    ]
    if is_noise(log):
        return Score(spurious=len(values), given=len(values), faults=[f"{v[1]}={v[2]}" for v in values])
    expected = [json.loads(line) for line in (log / "expected.jsonl").read_text().splitlines()]
    result, left = Score(given=len(values)), list(values)
    wanted = [
        (item, name, NOT_FINITE.get(value, value), kind == "metrics")
        for kind in ("metrics", "optional")
        for item in expected
        for name, value in item[kind].items()
    ]
    for slack in (0, SLACK):
        missed = []
        for item, name, value, must in wanted:
            fits = [v for v in left if _is_on(v[0], item["line"], slack) and is_equal(v[2], value)]
            if not fits:
                missed.append((item, name, value, must))
                continue
            best = min(fits, key=lambda v: len(_words(v[1]) ^ _words(name)))
            left.remove(best)
            if must:
                result.found += 1
                _place(best[3], item, name, result)
        wanted = missed
    result.wanted = result.found + sum(must for *_, must in wanted)
    result.faults += [f"missing line {i['line']}: {name}={value}" for i, name, value, must in wanted if must]
    counters = [(i["line"], at) for i in expected for axis in ("step", "epoch") for at in _several(i[axis])]
    for lines, name, value, _ in left:
        if any(_is_on(lines, line, 0) and is_equal(value, at) for line, at in counters):
            result.given -= 1  # a counter that is read as a metric is neither right nor wrong
            continue
        result.spurious += 1
        result.faults.append(f"wrong line {lines[0]}: {name}={value}")
    return result


def _place(record, item, name, result):
    for axis in ("step", "epoch"):
        allowed = _several(item[axis])
        if allowed:
            result.placeable += 1
            got = getattr(record, axis)
            if got is not None and any(abs(got - one) < 1e-6 for one in allowed):
                result.placed += 1
            else:
                result.faults.append(f"misplaced line {item['line']}: {name} {axis} {got}, not {item[axis]}")


def _several(value):
    return [one for one in (value if isinstance(value, list) else [value]) if one is not None]


def _is_on(lines, line, slack):
    return lines[0] - slack <= line <= lines[1] + slack


def is_equal(one, other):
    """Whether two numbers are equal; a percentage may be read as 91.2 or as 0.912."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    pairs = ((one, other), (one * 100, other), (one, other * 100))
    return any(a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) for a, b in pairs)


def _words(name):
    return set("".join(c if c.isalnum() else " " for c in name.lower()).split())


def total(logs):
    """The score over some logs."""
    result = Score()
    for log in logs:
        result.add(score(log))
    return result


if __name__ == "__main__":
    chosen = [log for log in LOGS if not sys.argv[1:] or log.name in sys.argv[1:]]
    for log in chosen:
        one = score(log)
        print(f"{log.name:32} {'noise' if is_noise(log) else one}")
        for fault in one.faults:
            print(f"    {fault}")
    print(total([log for log in chosen if not is_noise(log)]))
