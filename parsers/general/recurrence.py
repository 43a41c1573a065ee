"""Lines that count once they recur: the same names beside other numbers, while a counter grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from capture.language.numbers import Value
from capture.language.readers import Line, Memory
from capture.parsers.general.form import Form
from capture.parsers.general.line import Statement

OCCURRENCES = 3  # that make a line certain
MOST_LINES = 100  # that are held back, of one source
MOST_CHARACTERS = 16_000
MOST_KINDS = 256  # of lines that are told apart
LINES_BELOW = 40  # that belong to a heading
LINES_BELOW_METRICS = 4  # that belong to a line of metrics
MOST_IDLE_HEADINGS = 16  # in a row, below which nothing was that may be metrics

IN_COMMON = 0.55  # of the names of two lines that are of one kind

_NO_DIGITS = str.maketrans("", "", "0123456789")
_Key = tuple[bool, tuple[str, ...]]  # whether the line has a counter of its own, and its names
_Counter = tuple[float, float]  # epoch and step, each NOT_COUNTED if it is not known
NOT_COUNTED = -1.0
NO_LIST = -1


class _List(NamedTuple):
    """Lines of one stream, one after the other; `is_clear`: one of them is certain by itself."""

    number: int
    is_clear: bool = False


class Held(NamedTuple):
    """A line that is held back.

    memory: what the parser remembered of the epoch and step when it was printed
    list_number: which of the lists that one line after the other makes it is part of; NO_LIST if of none
    """

    kind: _Key
    statement: Statement
    memory: Memory
    frame: Any
    size: int
    list_number: int

    @property
    def place(self) -> tuple[Statement, Memory]:
        """What says where in the run it is."""
        return self.statement, self.memory


@dataclass
class _Kind:
    """Lines with the same names."""

    grown: int = 0  # how many lines in a row had a higher counter than those before
    counter: _Counter = (NOT_COUNTED, NOT_COUNTED)
    first: dict[str, float] = field(default_factory=dict)  # the values of its first line
    changed: bool = False
    is_of_training: bool = False
    certain: bool = False
    rejected: bool = False


@dataclass
class _Headings:
    """The headings above a line: `Epoch 3`, `ITERATION 14`."""

    epoch: float | None = None
    step: float | None = None
    is_of_training: bool = False
    lines_left: int = 0
    idle: int = 0  # headings without a line of metrics below


class Recurrence:
    """What is known of the doubtful lines of one source: the same lines give the same answers.

    `is_of_training` says that other lines are known to be those of a training.
    """

    def __init__(self) -> None:
        self.is_of_training = False
        self._held: deque[Held] = deque()
        self._size = 0
        self._kinds: dict[_Key, _Kind] = {}
        self._headings = _Headings()
        self._totals: dict[str, float] = {}  # what headings say, by their words
        self._last: Any = None
        self._lists: dict[
            str | None, _List
        ] = {}  # of each stream: what another prints between does not end one
        self._begun = 0

    def end_list(self, stream: str | None) -> None:
        """Note a line that is not part of the list that those before it on its stream make."""
        self._begun += 1
        self._lists[stream] = _List(self._begun)

    def add_clear(self, is_list: bool, statement: Statement, stream: str | None = None) -> Sequence[Held]:
        """Note a line that is certain by itself: so are those of its list.  Returns those held back of it.

        One that is of no list ends all of them.

        Lines below it that recur belong to where it is, if it says so.
        """
        self.is_of_training = True
        above = self._headings
        if statement.has_position:
            above.epoch, above.step = statement.epoch, statement.step
        above.idle += 1
        if above.idle <= MOST_IDLE_HEADINGS:
            above.lines_left = max(above.lines_left, LINES_BELOW_METRICS)
        if not is_list:
            self._lists.clear()
            return ()
        number = self._list(stream).number
        self._lists[stream] = _List(number, is_clear=True)
        return self._release(lambda held: held.list_number == number)

    def _list(self, stream: str | None) -> _List:
        """The list that a line of this stream is part of, if it has the form of one."""
        if stream not in self._lists:
            self.end_list(stream)
        return self._lists[stream]

    @property
    def is_below_heading(self) -> bool:
        """Whether the next line is below a heading, or right below a line of metrics."""
        return self._headings.lines_left > 0

    def is_in_block(self, below: bool) -> bool:
        """Count a line below a heading, if it is one.  Returns whether the next one is below it, too."""
        if not below:
            return False
        self._headings.lines_left -= 1
        return self._headings.lines_left > 0

    def has_grown(self, text: str, statement: Statement) -> bool:
        """Whether a heading that may name a total (`Num steps: 20000`) counts: it was less before."""
        total = statement.step if statement.epoch is None else statement.epoch
        key = text.translate(_NO_DIGITS)
        before = self._totals.get(key)
        if total is None or (before is None and len(self._totals) >= MOST_KINDS):
            return False
        self._totals[key] = total
        return before is not None and total > before

    def begin_block(self, form: Form, statement: Statement, memory: Memory, stream: str | None) -> bool:
        """Note a heading, in the memory, too.  Returns whether the next line is expected."""
        above = self._headings
        self.end_list(stream)
        for name, value in (("epoch", statement.epoch), ("step", statement.step)):
            if value is not None:
                memory[name] = value
        if statement.epoch is not None:
            above.epoch, above.step = statement.epoch, statement.step
        else:
            above.step = statement.step
        above.is_of_training |= form.is_of_training
        above.lines_left = LINES_BELOW
        if form.line.section:  # [Epoch 3] Validation:
            self._lists[stream] = self._lists[stream]._replace(is_clear=True)
        above.idle += 1
        return above.idle <= MOST_IDLE_HEADINGS

    def add(self, form: Form, statement: Statement, memory: Memory, line: Line) -> Sequence[Held]:
        """The lines that are certain now that this one has come, itself the last; none if it is not."""
        if line.frame is self._last:  # the same line again, with its prefixes
            return ()
        stream = stream_of(line)
        if not form.is_list:
            self.end_list(stream)
        if not form.changing:
            return ()
        own = form.has_counter
        if not own:
            statement = statement._replace(epoch=self._headings.epoch, step=self._headings.step)
        self._headings.idle = 0
        key = (own, form.names)
        kind = self._kinds.pop(key, None) or _Kind()
        self._kinds[key] = kind
        if len(self._kinds) > MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        if kind.rejected:
            return ()
        known: Memory = {name: memory[name] for name in ("epoch", "step") if name in memory}
        of_list = self._list(stream) if form.is_list else _List(NO_LIST)
        held = Held(key, statement, known, line.frame, len(line.text), of_list.number)
        if of_list.is_clear:
            return [held._replace(memory=memory)]
        if not kind.certain:
            _compare(kind, form, statement, known)
            group = kind if own else self._headings
            group.is_of_training |= form.is_of_training
            is_of_training = group.is_of_training or self.is_of_training or not line.alone
            has_recurred = kind.grown >= OCCURRENCES and kind.changed
            kind.certain = is_of_training and (has_recurred or self._resembles_certain(key))
            if not kind.certain:
                self._last = line.frame
                self._hold(held)
                return ()
        return [*self._release(lambda held: held.kind == key), held._replace(memory=memory)]

    def _resembles_certain(self, key: _Key) -> bool:
        """Whether most names are those of a line that is certain: `best=0.5` is in some lines only."""
        own, names = key[0], set(key[1])
        others = (set(other[1]) for other, kind in self._kinds.items() if kind.certain and other[0] == own)
        return any(IN_COMMON * len(names | other) < len(names & other) > 1 for other in others)

    def _hold(self, held: Held) -> None:
        self._held.append(held)
        self._size += held.size
        while len(self._held) > MOST_LINES or self._size > MOST_CHARACTERS:
            self._size -= self._held.popleft().size

    def _release(self, is_certain: Callable[[Held], bool]) -> list[Held]:
        released = [held for held in self._held if is_certain(held)]
        if released:
            self._held = deque(held for held in self._held if not is_certain(held))
            self._size -= sum(held.size for held in released)
        return released


def stream_of(line: Line) -> str | None:
    """The stream that a line was printed on."""
    return line.frame.stream if line.frame else None


def _compare(kind: _Kind, form: Form, statement: Statement, memory: Memory) -> None:
    """Compare a line with those before it."""
    epoch: Value | None = statement.epoch if statement.epoch is not None else memory.get("epoch")
    counter = (
        float(epoch) if isinstance(epoch, (int, float)) else NOT_COUNTED,
        NOT_COUNTED if statement.step is None else float(statement.step),
    )
    if counter > kind.counter:
        kind.grown += 1
    elif counter < kind.counter:
        kind.grown = 1
    elif not form.has_counter:  # several lines below one heading have these names
        kind.rejected = True
    kind.counter = counter
    values = {name: statement.metrics[name] for name in form.changing}
    kind.changed |= any(name in kind.first and kind.first[name] != value for name, value in values.items())
    kind.first = kind.first or values
