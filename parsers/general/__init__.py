"""The careful reader for programs that no parser knows.

It takes a line that has a metric's word beside a number and is made of such pairs, of positions
(`epoch 3`, `[12/100]`) and of little else; or that ends in a mapping of such pairs.  A line of the same form
without such a word is held back until it has recurred often enough.

A new kind of pair or position is one more recogniser in `pairs` or `positions`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from capture.language.numbers import Value
from capture.language.readers import Answer, Found, Line, LinePlan, Memory
from capture.parsers import vocabulary
from capture.parsers.general import form, mapping, scanner, section, spread
from capture.parsers.general.known_lines import KnownLines, digits_in_names
from capture.parsers.general.line import POSITIONS, Scan, ScannedLine, Statement
from capture.parsers.general.progress import Progress
from capture.parsers.general.recurrence import Held, Recurrence, stream_of
from capture.parsers.general.section import Section
from capture.parsers.general.spread import Spread
from capture.parsers.vocabulary import Clarity

LITERALS = vocabulary.LITERALS | {spread.LITERAL}
LONGEST = 1000  # characters: a longer line is no line of metrics, unless it is a mapping

_known: KnownLines[Scan] = KnownLines()


@dataclass
class Run:
    """What is kept from line to line of one source."""

    progress: Progress = field(default_factory=Progress)
    recurrence: Recurrence = field(default_factory=Recurrence)
    section: Section = field(default_factory=Section)
    spread: Spread = field(default_factory=Spread)


def begin() -> Run:
    """What is kept from line to line: nothing is known of the run yet."""
    return Run()


def read(line: Line, run: Run, memory: Memory) -> Answer:
    """The metrics of a line and how far the run is; those of earlier lines that it makes certain."""
    if run.spread.is_open(line):
        lines = run.spread.add(line)
        return _read_spread(lines, run, memory) if lines else Answer(expects_next=True)
    if spread.begins(line.text):
        run.spread.begin(line)
        return Answer(expects_next=True)
    return _read_line(line, run, memory)


def _read_spread(lines: Sequence[Line], run: Run, memory: Memory) -> Answer:
    """What a mapping says that was printed on several lines; what each of them says if it is none."""
    whole = spread.whole(lines)
    answer = _read_line(whole, run, memory) if whole else Answer()
    if answer.found:
        return answer
    return _read_each(lines, run, memory)


def _read_each(lines: Sequence[Line], run: Run, memory: Memory) -> Answer:
    """What each of some lines says."""
    found: list[Found] = []
    answer = Answer()
    for line in lines:
        answer = _read_line(line._replace(expected=answer.expects_next), run, memory)
        found += [Found({"epoch": math.nan, **values}, frame) for values, frame in answer.found]
    return Answer(found, answer.expects_next)


def finish(run: Run, memory: Memory) -> Sequence[Found]:
    """What was held back when the output ended."""
    return _read_each(run.spread.finish(), run, memory).found


def _read_line(line: Line, run: Run, memory: Memory) -> Answer:
    """The same as `read`, of a line that is one."""
    if not line.expected:
        run.recurrence.end_list(stream_of(line))  # there may be others between
    below = line.expected and run.recurrence.is_below_heading
    if part := section.part_of(line.text):
        run.section.begin(part, line)
        return Answer(expects_next=run.recurrence.is_in_block(below))
    clear = _clear_statement(line, below)
    if clear is None:
        return _read_doubtful(line, below, run, memory)
    of_line, statement = clear
    statement = statement._replace(metrics=run.section.metrics(line, statement))
    before = run.recurrence.add_clear(form.is_list_of_pairs(of_line), statement, stream_of(line))
    found = [
        *(_found_later(held, run) for held in before),
        Found({**statement.metrics, **run.progress.place(statement, memory)}, line.frame),
    ]
    return Answer(found, run.recurrence.is_in_block(True))


def _found_later(held: Held, run: Run) -> Found:
    """The values of a line that was held back."""
    return Found({"epoch": math.nan, **held.statement.metrics, **run.progress.place(*held.place)}, held.frame)


def plan(text: str) -> LinePlan | None:
    """How lines are read that differ in their numbers alone, if this one's words make it one of metrics."""
    if spread.begins(text) or spread.may_be_inside(text):
        return None
    scan = _known.get(text) if len(text) <= LONGEST and vocabulary.holds_metric(text) else None
    if scan is None or scan.line is None or form.is_list_of_pairs(scan.line):
        return None
    line = scan.line
    spans = [
        *line.metrics.values(),
        *line.positions.values(),
        *(span for pair in line.ordered for span in pair),
    ]
    readers = [span.read for span in spans]
    metrics, count = tuple(line.metrics), len(line.metrics)
    positions = {name: at for at, name in enumerate(line.positions, count)}
    end = count + len(positions)
    # Where each position of a statement is among the numbers; the last of those stands for what is not there.
    counted = itemgetter(*(positions.get(name, -1) for name in POSITIONS))
    pairs = [(at, at + 1) for at in range(end, len(spans), 2)]
    beside, is_clear = (line.bar, line.step_of_epoch), line.clearest >= Clarity.CLEAR

    def read(
        texts: Sequence[str], run: Run, memory: Memory, alone: bool
    ) -> tuple[Mapping[str, Value], bool] | None:
        numbers: list[Any] = [read(text) for read, text in zip(readers, texts)]
        if not math.isfinite(sum(numbers[count:end])):
            return None
        for part, total in pairs:
            if not 0 < numbers[total] >= numbers[part]:
                return None
        values = dict(zip(metrics, numbers))
        statement = Statement._make((values, *counted([*numbers, None]), *beside))
        if run.section.part or (not is_clear and not (statement.has_position and alone)):
            return None
        recurrence = run.recurrence
        recurrence.add_clear(False, statement)
        return {**values, **run.progress.place(statement, memory)}, recurrence.is_in_block(True)

    return LinePlan([slice(start, end) for start, end, _ in spans], digits_in_names(text), read)


def rejects(text: str) -> bool:
    """Whether it is known that no line says anything that differs from this one in its numbers alone."""
    if digits_in_names(text) or section.part_of(text) or spread.begins(text):
        return False  # they are numbers in another line
    if vocabulary.holds_metric(text):
        scan = _known.get(text)
        if scan is None or scan.line is not None:
            return False
    return form.rejects(text)


def _clear_statement(line: Line, below: bool) -> tuple[ScannedLine, Statement] | None:
    """What a line says by its words; None if they don't make it one of metrics."""
    if line.is_heading or not (below or vocabulary.holds_metric(line.text)):
        return None
    found, plain, _ = _scan(line.text)
    if found is None:
        return None
    statement = found.statement(plain)
    is_placed = statement.has_position or below
    is_clear = found.clearest >= Clarity.CLEAR or (is_placed and line.alone)
    return (found, statement) if is_clear else None


def _read_doubtful(line: Line, below: bool, run: Run, memory: Memory) -> Answer:
    """What a line says by its form, once this has recurred: it is a heading, below one, or has a counter."""
    of_line, plain = form.of(line.text, below)
    if of_line is None:
        run.recurrence.end_list(stream_of(line))
        return Answer(expects_next=run.recurrence.is_in_block(below))
    statement = of_line.line.statement(plain)
    if of_line.is_heading and not (of_line.is_total and not run.recurrence.has_grown(line.text, statement)):
        begun = run.recurrence.begin_block(of_line, statement, memory, stream_of(line))
        if statement.step is not None:
            run.progress.begin_step()
        return Answer(expects_next=begun)
    if line.is_heading:
        return Answer(expects_next=run.recurrence.is_in_block(below))
    found = [_found_later(held, run) for held in run.recurrence.add(of_line, statement, memory, line)]
    return Answer(found, run.recurrence.is_in_block(below) or of_line.is_list)


def _scan(text: str) -> Scan:
    start = mapping.start(text)
    if len(text) > LONGEST:
        return mapping.scan(text, start) if start >= 0 else Scan(None, text, False)
    known = _known.get(text)
    if known is not None and (known.line is None or known.line.holds_for(text)):
        return Scan(known.line, text, True)
    scan = mapping.scan(text, start) if start >= 0 else scanner.scan(text)
    if scan.reusable:
        if scan.line is not None and scan.text == text:
            scan.line.read_faster(text)
        _known.add(text, scan)
    return scan
