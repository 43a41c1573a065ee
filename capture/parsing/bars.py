"""Progress bars: to which step the values beside a bar belong.

A bar shows a count, and programs differ in when they draw the values that belong to it.  There is a class for
each way: `AheadBar`, `BehindBar` and `ExactBar`.  Each has `refresh(drawing)`, which returns the values whose
step that drawing has made certain, and `finish()`, which returns those left when the output ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from capture.console.frames import Frame
from capture.language import key_values
from capture.language.shape_cache import ShapeCache

MOST_VALUES = 1000  # beside one bar
_NOT_A_NAME = re.compile(r"(?i)\bepochs?\b|\biter(?:ation)?s?\b|\bsteps?\b|\bof\b|[^\w\s]|\d+|_")
_CLOCK = re.compile(r"\[(\d+:[\d:]+)<")
_NO_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class Drawing:
    """What a bar shows when it is drawn.

    count: how far it is, from 0; -1 for a bar that is not drawn yet
    metrics: the values beside it
    epoch: only one that the bar itself shows: another bar's does not tell when this one starts over
    total: the count of the full bar, if it shows that
    frame: where it is drawn
    context: what its records say beside their values
    placed: the epoch that its records are given, that of a heading above it perhaps
    """

    count: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    epoch: float | None = None
    total: float | None = None
    frame: Frame | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    placed: float | None = None


class Settled(NamedTuple):
    """Values whose step is certain."""

    step: int
    epoch: float | None
    metrics: Mapping[str, float]


@dataclass
class Row:
    """Bars of the same name that follow each other: each counts from zero, the steps go on.

    train: 100%|██████| 60/60      step 60
    train:   2%|      |  1/60      step 61
    """

    base: int = 0  # steps of the bars before this one
    last: Drawing = field(default_factory=lambda: Drawing(-1))
    previous_epoch: float | None = None  # of the bar before this one
    has_filled: bool = False  # whether a bar was drawn before it was full

    def is_next_bar(self, drawing: Drawing) -> bool:
        """Whether this is the first drawing of the next bar; whether bars fill is noted."""
        last = self.last
        self.has_filled |= drawing.count != drawing.total
        return (
            drawing.count < last.count
            or (drawing.epoch != last.epoch and last.epoch is not None and drawing.count <= last.count)
            or (drawing.count == last.count and self._is_full_again(drawing))
        )

    def _is_full_again(self, drawing: Drawing) -> bool:
        """Whether a full bar follows another: a log may hold the last drawing of each bar alone."""
        last = self.last
        if self.has_filled or not (drawing.frame and last.frame and last.frame.final):
            return False
        return drawing.placed != last.placed or _clock(drawing.frame.text) != _clock(last.frame.text)

    def may_have_been_full(self, drawing: Drawing) -> bool:
        """Whether the bar before this drawing may have reached its total without being drawn so.

        One that stays on the screen has shown its last count; one that is erased once it is full has not.
        """
        erased = self.last.frame is None or not self.last.frame.final
        return erased or drawing.epoch != self.last.epoch

    def begin_next_bar(self, drawing: Drawing, full: bool) -> None:
        """Count on from the last bar, or from zero where the epochs start over, too.

        full: whether the last bar is taken to have reached its total
        """
        last = self.last
        if drawing.epoch is not None and last.epoch is not None and drawing.epoch < last.epoch:
            self.base = 0
        else:
            self.base += (
                int(drawing.total) if full and drawing.total and last.count > 0 else max(last.count, 0)
            )
        self.previous_epoch = last.placed
        self.last = replace(last, count=-1)


@dataclass
class AheadBar:
    """A bar that draws values first and moves its count some drawings later, as tqdm's `set_postfix`.

    0/60                  nothing yet
    0/60, loss=3          held back
    0/60, loss=2          held back
    2/60, loss=2          step 1: 3, step 2: 2

    If the count moves by as many steps as there were drawings, or drawings with new values, each is a step.
    If not, only the step of the last one is certain, and the others are left out.

    A loop that calls `update(1)` and then `set_postfix` moves the count first, as its first values show:

    0/60                  nothing yet
    1/60                  nothing yet
    1/60, loss=3          step 1: 3
    2/60, loss=3          the count has moved: this is still the value of step 1
    2/60, loss=2          step 2: 2
    """

    row: Row = field(default_factory=Row)
    shown: Mapping[str, float] = field(default_factory=dict)
    held: list[tuple[Mapping[str, float], bool]] = field(default_factory=list)  # beside this count; new?
    settled: bool = False  # whether this bar has given a step
    first: int = -1  # the count of this bar's first drawing
    moved: bool = False  # whether the last drawing has moved the count
    count_first: bool = False  # whether this bar moves its count before it draws the values of it

    def refresh(self, drawing: Drawing) -> list[Settled]:
        """The values whose step is certain with this drawing."""
        row, settled = self.row, []
        if row.is_next_bar(drawing):
            settled = self.finish()
            row.begin_next_bar(drawing, full=row.may_have_been_full(drawing))
            self.shown, self.settled, self.count_first = {}, False, False
        count, metrics, last_count = drawing.count, drawing.metrics, row.last.count
        if last_count < 0:
            self.first = count
        moved_before, self.moved = self.moved, count != last_count
        row.last = drawing
        if not metrics:
            return settled
        is_new, is_first, self.shown = metrics != self.shown, not self.shown, metrics
        if is_first and moved_before and not self.moved and count == self.first + 1:
            self.count_first = True
        if self.count_first:
            is_of_count = is_new or (moved_before and not self.moved)
            return settled + [Settled(row.base + count, drawing.placed, metrics)] * is_of_count
        if count == last_count or (last_count < 0 and count == 0):
            self.held.append((metrics, is_new))
            return settled
        steps = [metrics]
        if not is_new:
            steps = self._held_steps(count - last_count) or steps
            if steps == [metrics] and not self.settled:  # a bar may begin at 1, as ignite's
                steps = self._held_steps(count) or steps
        self.held, self.settled = [], True
        if is_new:
            return [*settled, Settled(row.base + count, drawing.placed, metrics)]
        first = row.base + count - len(steps) + 1
        return settled + [Settled(step, drawing.placed, values) for step, values in enumerate(steps, first)]

    def _held_steps(self, moved: int) -> list[Mapping[str, float]]:
        """The values that were held back, if there are as many as the count has moved; else none."""
        every = [metrics for metrics, _ in self.held]
        new = [metrics for metrics, is_new in self.held if is_new]
        return every if len(every) == moved else new if len(new) == moved else []

    def finish(self) -> list[Settled]:
        """The last values that were held back: each drawing with new ones was a step, never counted."""
        new = [metrics for metrics, is_new in self.held if is_new]
        self.held = []
        last = self.row.last
        return [Settled(self.row.base + last.count + len(new), last.placed, new[-1])] if new else []


@dataclass
class BehindBar:
    """A bar that moves its count first and then draws its values, as Lightning's.

    1/60                  the count has moved
    1/60, loss=3          step 1: 3
    2/60, loss=3          the count has moved: this is still the value of step 1
    2/60, loss=2          step 2: 2
    """

    row: Row = field(default_factory=Row)
    shown: Mapping[str, float] = field(default_factory=dict)
    redrawn: bool = False  # whether the last drawing left the count where it was
    drawings: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)  # of each value
    prompt_changes: Mapping[str, int] = field(
        default_factory=dict
    )  # in the first drawing after the count moved
    changed_here: set[str] = field(default_factory=set)  # beside this count

    def refresh(self, drawing: Drawing) -> list[Settled]:
        """The values whose step is certain with this drawing."""
        row = self.row
        if row.is_next_bar(drawing):
            row.begin_next_bar(drawing, full=row.may_have_been_full(drawing))
        metrics = self._of_this_count(drawing.count, drawing.metrics)
        row.last = drawing
        self.shown = {**self.shown, **drawing.metrics} if len(self.shown) < MOST_VALUES else drawing.metrics
        if not metrics or not (drawing.count > 0 or row.base):
            return []
        # Results of a validation may be drawn only once the next bar has begun.
        epoch = drawing.placed if drawing.count else row.previous_epoch
        return [Settled(row.base + drawing.count, epoch, metrics)]

    def _of_this_count(self, count: int, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """The values that were drawn for this count: those that are new, and those that move with the count.

        A validation's results stay on the bar all through the next epoch.  What moves with the count
        comes in the first drawing after the count has moved, equal values too; or it changes often.
        """
        has_moved = count != self.row.last.count
        is_prompt = not has_moved and not self.redrawn
        self.redrawn = not has_moved
        new = {name for name, value in metrics.items() if self.shown.get(name) != value}
        self.drawings += 1
        self.changes = {name: self.changes.get(name, 0) + (name in new) for name in metrics}
        self.prompt_changes = {
            name: self.prompt_changes.get(name, 0) + (is_prompt and name in new) for name in metrics
        }
        self.changed_here = new if has_moved else self.changed_here | new
        if not new and not is_prompt:
            return {}
        if not count:
            return {name: metrics[name] for name in metrics if name in new}
        return {name: metrics[name] for name in metrics if name in self.changed_here or self._moves(name)}

    def _moves(self, name: str) -> bool:
        """Whether the value moves with the count."""
        changes = self.changes[name]
        return 4 * changes >= self.drawings or 2 * self.prompt_changes[name] >= max(changes, 4)

    def finish(self) -> list[Settled]:
        """Nothing: a count is drawn before its values."""
        return []


@dataclass
class ExactBar:
    """A bar that draws its count and the values of that count at once, as rich's.

    1/60 loss=3           step 1: 3
    2/60 loss=2           step 2: 2

    It is taken to have been full when the next one begins: rich ends each row of its display with a newline
    whenever it draws it, so a newline does not mean that the count was the last.
    """

    row: Row = field(default_factory=Row)

    def refresh(self, drawing: Drawing) -> list[Settled]:
        """The values whose step is certain with this drawing."""
        row = self.row
        if row.is_next_bar(drawing):
            row.begin_next_bar(drawing, full=True)
        last, row.last = row.last, drawing
        is_new = drawing.count != last.count or drawing.metrics != last.metrics
        if not is_new or not drawing.metrics or drawing.count <= 0:
            return []
        return [Settled(row.base + drawing.count, drawing.placed, drawing.metrics)]

    def finish(self) -> list[Settled]:
        """Nothing: each value was drawn beside its count."""
        return []


def _clock(text: str) -> str:
    """How long the bar has taken, as it shows: `02:30` of `[02:30<00:00, 1.2it/s]`."""
    match = _CLOCK.search(text)
    return match[1] if match else ""


Bar = AheadBar | BehindBar | ExactBar
# By the word that a parser has for it: where the values are when the count is drawn.
BARS: Mapping[str, Callable[[], Bar]] = {"ahead": AheadBar, "behind": BehindBar, "exact": ExactBar}


@ShapeCache
def bar_name(description: str) -> str:
    """The name of a bar: its description without numbers, metrics and the words of counting."""
    return " ".join(_NOT_A_NAME.sub(" ", key_values.without(description)).split()).lower()


@ShapeCache
def identity(description: str) -> str:
    """What all drawings of a bar have in common: its description without metrics and digits."""
    return " ".join(key_values.without(description).translate(_NO_DIGITS).split())
