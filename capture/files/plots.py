"""What is drawn of a table: confusion matrices, lines, points, bars, histograms, precision and recall, ROC.

A plot is kept as numbers: a confusion matrix as `labels` and `counts`, with a row for each true label; all
others as `columns` and `rows`, of which the first column is the x-axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capture.files.tables import TableReader
from capture.records import NON_FINITE

# What each needs, by the names of its options; a name in brackets has a default.
TYPES: Mapping[str, tuple[str, ...]] = {
    "confusion_matrix": ("[truth]", "[prediction]"),
    "line": ("x", "y"),
    "scatter": ("x", "y"),
    "bar": ("x", "y"),
    "histogram": ("x", "[bins]"),
    "pr_curve": ("truth", "score", "[positive]"),
    "roc_curve": ("truth", "score", "[positive]"),
}
MOST_LABELS = 100
MOST_POINTS = 10_000  # of a line or of scattered points
MOST_CURVE = 500  # points of a curve: more than a screen shows
BINS = 30
AXES = {"pr_curve": ("recall", "precision"), "roc_curve": ("false positive rate", "true positive rate")}


class NoPlot(ValueError):
    """The table can't be drawn so; why in a sentence."""


def draw(type: str, reader: TableReader, options: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a plot.  Raises NoPlot where the table does not have what it needs."""
    if type == "confusion_matrix":
        return _confusion_matrix(reader, options)
    if type in ("line", "scatter", "bar"):
        return _columns(reader, options)
    if type == "histogram":
        return _histogram(reader, options)
    return _curve(type, reader, options)


def _index(reader: TableReader, name: str) -> int:
    if name in reader.columns:
        return reader.columns.index(name)
    raise NoPlot(f"there is no column {name!r}; the columns are {', '.join(reader.columns[:20])}")


def _confusion_matrix(reader: TableReader, options: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row for each example, or of a table that is the matrix already."""
    truth, prediction = options.get("truth"), options.get("prediction")
    if truth is None and prediction is None:
        known = [
            ("truth", "prediction"),
            ("label", "prediction"),
            ("actual", "predicted"),
            ("y_true", "y_pred"),
        ]
        pairs = [pair for pair in known if {*pair} <= {*reader.columns}]
        if not pairs:
            return _given_matrix(reader)
        truth, prediction = pairs[0]
    if truth is None or prediction is None:
        raise NoPlot("a confusion matrix needs both truth and prediction, or neither")
    one, other = _index(reader, truth), _index(reader, prediction)
    wanted = [str(label) for label in options.get("labels") or []]
    counts: dict[tuple[str, str], int] = {}
    labels: dict[str, None] = dict.fromkeys(wanted)
    for row in reader.rows():
        pair = _text(row[one]), _text(row[other])
        counts[pair] = counts.get(pair, 0) + 1
        labels.update(dict.fromkeys(pair))
        if len(labels) > MOST_LABELS:
            raise NoPlot(f"there are more than {MOST_LABELS} labels in {truth!r} and {prediction!r}")
    names = wanted + sorted((name for name in labels if name not in wanted), key=_order)
    return {"labels": names, "counts": [[counts.get((a, b), 0) for b in names] for a in names]}


def _given_matrix(reader: TableReader) -> dict[str, Any]:
    names = reader.columns[1:]
    rows = []
    for row in reader.rows():
        rows.append(row)
        if len(rows) > len(names):
            break
    counts = [row[1:] for row in rows]
    whole = all(isinstance(value, int) and value >= 0 for row in counts for value in row)
    if not names or len(rows) != len(names) or not whole:
        raise NoPlot(
            "say which columns hold the labels: truth and prediction; the columns are "
            f"{', '.join(reader.columns[:20])}"
        )
    if {_text(row[0]) for row in rows} == {*names}:  # its rows may be in another order
        counts = [next(row[1:] for row in rows if _text(row[0]) == name) for name in names]
    return {"labels": names, "counts": counts}


def _columns(reader: TableReader, options: Mapping[str, Any]) -> dict[str, Any]:
    """The columns x and y; points without a number are left out, and of very many every so many is kept."""
    x = options["x"]
    ys = options["y"] if isinstance(options["y"], list) else [options["y"]]
    places = [_index(reader, name) for name in (x, *ys)]
    rows: list[list[Any]] = []
    every = 1
    for number, row in enumerate(reader.rows()):
        if number % every:
            continue
        picked = [row[place] for place in places]
        if not all(_is_number(value) for value in picked[1:]):
            if not any(_is_number(value) for value in picked[1:]):
                continue
            picked = [picked[0], *(value if _is_number(value) else None for value in picked[1:])]
        rows.append(picked)
        if len(rows) >= 2 * MOST_POINTS:
            rows, every = rows[::2], 2 * every
    if not rows:
        raise NoPlot(f"there is no number in {', '.join(map(repr, ys))}")
    return {"columns": [x, *ys], "rows": rows}


def _histogram(reader: TableReader, options: Mapping[str, Any]) -> dict[str, Any]:
    place = _index(reader, options["x"])
    values = [float(row[place]) for row in reader.rows() if _is_number(row[place])]
    if not values:
        raise NoPlot(f"there is no number in {options['x']!r}")
    low, high = min(values), max(values)
    bins = int(options.get("bins") or BINS) if high > low else 1
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    rows = [[low + width * i, low + width * (i + 1), count] for i, count in enumerate(counts)]
    return {"columns": [options["x"], "to", "count"], "rows": rows}


def _curve(type: str, reader: TableReader, options: Mapping[str, Any]) -> dict[str, Any]:
    """Over all thresholds of a score, where equal scores are one; with the area below it.

    Of ROC that is `auc`; of precision and recall the average precision: the sum of precision times the step
    in recall, as scikit-learn defines it.
    """
    truth, score = _index(reader, options["truth"]), _index(reader, options["score"])
    pairs = [(float(row[score]), _text(row[truth])) for row in reader.rows() if _is_number(row[score])]
    labels = {label for _, label in pairs}
    positive = _positive(labels, options.get("positive"))
    if positive not in labels or len(labels) < 2:
        raise NoPlot(f"{options['truth']!r} needs examples that are {positive!r} and others that are not")
    pairs.sort(key=lambda pair: -pair[0])
    all_true = sum(label == positive for _, label in pairs)
    all_false = len(pairs) - all_true
    true = false = 0
    points = [[0.0, 0.0] if type == "roc_curve" else [0.0, 1.0]]
    area = 0.0
    for number, (value, label) in enumerate(pairs):
        true += label == positive
        false += label != positive
        if number + 1 < len(pairs) and pairs[number + 1][0] == value:
            continue
        if type == "roc_curve":
            point = [false / all_false, true / all_true]
            area += (point[0] - points[-1][0]) * (point[1] + points[-1][1]) / 2
        else:
            point = [true / all_true, true / (true + false)]
            area += (point[0] - points[-1][0]) * point[1]
        points.append(point)
    name = "auc" if type == "roc_curve" else "average_precision"
    return {"columns": list(AXES[type]), "rows": _thinned(points), name: area, "positive": positive}


def _positive(labels: Iterable[str], wanted: Any = None) -> str:
    """The label that stands for yes: the one that the user wants, which YAML reads as true if it is `on`."""
    known = sorted(labels, key=_order)
    if isinstance(wanted, bool) and str(wanted) not in known:
        from capture.language.checked_yaml import FALSE, TRUE  # slow

        meant = [label for label in known if label.lower() in (TRUE if wanted else FALSE)]
        return meant[0] if len(meant) == 1 else str(wanted)
    if wanted is not None:
        return str(wanted)
    yes = [label for label in known if label.lower() in ("1", "1.0", "true", "yes", "positive", "pos")]
    return (yes or known or [""])[0 if yes else -1]


def _thinned(points: Sequence[list[float]]) -> list[list[float]]:
    if len(points) <= MOST_CURVE:
        return list(points)
    step = (len(points) - 1) / (MOST_CURVE - 1)
    return [points[round(i * step)] for i in range(MOST_CURVE)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _order(label: str) -> tuple[bool, float, str]:
    """Numbers in their order, then texts in theirs."""
    try:
        number = float(label)
    except ValueError:
        return True, 0.0, label
    return not math.isfinite(number) or label in NON_FINITE, number if math.isfinite(number) else 0.0, label
