"""What launchers and loggers put before a line: ranks, workers, times, levels, names of loggers.

A parser would have to know all of them, so it reads the line without them; the rank and the time become
part of the record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from capture.console import envelopes
from capture.console.prefix_expressions import DATE, MONTHS, beside, is_special, prefix

MAX_PREFIXES = 8  # prefixes of one line: a launcher's, a scheduler's, a logger's few fields
MAX_GLUED = 64  # lines that several processes print on one console line

_CALLER_COLUMN = re.compile(r"\s{2,}[\w.-]+\.py:\d+\s*$")  # the right edge of rich's log
# Prefixes that begin a line wherever they are: what is before them is another process's line.
_GLUED = re.compile(
    r"\[(?:default|trainer|worker|rank|local_rank)\d{1,6}\]:"
    r"|\[[\w.@-]{0,80},\d{1,6}\]<std(?:out|err)>:"
    r"|(?<=[^\s:\[(])\[(?:[\w.-]{1,80}[|/,])?[Rr][Aa][Nn][Kk][ :=]{0,2}\d{1,6}\]"
    rf"|(?<=\d)\[{DATE}"
)
_ENVELOPES = ("{", "<")
# `srun -l` and some MPIs print the rank so, programs their step.
_LABEL = re.compile(r"\s*(?:(?P<colon>\d{1,5}): |\[(?P<bracket>\d{1,5})\]:? )(?=\s*\S)")
_EPOCH = re.compile(r"(?i)(?<![a-z])epochs?\W{0,4}\d")
_STEP = re.compile(r"(?i)(?<![a-z])(?:step|iter|iteration|batch|update)s?\W{0,4}\d|\d\s*/\s*\d")


class View(NamedTuple):
    """One way to read a line: its text, and the rank or worker that printed it."""

    text: str
    context: Mapping[str, Any] = {}


class PeeledLine(NamedTuple):
    """A line in the views that parsers try, the best first, and the time of its prefix as it is printed.

    `is_bar` says that it is a progress bar, and text was printed behind it on the same console line;
    `printed_by` where the prefixes say which rank or worker has printed it.
    """

    views: Sequence[View]
    stamp: str = ""
    is_bar: bool = False
    printed_by: Sequence[slice] = ()


@dataclass
class _Labels:
    """The numbers before the lines of one stream: `0: loss 0.5`."""

    last: int = -1
    are_ranks: bool = False


class Prefixes:
    """Takes the prefixes off lines.  The same lines give the same views."""

    def __init__(self) -> None:
        self._labels: dict[str | None, _Labels] = {}

    def peel(self, text: str, stream: str | None = None) -> list[PeeledLine]:
        """The lines that are printed on one console line: usually one.

        The view without the prefixes comes first: most parsers match from the start of a line, and the
        others would take a prefix for a part of a name.  The whole line comes second, for the parsers
        that read prefixes themselves.  Where a number may be a rank or the step (`0: loss 0.5`), the whole
        line comes first.
        """
        if "]" not in text and not is_special(text):
            return [PeeledLine([View(text)])]
        if text[:1] in _ENVELOPES and (opened := envelopes.unwrap(text)):
            return [_printed_by(opened, line) for line in self.peel(opened.text, stream)]
        lines, start = [], 0
        for _ in range(MAX_GLUED):
            end, context, stamp, printed_by = _peel(text, start)
            glued = _GLUED.search(text, max(end, start + 1)) if "]" in text else None
            stop = glued.start() if glued else len(text)
            whole = text[start:stop]
            if start == end:
                lines.append(self._without_label(whole, stream))
            else:
                peeled = _without_column(text[end:stop])
                if '"' in text[start:end]:  # of R: [1] "epoch 1 loss 0.5"
                    peeled = peeled.rstrip().removesuffix('"')
                views = [View(peeled, context), View(whole, context)]
                lines.append(PeeledLine(views, stamp, printed_by=printed_by))
            if not glued:
                break
            start = stop
        return lines

    def _without_label(self, line: str, stream: str | None) -> PeeledLine:
        label = _LABEL.match(line)
        if not label:
            return PeeledLine([View(line)])
        end, context, stamp, _ = _peel(line, label.end())
        rank, labels = int(label["colon"] or label["bracket"]), self._labels.setdefault(stream, _Labels())
        epoch, step = _EPOCH.search(line, end), _STEP.search(line, end)
        if epoch or step:  # the label is no step then, so it falls only if it is a rank
            labels.are_ranks |= rank < labels.last
            labels.last = rank
        views = [View(line), View(_without_column(line[end:]), {"rank": rank, **context})]
        certain = labels.are_ranks or end > label.end() or (epoch and step)
        return PeeledLine(views[::-1] if certain else views, stamp)


def depends_on_digits(line: PeeledLine, text: str) -> bool:
    """Whether a line of other digits than this text's may be peeled in another way.

    The digits are a rank's that may be a step, or the envelope is one only if they are right.  Those that the
    line is `printed_by` are known.
    """
    is_envelope = text[:1] in _ENVELOPES and is_special(text)
    return is_envelope or (not line.printed_by and any(view.context for view in line.views))


def _printed_by(opened: envelopes.Opened, line: PeeledLine) -> PeeledLine:
    views = [View(view.text, {**opened.context, **view.context}) for view in line.views]
    return PeeledLine(views, line.stamp or opened.stamp)


def _peel(text: str, start: int) -> tuple[int, dict[str, Any], str, list[slice]]:
    """Where the prefixes that begin at `start` end, who printed the line, when, and where they say who."""
    end, stamp, follows_time = start, "", False
    context: dict[str, Any] = {}
    printed_by: list[slice] = []
    for _ in range(MAX_PREFIXES):
        found = (beside(text, end) if follows_time else None) or prefix(text, end)
        if not found or found.end() == end:
            break
        end = found.end()
        kind, value = (found.lastgroup or "").partition("_")[0], found[found.lastgroup or 0]
        if kind in ("rank", "worker"):
            context[kind] = int(value) if kind == "rank" else value
            printed_by.append(slice(*found.span(found.lastgroup or 0)))
        elif kind == "date":
            stamp = stamp or value
        follows_time = kind in ("", "date")
    return end, context, stamp, printed_by


def _without_column(text: str) -> str:
    return _CALLER_COLUMN.sub("", text) if ".py:" in text else text


_UNIX = re.compile(r"\d{9,10}\.\d{1,9}|\d{10}")
_STAMP = re.compile(
    r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s?(?:([+-])(\d\d):?(\d\d))?"
)


def unix_time(stamp: str) -> float | None:
    """Unix seconds of a printed time; None if there is no such time.

    A time without a zone is taken as UTC, so that the result is the same on every machine.
    """
    if _UNIX.fullmatch(stamp):  # of Fluent Bit
        return float(stamp)
    if stamp[:1].isalpha():  # Fri Nov 20 13:26:40 2026
        _, month, day, clock, year = stamp.split()
        stamp = f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02} {clock}"
    found = _STAMP.match(stamp)
    if not found:
        return None
    *whole, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime(*map(int, whole), tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
    except ValueError:  # the 31st of June
        return None
    seconds = moment.timestamp() + float(f"0.{fraction or 0}")
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes)).total_seconds()
        seconds -= offset if sign == "+" else -offset
    return seconds
