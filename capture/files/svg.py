"""Plots as pictures: SVG that any page shows, light or dark, without a library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 560, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 46
COLOURS = ("#3b7dd8", "#e07b39", "#3a9d5d", "#c2497f", "#7a5cc4", "#9c8a1f")
CELL, LARGEST = 44, 720  # of a matrix
BARS = 60


def picture(type: str, title: str, content: Mapping[str, Any]) -> str:
    """A plot, as `plots` makes it, as an SVG element.

    Raises ValueError, KeyError or TypeError if it is damaged.
    """
    if type == "confusion_matrix":
        return _matrix(title, content["labels"], content["counts"])
    columns, rows = content["columns"], content["rows"]
    shown = f"{title} (area {content['auc']:.4f})" if "auc" in content else title
    if "average_precision" in content:
        shown = f"{title} (average precision {content['average_precision']:.4f})"
    if type == "histogram":
        return _bars(shown, columns[0], "count", [(f"{_short(row[0])}", row[2]) for row in rows], 1.0)
    if type == "bar":
        return _bars(shown, columns[0], columns[1], [(str(row[0]), row[1] or 0) for row in rows[:BARS]], 0.8)
    return _points(shown, columns, rows, lines=type != "scatter", unit="_curve" in type)


def _frame(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="system-ui,sans-serif" font-size="12" fill="currentColor">'
    )
    name = f'<text x="{width / 2:g}" y="18" text-anchor="middle" font-size="14">{escape(title)}</text>'
    return "".join([head, name, *parts, "</svg>"])


def _matrix(title: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    count = len(labels)
    side = max(6.0, min(CELL, LARGEST / max(1, count)))
    left = 30 + 7 * min(18, max((len(label) for label in labels), default=0))
    most = max((value for row in counts for value in row), default=0) or 1
    parts = []
    for i, row in enumerate(counts):
        y = TOP + 26 + i * side
        for j, value in enumerate(row):
            x = left + j * side
            share = value / most
            rect = f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}"'
            tip = escape(f"{labels[i]} → {labels[j]}: {value}")
            parts.append(
                f'{rect} fill="#3b7dd8" fill-opacity="{0.06 + 0.94 * share:.3f}" stroke="currentColor" '
                f'stroke-opacity=".15"><title>{tip}</title></rect>'
            )
            if side >= 20:
                colour = ' fill="#fff"' if share > 0.55 else ""
                parts.append(_label(x + side / 2, y + side / 2 + 4, str(value), "middle", colour))
        if side >= 10:
            parts.append(_label(left - 6, y + side / 2 + 4, _cut(labels[i]), "end"))
    for j, label in enumerate(labels if side >= 10 else []):
        x, y = left + (j + 0.5) * side, TOP + 26 + count * side + 12
        parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="end" transform="rotate(-40 {x:g} {y:g})">'
            f"{escape(_cut(label))}</text>"
        )
    below = 40 + 5 * min(18, max((len(label) for label in labels), default=0))
    parts.append(_label(left + count * side / 2, TOP + 16, "predicted", "middle", ' fill-opacity=".7"'))
    middle = TOP + 26 + count * side / 2
    parts.append(
        f'<text x="14" y="{middle:g}" text-anchor="middle" fill-opacity=".7" '
        f'transform="rotate(-90 14 {middle:g})">true</text>'
    )
    return _frame(max(left + count * side + 20, 240), TOP + 26 + count * side + below, title, parts)


def _bars(title: str, x_name: str, y_name: str, bars: Sequence[tuple[str, float]], share: float) -> str:
    low, high = min(0.0, *(v for _, v in bars)), max(0.0, *(v for _, v in bars))
    y = _Scale(low, high, HEIGHT - BOTTOM, TOP)
    width = (WIDTH - LEFT - RIGHT) / len(bars)
    parts = list(_axis_y(y, y_name))
    every = max(1, math.ceil(len(bars) * 46 / (WIDTH - LEFT - RIGHT)))
    for i, (label, value) in enumerate(bars):
        x = LEFT + width * (i + (1 - share) / 2)
        top, end = sorted((y.of(value), y.of(0)))
        parts.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(0.5, width * share - 0.5):.1f}" '
            f'height="{end - top:.1f}" fill="{COLOURS[0]}">'
            f"<title>{escape(label)}: {_short(value)}</title></rect>"
        )
        if i % every == 0:
            parts.append(_label(x + width * share / 2, HEIGHT - BOTTOM + 16, _cut(label, 8), "middle"))
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name, "middle", ' fill-opacity=".7"'))
    return _frame(WIDTH, HEIGHT, title, parts)


def _points(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], lines: bool, unit: bool
) -> str:
    numbers = all(isinstance(row[0], (int, float)) for row in rows)
    xs = [row[0] if numbers else i for i, row in enumerate(rows)]
    ys = [value for row in rows for value in row[1:] if isinstance(value, (int, float))]
    x = _Scale(0.0, 1.0, LEFT, WIDTH - RIGHT) if unit else _Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = _Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP) if unit else _Scale(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    parts = [*_axis_y(y, columns[1] if len(columns) == 2 else "")]
    for tick in x.ticks():
        parts.append(_label(x.of(tick), HEIGHT - BOTTOM + 16, _short(tick), "middle"))
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, columns[0], "middle", ' fill-opacity=".7"'))
    for number, name in enumerate(columns[1:], 1):
        colour = COLOURS[(number - 1) % len(COLOURS)]
        places = [
            f"{x.of(at):.1f},{y.of(row[number]):.1f}"
            for at, row in zip(xs, rows, strict=True)
            if isinstance(row[number], (int, float))
        ]
        if lines:
            joined = " ".join(places)
            parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        else:
            for place in places:
                cx, cy = place.split(",")
                parts.append(f'<circle cx="{cx}" cy="{cy}" r="2.4" fill="{colour}" fill-opacity=".6"/>')
        if len(columns) > 2:
            parts.append(_label(WIDTH - RIGHT - 4, TOP + 14 * number, name, "end", f' fill="{colour}"'))
    return _frame(WIDTH, HEIGHT, title, parts)


class _Scale:
    """Values to places on the picture."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        self._low, self._high = (low, high) if high > low else (low - 0.5, low + 0.5)
        self._begin, self._end = begin, end

    def of(self, value: float) -> float:
        return self._begin + (value - self._low) / (self._high - self._low) * (self._end - self._begin)

    def ticks(self) -> list[float]:
        """Round values, about five."""
        rough = (self._high - self._low) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough)
        first = math.ceil(self._low / step)
        return [k * step for k in range(first, math.floor(self._high / step + 1e-9) + 1)]


def _axis_y(scale: _Scale, name: str) -> Iterator[str]:
    for tick in scale.ticks():
        y = scale.of(tick)
        yield (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
            'stroke-opacity=".15"/>'
        )
        yield _label(LEFT - 6, y + 4, _short(tick), "end")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield (
        f'<text x="14" y="{middle:g}" text-anchor="middle" fill-opacity=".7" '
        f'transform="rotate(-90 14 {middle:g})">{escape(name)}</text>'
    )


def _label(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _short(value: float) -> str:
    return f"{value:.4g}"


def _cut(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
