"""Curves on a terminal, drawn with braille characters: each holds two by four dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

COLOURS = (34, 33, 32, 35, 36, 31, 94, 93, 92, 95)  # SGR
_DOTS = (
    (0x01, 0x08),
    (0x02, 0x10),
    (0x04, 0x20),
    (0x40, 0x80),
)  # Unicode, braille patterns: by row and column


class Curve(NamedTuple):
    """A line: its name, its points in the order of x, and which of the colours it has."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0


def plot(
    curves: Sequence[Curve],
    width: int,
    height: int,
    *,
    log: bool = False,
    coloured: bool = True,
    x_name: str = "",
) -> list[str]:
    """The lines of a picture of curves, with its axes: `width` and `height` in characters.

    `log` draws over the logarithm of y; what has none is left out.  Raises ValueError where nothing is left.
    """
    points = [
        [(x, math.log10(y) if log else y) for x, y in zip(curve.x, curve.y, strict=True)
         if math.isfinite(y) and math.isfinite(x) and (y > 0 or not log)]
        for curve in curves
    ]  # fmt: skip
    everything = [point for line in points for point in line]
    if not everything:
        raise ValueError("there is nothing to draw")
    low_x, high_x = min(x for x, _ in everything), max(x for x, _ in everything)
    low_y, high_y = min(y for _, y in everything), max(y for _, y in everything)
    marks = [_mark(low_y + (high_y - low_y) * (1 - row / max(1, height - 1)), log) for row in range(height)]
    left = max(map(len, marks))
    columns = max(8, width - left - 2)
    canvas = _Canvas(columns, height)
    for number, line in enumerate(points):
        last: tuple[int, int] | None = None
        for x, y in line:
            at = (
                round((x - low_x) / ((high_x - low_x) or 1) * (2 * columns - 1)),
                round((1 - (y - low_y) / ((high_y - low_y) or 1)) * (4 * height - 1)),
            )
            canvas.line(last or at, at, curves[number].colour)
            last = at
    shown = {0, height // 2, height - 1}
    lines = [
        f"{marks[row] if row in shown else '':>{left}} ┤{text}" if row in shown else f"{'':>{left}} │{text}"
        for row, text in enumerate(canvas.rows(coloured))
    ]
    first, last_mark = _mark(low_x, False), _mark(high_x, False)
    gap = max(1, columns - len(first) - len(last_mark) - len(x_name))
    lines.append(f"{'':>{left}} └{'─' * columns}")
    lines.append(
        f"{'':>{left}}  {first}{' ' * (gap // 2)}{x_name}{' ' * (gap - gap // 2)}{last_mark}".rstrip()
    )
    return lines


class _Canvas:
    def __init__(self, columns: int, rows: int) -> None:
        self._dots = [[0] * columns for _ in range(rows)]
        self._colour = [[0] * columns for _ in range(rows)]

    def line(self, start: tuple[int, int], end: tuple[int, int], colour: int) -> None:
        """Set the dots of a straight line."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for i in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * i / steps)
            y = round(start[1] + (end[1] - start[1]) * i / steps)
            self._dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
            self._colour[y // 4][x // 2] = colour

    def rows(self, coloured: bool) -> list[str]:
        """The characters, each run of one colour between its codes."""
        lines = []
        for dots, colours in zip(self._dots, self._colour, strict=True):
            text, now = "", None
            for dot, colour in zip(dots, colours, strict=True):
                wanted = colour if dot else None
                if coloured and wanted != now:
                    text += "\x1b[0m" if wanted is None else f"\x1b[{COLOURS[wanted % len(COLOURS)]}m"
                    now = wanted
                text += chr(0x2800 + dot) if dot else " "
            lines.append((text + ("\x1b[0m" if now is not None else "")).rstrip())
        return lines


def _mark(value: float, log: bool) -> str:
    return f"{10**value if log else value:.4g}"
