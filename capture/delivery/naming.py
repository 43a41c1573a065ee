"""Records to rows: the names that the backends show, and the column that each metric is drawn over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from capture.language.expressions import Expression
from capture.records import Record, Row

Axes = list[tuple[str, str, Expression]]  # prefix of the metric's name, column, position
MOST_AT_ONE_PLACE = 2  # further points of one metric, of lines without a step
MOST_FORMS = 1000
_OWN_PREFIX = frozenset(["stream", "rank", "ranks", "late", "fit"])  # `ranks` counts those that a mean is of


class _Points:
    """What one metric was drawn over last."""

    __slots__ = ("column", "more", "placed", "position")

    def __init__(self) -> None:
        self.column: str | None = None
        self.position: float | None = None
        self.more = 0  # points at this position after the first
        self.placed = False  # what has no step is over its place in the run


class _Form(NamedTuple):
    """What all records have in common that have the same parser, names and source.

    shown: the final names of the metrics
    axes: those of the parser that each may be drawn over
    over_steps: the points of each where there are no such axes; else None
    drawn_over: what each is drawn over then
    """

    shown: tuple[str, ...]
    axes: tuple[Sequence[tuple[str, Expression]], ...]
    over_steps: list[_Points] | None
    drawn_over: Mapping[str, str]


class Namer:
    """Gives records their final names.  A pure function of the records so far, in their order.

    What tells apart equal names becomes a prefix: `rank1/loss`, `fit2/epoch/loss`, `fold1/loss`,
    `valid/loss`.  Rank 0, the first fit and the bar in which a name was first seen have none.
    """

    def __init__(self, axes: Mapping[str, Axes], rename: Mapping[str, str]) -> None:
        """`axes` are those of each parser by its name; `rename` is the user's, old names to new ones."""
        self._axes = axes
        self._printed = {new: old for old, new in rename.items()}
        self._home: dict[tuple[str, str], Any] = {}
        self._latest: dict[str, float] = {}  # the last position in each column
        self._points: dict[str, _Points] = {}
        self._forms: dict[tuple[Any, ...], _Form] = {}

    def row(self, ordinal: int, record: Record) -> Row:
        """The record as a backend gets it."""
        time, parser, step, epoch, printed, context, _, config, _, _ = record
        key = (parser, tuple(printed), *context.items())
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= MOST_FORMS:
                self._forms.clear()
            form = self._forms[key] = self._form(record)
        metrics: dict[str, float] = dict(zip(form.shown, printed.values(), strict=True))
        drawn_over: dict[str, str] = {}
        if form.over_steps and step is not None:
            metrics["step"] = self._latest["step"] = step
            for points in form.over_steps:
                points.column, points.position, points.more = "step", step, 0
            return Row(ordinal, time, step, epoch, metrics, form.drawn_over, config)
        known = {"step": step, "epoch": epoch, **printed}
        names = {name: value for name, value in known.items() if value is not None}
        for shown, axes in zip(form.shown, form.axes, strict=True):
            if axis := self._place(shown, _axis(record, axes, names), step is None):
                column, position = axis
                metrics.setdefault(column, position)
                if column != shown:
                    drawn_over[shown] = column
        return Row(ordinal, time, step, epoch, metrics, drawn_over, config)

    def _form(self, record: Record) -> _Form:
        own, context = _own_prefix(record.context), _other_context(record.context)
        shown = tuple(f"{own}{self._prefix(name, context)}{name}" for name in record.metrics)
        axes = tuple(
            [
                (column, position)
                for prefix, column, position in self._axes.get(record.parser, [])
                if self._printed.get(name, name).startswith(prefix)
            ]
            for name in record.metrics
        )
        simple = "step" not in shown and not any(axes)
        points = [self._points.setdefault(name, _Points()) for name in shown] if simple else None
        return _Form(shown, axes, points, dict.fromkeys(shown, "step"))

    def _prefix(self, name: str, context: Sequence[tuple[str, Any]]) -> str:
        """What tells a metric from another of its name, in another bar, fold or part of the data."""
        prefix = ""
        for key, value in context:
            if self._home.setdefault((key, name), value) != value and value is not None:
                shown = f"{key}{value}" if isinstance(value, (int, float)) else str(value)
                prefix += shown.replace(" ", "_") + "/"
        return prefix

    def _place(self, name: str, found: tuple[str, float] | None, stepless: bool) -> tuple[str, float] | None:
        """Where a metric's next point is: a chart has one axis, and not all points over one place of it.

        A metric that is drawn over steps stays there: a line without a step is at the last one.  After some
        points of such lines at one place the rest of them is over its place in the run, which is None.
        """
        last = self._points.setdefault(name, _Points())
        column = found[0] if found else None
        if stepless and column in (None, "epoch") and last.column not in (None, column):
            found = last.column, self._latest[last.column]
        if found is None:
            return None
        same = stepless and found == (last.column, last.position)
        last.more = last.more + 1 if same else 0
        last.placed = last.placed or last.more > MOST_AT_ONE_PLACE
        last.column, last.position = found
        self._latest[last.column] = last.position
        return None if stepless and last.placed else found


def _axis(
    record: Record, axes: Sequence[tuple[str, Expression]], names: Mapping[str, float]
) -> tuple[str, float] | None:
    """The column that a metric is drawn over, and its value; None if the record says nothing of it.

    axes: those of its parser that it may be drawn over, the best first
    names: step, epoch and metrics, as far as they are known
    """
    best: tuple[str, float] | None = None
    for column, position in axes:
        if column in record.metrics:
            return column, record.metrics[column]
        value = position.value(names) if best is None else None
        if value is not None:
            best = column, value
    if best:
        return best
    if record.step is not None:
        return "step", record.step
    return None if record.epoch is None else ("epoch", record.epoch)


def _own_prefix(context: Mapping[str, Any]) -> str:
    """The prefix of a rank (but for rank 0, unless it comes after its mean) and of a fit but the first."""
    rank = f"rank{context['rank']}/" if context.get("rank") else ""
    rank = f"{context['late']}/" if "late" in context else rank
    return rank + (f"fit{context['fit']}/" if context.get("fit", 1) != 1 else "")


def _other_context(context: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What else the record says of its source, and the bar even if there is none."""
    return [(key, context.get(key)) for key in sorted({"bar", *context} - _OWN_PREFIX)]
