"""What is together on one console line: a bar and the text behind it, or lines of several processes.

A bar leaves the cursor behind itself, and what the program prints next goes on there:

 10%|█         | 1/10 [00:00<00:01,  6.56it/s]step 1 loss 0.81
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import regex

from capture.console.prefixes import PeeledLine, Prefixes
from capture.language.shape_cache import ShapeCache

MAX_PIECES = 64  # of one console line

_CLOCK = r"(?:\d+:\d\d:\d\d|-+:--:--)"
_VALUES = r"(?:,[^\[\]]*+(?:\[[^\[\]]*+\][^\[\]]*+)*+)?"  # of tqdm, lists among them
# Each ends where a bar certainly ends.  A bar may go on behind a space, so where its end is no bracket and
# no value, the text has to follow without one.
_BAR = regex.compile(
    "|".join(
        [
            # tqdm:   7%|█▎      | 4/60 [00:00<00:01, 30.98batch/s, loss=2.17]
            # ignite: [2/40]  5%|█▌         , loss=2.59 [00:00<00:01]
            rf"%\|[^|\[]*+(?:\|\s?[^\s/\[|]{{1,20}}+/[^\s/\[|]{{1,20}}+\s)?\[[\d:]++<[\d:?]++{_VALUES}\]",
            # tqdm:   12it [00:01, 10.10it/s, loss=0.5]
            rf"\[\d\d:\d\d(?::\d\d)?,\s+[\d.?]+\w?(?:[^\W\d]+/s|s/[^\W\d]+){_VALUES}\]",
            # Keras:  63/63 [====] - ETA: 0s - loss: 0.4523     3/100 ━━━━ 8s 86ms/step - loss: 1.7219
            r"\b\d+/(?:\d+|Unknown) (?:\[[=>.]++\]|[━╸╺]++)(?: -)?+ (?:ETA: )?+"
            r"(?:\d++(?:[mun]?s|h)|\d++(?::\d\d)++)(?:(?: -)? [\d.]++[mun]?s/(?:step|epoch|sample|batch))?+"
            r"(?: - [\w./@ -]+?: -?\d++\.\d{4}(?:e[-+]\d\d)?)*+(?!\s*-\s|\s[\d.]+[mun]?s/)",
            # alive-progress: |███     | ▃▅▇ 3/40 [8%] in 0s (~0s, 4322.9/s) loss=0.6667
            r"\[\d+%\] in \S+ \((?:~\S+, )?[\d.,]+[^\s/]*/\w+\)(?=\S)",
            # progressbar2:   30% (3 of 10) |######        | Elapsed Time: 0:00:00 ETA:   0:00:00
            rf"\|\s(?:Elapsed Time:\s+{_CLOCK}\s)?(?:ETA|Time):\s+{_CLOCK}(?=\S)",
            # rich:   batches ━━╺━━━━━━━━━━━━━━━━━  4/40 0:00:00 0:00:02
            rf"[━╸╺]\s++(?:\d+%\s++)?(?:\d+/\s*\d+\s++)?{_CLOCK}(?:\s{_CLOCK})*(?=\S)",
            # mmcv:  [>>>>>     ] 50/50, 163.1 task/s, elapsed: 0s, ETA:     0s
            r"\[>*+ *+\] \d+/\d+, [\d.]+ task/s, elapsed: \d+s, ETA: +\d+s(?=\S)",
            # click:  [#######-----]   40%  00:00:01
            r"\[#*-*\]\s+\d+%(?:\s+\d\d:\d\d:\d\d)?(?=[^\s\d])",
        ]
    )
)
_NEXT_BAR = regex.compile(r"(?<=[^\s:])\s*(?<!\d)\d+%\|")  # behind a text that is not its description
_HEAD = re.compile(r"[A-Za-z][A-Za-z_./-]{2,40}[ :=]")
_HEAD_AND_NUMBER = re.compile(r"[A-Za-z][^\d]{1,40}[ =:\[(](?=\d)")
_NUMBER = re.compile(r"\d+")


class Piece(NamedTuple):
    """The offsets of a part of a console line.  `is_bar` says that it is a bar, with text behind it."""

    start: int
    stop: int
    is_bar: bool = False


def peel(prefixes: Prefixes, text: str, stream: str | None) -> list[PeeledLine]:
    """The lines that are printed on one console line of a stream, without their prefixes: usually one."""
    parts = pieces(text)
    if len(parts) < 2:
        return prefixes.peel(text, stream)
    lines: list[PeeledLine] = []
    context: Mapping[str, Any] = {}  # of a bar: who has drawn it has printed the text behind it, too
    for start, stop, is_bar in parts:
        for line in prefixes.peel(text[start:stop], stream):
            views = [view._replace(context={**context, **view.context}) for view in line.views]
            lines.append(PeeledLine(views, line.stamp, is_bar))
            context = views[0].context if is_bar else {}
    return lines


@ShapeCache
def pieces(line: str) -> list[Piece]:
    """The parts of a console line that were printed each for itself; one or none if it was whole."""
    if (
        "%|" in line or "/s" in line or "s/" in line or "ETA" in line
        or "━" in line or "#]" in line or "-]" in line
    ):  # fmt: skip
        return _behind_bars(line)
    return _of_processes(line) if line.find(line[:3], 3) > 0 else []


def _behind_bars(line: str) -> list[Piece]:
    """The bars and the texts behind them; several, where a file has kept no carriage returns."""
    found: list[Piece] = []
    start = 0
    for bar in _BAR.finditer(line):
        if len(found) >= MAX_PIECES or not line[bar.end() :].strip():
            break
        text = _NEXT_BAR.search(line, start, bar.start() + 2) if found else None
        if text and text.start() > start:
            found.append(Piece(start, text.start()))
            start = text.start()
        found.append(Piece(start, bar.end(), is_bar=True))
        start = bar.end()
    return [*found, Piece(start, len(line))]


def _of_processes(line: str) -> list[Piece]:
    """The lines that several processes print at once: `step 0 loss 2.0step 0 loss 3.0`.

    Where such a line begins anew between two numbers it may go on as it likes, else all must have one form.
    """
    if (head := _HEAD_AND_NUMBER.match(line)) and (between := _split(line, head[0], _between_numbers)):
        return between
    if not (head := _HEAD.match(line)):
        return []
    found = _split(line, head[0], _behind_word)
    return found if len({_NUMBER.sub("0", line[start:stop]) for start, stop, _ in found}) == 1 else []


def _split(line: str, head: str, fits: Callable[[str, int, int], bool]) -> list[Piece]:
    """The parts of a line that begin with `head`; none if one begins where it doesn't fit."""
    starts = [0]
    while len(starts) < MAX_PIECES and (at := line.find(head, starts[-1] + len(head))) > 0:
        if not fits(line, at, at + len(head)):
            return []
        starts.append(at)
    if len(starts) < 2:
        return []
    return [Piece(start, stop) for start, stop in zip(starts, [*starts[1:], len(line)], strict=True)]


def _between_numbers(line: str, start: int, stop: int) -> bool:
    return line[start - 1].isdigit() and line[stop : stop + 1].isdigit()


def _behind_word(line: str, start: int, stop: int) -> bool:
    return line[start - 1].isalnum()
