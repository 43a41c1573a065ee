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

MAX_PREFIXES = 8  # prefixes of one line: a launcher's, a scheduler's, a logger's few fields
MAX_GLUED = 64  # lines that several processes print on one console line

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = f"(?:{'|'.join(_MONTHS)})"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATE = rf"\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d)(?!\w))?"
_SHORT_DATE = rf"\d\d/\d\d(?:/\d\d(?:\d\d)?)? {_CLOCK}"  # no year, or day and month in an unknown order
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CTIME = rf"{_DAY} {_MONTH} [ \d]\d {_CLOCK} \d{{4}}"
_LEVEL = r"(?:DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|TRACE|SUCCESS)(?!\w)"
_SEPARATOR = r"\s*(?:[-|:,>](?=\s)\s*)*"
_NO_SPLIT = r"(?!(?:train|val|valid|eval|test|dev)\b)"  # `INFO - train - loss 0.5` names no logger
_PLACE = r"[\w./<>-]+\.\w+[: ](?:line )?\d+(?::\w+)?"
_WHO = r"(?:rank|gpu|cuda|worker|proc|process|local[ _]?rank)"

# Each branch has one group at most, whose name begins with what it is: a rank, a worker or a date.
_PREFIX = re.compile(
    r"\s*(?:"
    + "|".join(
        [
            r"\[(?:default|trainer|worker|rank|local_rank)(?P<rank_torch>\d{1,6})\]:\s?",
            rf"(?:{_CTIME})?\[[\w.@-]{{0,80}},(?P<rank_mpi>\d{{1,6}})\]<std(?:out|err|diag)>:\s?",
            rf"(?P<date_mpi>{_CTIME})<std(?:out|err|diag)>:\s?",
            rf"(?i:[\[(<]{_WHO}\s*[:=#]?\s*(?P<rank_bracket>\d{{1,6}})(?:/\d+)?[\])>]){_SEPARATOR}(?::\s?)?",
            rf"(?i:{_WHO}\s{{0,3}}[:=#]?\s{{0,3}}(?P<rank_word>\d{{1,6}})\s?(?:[:|,]|-(?=\s)))\s*",
            r"\((?:[\w.]+ )?(?P<worker_ray>pid=\d+)(?:, ip=[\w.:]+)?\)\s",
            r"\[pod/(?P<worker_pod>[\w.-]+)/[\w.-]+\]\s",
            r"(?!(?i:epoch|step|iter|batch|fold|round))(?P<worker_compose>[a-z][\w.-]*[-_]\d+)\s+\|\s",
            rf"\[(?:[A-Z] )?(?P<date_bracket>{_DATE})[^\]]{{0,80}}\]:?{_SEPARATOR}",
            rf"\((?P<date_round>{_DATE})\){_SEPARATOR}",
            rf"\[[\w.-]{{1,80}}\] (?={_DATE})",
            rf"\[\d{{4}}-\d\d-\d\d:{_CLOCK}:{_LEVEL}[^\]]{{0,80}}\]{_SEPARATOR}",
            rf"\[[\w.]{{1,80}}: \d\d-\d\d {_CLOCK}\] \{{\d+\}} {_LEVEL}{_SEPARATOR}",
            r"\[\d+\] \"(?=.*\"\s*$)",
            rf"(?P<date_plain>{_DATE})(?=[\s\[|:]|$):?(?:\sstd(?:out|err) [FP](?=\s))?{_SEPARATOR}",
            rf"\[(?:[A-Z] )?(?:{_SHORT_DATE}|{_CLOCK})[^\]]{{0,80}}\]:?{_SEPARATOR}",
            rf"(?:{_SHORT_DATE}|{_CLOCK}|\d{{4}}-\d\d-\d\d \d\d:\d\d\.\d\d)(?=\s){_SEPARATOR}",
            rf"{_MONTH} [ \d]\d {_CLOCK} [\w.-]+ [\w./@-]+(?:\[\d+\])?:\s",
            rf"[IWEFD]\d{{4}} {_CLOCK}\s+\d+ {_PLACE}\]\s",
            rf"\[{_LEVEL}\|{_PLACE}\](?:\s{_DATE})?\s>>\s",
            rf"{_LEVEL}:[\w.]{{0,80}}:\s?",
            rf"(?:\[{_LEVEL}\s*\]|{_LEVEL}(?!\s*[:=]?\s*[-+]?\.?\d)){_SEPARATOR}(?::\s?)?"
            rf"(?:{_NO_SPLIT}[\w.]+ - \s*)?",
            r"\[(?:debug|info|warning|error|critical)\s*\]\s",
        ]
    )
    + ")"
)
# Beside a time or a level: the name of the logger, and where in the program it was called.
_BESIDE = re.compile(
    rf"\s*(?:\[{_PLACE}\]|\({_PLACE}\)|\([\w.]+:\d+\)|{_PLACE}(?=\s*[-:|\s])|[\w.<>]+:[\w.<>]+:\d+(?=\s-\s)){_SEPARATOR}(?::\s)?"
    rf"|(?:\[[\w.]+\]|[\w.]+){_SEPARATOR}(?=\[?{_LEVEL})"
)
# The start of most lines rules out all prefixes.
_MAYBE = re.compile(
    rf"\s*(?:[\[(<]|\d\d[:/]\d\d|\d{{4}}[-/]\d\d|\d{{1,5}}: |[IWEFD]\d{{4}} |{_LEVEL}|{_MONTH} |{_DAY} "
    rf"|(?i:{_WHO})|[a-z][\w.-]*\d\s+\|)"
)
_CALLER_COLUMN = re.compile(r"\s{2,}[\w.-]+\.py:\d+\s*$")  # the right edge of rich's log
# Prefixes that begin a line wherever they are: what is before them is another process's line.
_GLUED = re.compile(
    r"\[(?:default|trainer|worker|rank|local_rank)\d{1,6}\]:"
    r"|\[[\w.@-]{0,80},\d{1,6}\]<std(?:out|err)>:"
    r"|(?<=[^\s:\[(])\[[Rr][Aa][Nn][Kk][ :=]{0,2}\d{1,6}\]"
)
# `srun -l` and some MPIs print the rank so, programs their step.
_LABEL = re.compile(r"\s*(?:(?P<colon>\d{1,5}): |\[(?P<bracket>\d{1,5})\] )(?=\s*\S)")
_EPOCH = re.compile(r"(?i)(?<![a-z])epochs?\W{0,4}\d")
_STEP = re.compile(r"(?i)(?<![a-z])(?:step|iter|iteration|batch|update)s?\W{0,4}\d|\d\s*/\s*\d")


class View(NamedTuple):
    """One way to read a line: its text, and the rank or worker that printed it."""

    text: str
    context: Mapping[str, Any] = {}


class PeeledLine(NamedTuple):
    """A line in the views that parsers try, the best first, and the time of its prefix as it is printed.

    `is_bar` says that it is a progress bar, and text was printed behind it on the same console line.
    """

    views: Sequence[View]
    stamp: str = ""
    is_bar: bool = False


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
        if "]" not in text and not _MAYBE.match(text):
            return [PeeledLine([View(text)])]
        lines, start = [], 0
        for _ in range(MAX_GLUED):
            end, context, stamp = _peel(text, start)
            glued = _GLUED.search(text, max(end, start + 1)) if "]" in text else None
            stop = glued.start() if glued else len(text)
            whole = text[start:stop]
            if start == end:
                lines.append(self._without_label(whole, stream))
            else:
                peeled = _without_column(text[end:stop])
                if '"' in text[start:end]:  # of R: [1] "epoch 1 loss 0.5"
                    peeled = peeled.rstrip().removesuffix('"')
                lines.append(PeeledLine([View(peeled, context), View(whole, context)], stamp))
            if not glued:
                break
            start = stop
        return lines

    def _without_label(self, line: str, stream: str | None) -> PeeledLine:
        label = _LABEL.match(line)
        if not label:
            return PeeledLine([View(line)])
        end, context, stamp = _peel(line, label.end())
        rank, labels = int(label["colon"] or label["bracket"]), self._labels.setdefault(stream, _Labels())
        epoch, step = _EPOCH.search(line, end), _STEP.search(line, end)
        if epoch or step:  # the label is no step then, so it falls only if it is a rank
            labels.are_ranks |= rank < labels.last
            labels.last = rank
        views = [View(line), View(_without_column(line[end:]), {"rank": rank, **context})]
        certain = labels.are_ranks or end > label.end() or (epoch and step)
        return PeeledLine(views[::-1] if certain else views, stamp)


def _peel(text: str, start: int) -> tuple[int, dict[str, Any], str]:
    """Where the prefixes that begin at `start` end, who printed the line by them, and when."""
    end, stamp, beside = start, "", False
    context: dict[str, Any] = {}
    for _ in range(MAX_PREFIXES):
        found = (_BESIDE.match(text, end) if beside else None) or _PREFIX.match(text, end)
        if not found or found.end() == end:
            break
        end = found.end()
        kind, value = (found.lastgroup or "").partition("_")[0], found[found.lastgroup or 0]
        if kind == "rank":
            context["rank"] = int(value)
        elif kind == "worker":
            context["worker"] = value
        elif kind == "date":
            stamp = stamp or value
        beside = kind in ("", "date")
    return end, context, stamp


def _without_column(text: str) -> str:
    return _CALLER_COLUMN.sub("", text) if ".py:" in text else text


_STAMP = re.compile(
    r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s?(?:([+-])(\d\d):?(\d\d))?"
)


def unix_time(stamp: str) -> float | None:
    """Unix seconds of a printed time; None if there is no such time.

    A time without a zone is taken as UTC, so that the result is the same on every machine.
    """
    if stamp[:1].isalpha():  # Fri Nov 20 13:26:40 2026
        _, month, day, clock, year = stamp.split()
        stamp = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02} {clock}"
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
