"""Expressions for what launchers and loggers put before a line, by the character that it begins with."""

from __future__ import annotations

import re
from collections.abc import Mapping

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = f"(?:{'|'.join(MONTHS)})"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,](?:\d{1,9}|%f))?"  # `%f`: a format that the C library does not know
DATE = rf"\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d)(?!\w)|\s[A-Z]{{3,4}}(?=\s\|))?"
# No year, or day and month in an unknown order; on a clock of twelve hours perhaps.
_SHORT_DATE = rf"(?:\d\d/\d\d(?:/\d\d(?:\d\d)?)?|\d\d-\d\d-\d\d(?:\d\d)?) {_CLOCK}(?: [AP]M(?!\w))?"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
CTIME = rf"{_DAY} {_MONTH} [ \d]\d {_CLOCK} \d{{4}}"
# Sat 23 Apr 2022 00:34:44   23 Apr 00:34
_DAY_FIRST = rf"(?:{_DAY},? )?\d{{1,2}} {_MONTH} (?:\d{{4}} {_CLOCK}|\d\d:\d\d(?::\d\d)?)"
_ELAPSED = r"(?:\d+ days?, )?\d+:\d\d:\d\d"
_LEVEL = r"(?:DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|TRACE|SUCCESS)(?!\w)"
_SEPARATOR = r"\s*(?:[-|:,>—](?=\s)\s*)*"
# `INFO - train - loss 0.5`, `INFO - epoch-1 - loss 0.5` name no logger
_NO_POSITION = r"(?!(?i:epoch|step|iter|batch|fold|round))"
_NO_SPLIT = rf"{_NO_POSITION}(?!(?:train|val|valid|eval|test|dev)\b)"
_NUMBER = r"\s*[:=]?\s*[-+]?\.?\d[\d.]*(?![\w/:])"  # ERROR: 0.5
_LOGGER = r"\w[\w./\\-]{0,80}"
_PLACE = r"[\w./<>-]+\.\w+(?:[: ]|: )(?:line[ :])?\d+(?::\w+)?"
_WHO = r"(?:rank|gpu|cuda|worker|proc|process|local[ _]?rank)"
_HOST = r"(?:worker|node|host|gpu|rank|server|compute|trainer|machine|ip)(?:[\w.-]*-)?\d[\w.-]*"
_POD = r"[a-z][a-z0-9-]*"
_CONTAINER = r"(?:main|pytorch|tensorflow|trainer|worker|master|launcher|container|app|job|ray-\w+)"
_POSITION = r"(?i:epoch|ep|(?:global[_ ])?step|iter|iteration|batch|round|episode|update)\W{0,4}\d"

_RANK_IN_BRACKETS = (
    rf"(?i:[\[(<](?:[\w.-]{{1,80}}[|/,:]\s?)?{_WHO}\s*[:=#]?\s*(?P<rank_bracket>\d{{1,6}})(?:/\d+)?[\])>])"
    rf"{_SEPARATOR}(?::\s?)?"
)
_RANK = rf"(?i:{_WHO}\s{{0,3}}[:=#]?\s{{0,3}}(?P<rank_word>\d{{1,6}})\s?(?:[:|,]|-(?=\s)))\s*"
_OF_OPEN_MPI = r"\[[\w.@-]{0,80},(?P<rank_mpi>\d{1,6})\]<std(?:out|err|diag)>:\s?"
_OF_LEVEL = (
    rf"{_LEVEL}\s*\]?(?:(?=\s+{DATE})|(?!{_NUMBER})){_SEPARATOR}(?::\s?)?(?:{_NO_SPLIT}{_LOGGER} - \s*)?"
)
_OF_SYSLOG = rf"{_MONTH} [ \d]\d {_CLOCK} [\w.-]+ [\w./@-]+(?:\[\d+\])?:\s"
# lr=0.1 seed=2<tab>step 1, of GNU parallel; but lr=0.1<tab>loss=0.5 is a line of its own
_TAG = rf"(?P<worker_tag>(?:[\w.-]{{1,40}}=[\w.+/-]{{1,120}}[ ,]?){{1,6}})\t(?={_POSITION})"

# Each has one group at most, whose name begins with what it is: a rank, a worker or a date.
_BRANCHES = {
    "[": [
        r"\[(?:default|trainer|worker|rank|local_rank)(?P<rank_torch>\d{1,6})\]:\s?",
        _OF_OPEN_MPI,
        _RANK_IN_BRACKETS,
        r"\[pod/(?P<worker_pod>[\w.-]+)/[\w.-]+\]\s",
        rf"\[(?:[A-Z] )?(?P<date_bracket>{DATE})[^\]]{{0,80}}\]:?{_SEPARATOR}",
        rf"\[{_NO_POSITION}[A-Za-z][\w.-]{{0,80}}:(?P<rank_espnet>\d{{1,6}})/\d{{1,6}}\] (?=\S)",
        rf"\[[\w.-]{{1,80}}\] (?={DATE})",
        rf"\[\d{{2,7}}\] \[[\w.-]{{1,40}}\] (?=\[{_LEVEL})",  # process and thread
        rf"\[\d{{4}}-\d\d-\d\d:{_CLOCK}:{_LEVEL}[^\]]{{0,80}}\]{_SEPARATOR}",
        rf"\[[\w.]{{1,80}}: \d\d-\d\d {_CLOCK}\] \{{\d+\}} {_LEVEL}{_SEPARATOR}",
        r"\[\d+\] \"(?=.*\"\s*$)",
        rf"\[(?:[A-Z] )?(?:{_SHORT_DATE}|(?:\d{{6}} )?{_CLOCK})[^\]]{{0,80}}\]:?{_SEPARATOR}",
        rf"\[{_LEVEL}\|{_PLACE}\](?:\s{DATE})?\s>>\s",
        rf"\[\s*{_LEVEL}\s*\]{_SEPARATOR}(?::\s?)?(?:{_NO_SPLIT}{_LOGGER} - \s*)?",
        rf"\[ ?{_LEVEL} ?: ?(?P<date_level>{DATE}) ?\]{_SEPARATOR}",
        rf"\[ ?(?P<date_ctime_bracket>{CTIME}) ?\]:?{_SEPARATOR}",
        rf"\[{_OF_LEVEL}",
        r"\[(?:debug|info|warning|error|critical)\s*\]\s",
    ],
    "(": [
        _RANK_IN_BRACKETS,
        r"\((?:[\w.]+ )?(?P<worker_ray>pid=\d+)(?:, ip=[\w.:]+)?\)\s",
        rf"\((?P<date_round>{DATE})\){_SEPARATOR}",
    ],
    "<": [_RANK_IN_BRACKETS, rf"<\d{{1,3}}>{_OF_SYSLOG}"],
    "0": [
        rf"(?P<date_plain>{DATE})(?=[\s\[|:]|$):?(?:\sstd(?:out|err) [FP](?=\s))?{_SEPARATOR}",
        rf"(?:{_SHORT_DATE}|{_CLOCK}|\d{{4}}-\d\d-\d\d \d\d:\d\d\.\d\d)(?=\s){_SEPARATOR}",
        rf"(?:{_DAY_FIRST}(?=\s)|\d{{4}}(?:-\d\d){{4,5}}(?=[\s:])){_SEPARATOR}(?::\s)?",
        r"(?P<worker_address>(?:\d{1,3}\.){3}\d{1,3}): (?=\S)",
        rf"(?P<worker_tag>[\d.e-]+(?: [\w.-]+)*)\t(?={_POSITION})",
    ],
    "#": ["#> ?"],  # of what R's reprex and knitr print
    "-": [rf"(?P<worker_tag>--?[a-z][^\t]{{0,120}})\t(?={_POSITION})"],
    "A": [
        rf"{CTIME}{_OF_OPEN_MPI}",
        rf"(?P<date_ctime>{CTIME})(?=[\s:|]){_SEPARATOR}(?::\s)?",
        rf"(?P<date_mpi>{CTIME})<std(?:out|err|diag)>:\s?",
        _RANK,
        _OF_SYSLOG,
        rf"{_MONTH} [ \d]\d {_CLOCK}\s",  # of `ts`
        rf"{_DAY_FIRST}(?=\s){_SEPARATOR}",
        rf"DLL (?P<date_dll>{DATE}) - ",
        rf"{_LEVEL} - {_SHORT_DATE} - {_ELAPSED} - ",
        rf"[IWEFD]\d{{4}} {_CLOCK}\s+\d+ {_PLACE}\]\s",
        rf"{_LEVEL}:[\w.-]{{0,80}}:\s?",
        rf"{_LEVEL}: {_LOGGER}: (?={DATE})",
        rf"{_LEVEL}\s+(?:\d\d-\d\d )?(?:{_CLOCK}|{_SHORT_DATE})(?=\s){_SEPARATOR}",
        _OF_LEVEL,
        _TAG,
    ],
    "a": [
        _RANK,
        r"(?=[a-z]+[-_.\d=])(?:"  # the first word of most lines rules out all of these
        rf"{_NO_POSITION}(?P<worker_compose>[a-z][\w.-]*[-_]\d+)\s+\|\s"
        rf"|(?P<worker_host>{_HOST}): (?=\S)"
        rf"|{_NO_POSITION}(?P<worker_pdsh>[a-z][\w.-]*\d[a-z]?): (?={_POSITION}|\[|{DATE})"
        rf"|(?P<worker_stern>{_POD}-[a-z0-9]{{8,10}}-[a-z0-9]{{5}}) {_POD} (?=\S)"
        rf"|{_NO_POSITION}(?P<worker_set>{_POD}-(?:\d{{1,4}}|[a-z0-9]{{5}})) {_CONTAINER} (?=\S)"
        rf"|{_TAG})",
    ],
}
_CHARACTERS = {"0": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}
_PREFIX = {
    character: expression
    for beginning, branches in _BRANCHES.items()
    for expression in [re.compile(rf"\s*(?:{'|'.join(branches)})")]
    for character in _CHARACTERS.get(beginning, beginning)
}
_SPECIAL = {
    **_PREFIX,
    **dict.fromkeys("0123456789", re.compile(rf"{_PREFIX['0'].pattern}|\s*\d{{1,5}}: ")),  # a rank or a step
    "<": re.compile(rf"{_PREFIX['<'].pattern}|<\d{{1,3}}>1 "),
    "{": re.compile(r"\{.*\"(?:log|message|line|MESSAGE)\"\s?:"),
}
_FIRST = re.compile(r"\s*(\S?)")
# Beside a time or a level: the name of the logger, and where in the program it was called.
_BESIDE = re.compile(
    rf"\s*-?(?:\[\s*[\w.-]+\.py\]\[line: ?\d+\]\[\s*{_LEVEL}\s*\]|[IWEFD] {_PLACE}(?=\s)"
    rf"|[\w./-]+\.py(?:\[line:\d+\]|:\d+\[\d+\]){_SEPARATOR}(?=\[?{_LEVEL})|\w+\.py:\s{{1,3}}\d+:(?=\s)"
    rf"|\[{_PLACE}\](?::(?=[\w\[]))?|{_PLACE}\](?=\s)|\({_PLACE}\)|\([\w.]+:\d+\)|{_PLACE}(?=\s*[-:|\s])"
    rf"|[\w.<>]+:[\w.<>]+:\d+(?=\s-\s)){_SEPARATOR}(?::\s)?"
    rf"|(?:\[{_LOGGER}\]|{_LOGGER}){_SEPARATOR}(?=\[?{_LEVEL})"
)


def is_special(text: str) -> bool:
    """Whether the text begins with a prefix, with a number that may be one, or as an envelope does."""
    return _match(_SPECIAL, text, 0) is not None


def prefix(text: str, at: int) -> re.Match[str] | None:
    """The prefix that begins here; None if there is none."""
    return _match(_PREFIX, text, at)


def _match(expressions: Mapping[str, re.Pattern[str]], text: str, at: int) -> re.Match[str] | None:
    first = text[at : at + 1]
    if first.isspace():
        found = _FIRST.match(text, at)
        first = found[1] if found else ""
    expression = expressions.get(first)
    return expression.match(text, at) if expression else None


def beside(text: str, at: int) -> re.Match[str] | None:
    """What begins here beside a time or a level: the name of the logger, or a place in the program."""
    return _BESIDE.match(text, at)
