"""`capture collect --by KEY [FILE|-]`: one run for each pod, host or job of a stream of many."""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys

from capture import settings
from capture.cli import run_options
from capture.cli.arguments import Arguments
from capture.cli.parse import choose as choose_parsers
from capture.collect import keys
from capture.collect.collect import Collector, File, Outcome, Source, collect
from capture.collect.members import Members
from capture.collect.tracking import Tracking
from capture.errors import UserError
from capture.parsing.engine import Engine
from capture.redaction import Redactor
from capture.relay.self_pipe import CaughtSignals
from capture.relay.waiting import wait as wait_for
from capture.runs import lock
from capture.tracker.intake import MaskedLog

READ_SIZE = 1 << 18
SLOTS = 16  # runs that are connected to their backends at the same time
IDLE = 3600.0  # seconds
MANY_FILES = 65536  # that may be open


def arguments() -> Arguments:
    """The options of `capture collect`."""
    parser = Arguments(
        prog="capture collect",
        description="Make one run for each value of a key in a stream of many: JSON objects or prefixed "
        "lines, as log collectors write them.  A run begins with its first line, and goes on where it was if "
        "this is called again.",
    )
    parser.add_argument(
        "source", nargs="?", default="-", metavar="FILE|-", help="the stream (default: standard input)"
    )
    parser.add_argument(
        "--by",
        required=True,
        metavar="KEY",
        help="a field of the objects (kubernetes.pod_name); rank or worker of the lines' prefix; or a "
        "pattern that lines begin with, in which a group is the key: '^(\\S+): '",
    )
    parser.add_argument(
        "--end",
        metavar="PATTERN",
        help="a run has ended when it prints this: a regular expression, whose group `status`, if it has "
        "one, is the exit status",
    )
    add_stream_options(parser)
    run_options.add_options(parser)
    return parser


def add_stream_options(parser: argparse.ArgumentParser) -> None:
    """The options of what makes many runs at once."""
    parser.add_argument(
        "--idle",
        type=run_options.seconds,
        default=None,
        metavar="SECONDS",
        help=f"a run has ended when nothing has come of it for so long (default: {IDLE:g})",
    )


def main(argv: list[str]) -> int:
    """Collect."""
    options = arguments().parse_args(argv)
    read = keys.reader(options.by)
    end = _pattern(options.end)
    chosen = run_options.choose(options)
    members, tracking = begin(chosen, options)
    note = os.path.join(members.base, f"{members.lock.removesuffix('.lock')}.json")
    with CaughtSignals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as signals:
        source = _source(options.source, note, signals)
        collector = Collector(members, tracking, read, end, IDLE if options.idle is None else options.idle)
        collect(source, collector, note, lambda: bool(signals.arrived))
        return finish(collector, tracking, chosen, "collect", options.by)


def begin(chosen: settings.Settings, options: argparse.Namespace) -> tuple[Members, Tracking]:
    """What makes the runs of a stream, and what tracks them.

    Raises UserError where another process does the same, or no folder can be made.
    """
    raise_limit()
    own = [parser for parser in options.parser if parser.endswith((".yaml", ".yml"))]
    engine = Engine(*choose_parsers(own))
    members = Members(chosen, getattr(options, "by", None) or "file")
    try:
        os.makedirs(members.base, exist_ok=True)
        free = lock.take(members.base, members.lock)
    except OSError as error:
        raise UserError(f"{members.base}: {error.strerror}") from None
    if not free:
        raise UserError(f"another process collects by this key in {os.path.relpath(members.base)}")
    log = logging.FileHandler(os.path.join(members.base, members.lock.replace(".lock", ".log")))
    log.setFormatter(MaskedLog(Redactor(os.environ, chosen.get("redact", []))))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    os.umask(0o077)  # what runs print is nobody else's business
    tracking = Tracking(engine, SLOTS, chosen["wait"])
    tracking.start()
    return members, tracking


def finish(collector: Collector, tracking: Tracking, chosen: settings.Settings, name: str, by: str) -> int:
    """End the stream, and say what came of it.  Returns the exit status."""
    outcome = collector.finish()
    delivered = tracking.finish()
    for problem in outcome.unwritten[:5]:
        print(f"capture {name}: not recorded: {problem}", file=sys.stderr)
    if outcome.nobody and not outcome.members:
        print(f"capture {name}: no line has the key {by!r}, such as: {outcome.example}", file=sys.stderr)
    if not delivered:
        print(
            f"capture {name}: {tracking.delivered} of {tracking.ended} runs are delivered whole; to deliver "
            f"the rest: capture sync --project {chosen.get('project') or os.path.basename(os.getcwd())}",
            file=sys.stderr,
        )
    if chosen["summary"] == "always" or (chosen["summary"] == "auto" and sys.stderr.isatty()):
        print(_block(outcome), file=sys.stderr)
    return 1 if outcome.unwritten or (outcome.nobody and not outcome.members) else 0


def _block(outcome: Outcome) -> str:
    nobody = f"; {outcome.nobody:,} lines had no key, such as: {outcome.example}" if outcome.nobody else ""
    return f"capture: {outcome.lines:,} lines of {outcome.members:,} runs{nobody}; see them: capture runs"


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UserError(f"--end {text}: not a regular expression: {error}") from None


def _source(name: str, note: str, signals: CaughtSignals) -> Source:
    if name == "-":
        return _Stdin(signals)
    try:
        if not os.path.isfile(name):  # a pipe: `<(kubectl logs -f ...)`
            return _Stdin(signals, os.open(name, os.O_RDONLY))
        file = File(name, note)
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}") from None
    if file.begin:
        print(
            f"capture collect: {name}: going on at byte {file.begin:,}, as it was read before",
            file=sys.stderr,
        )
    return file


class _Stdin:
    """Standard input, with what is in the pipe when a signal comes."""

    position = None

    def __init__(self, signals: CaughtSignals, file: int = 0) -> None:
        self._signals, self._file = signals, file

    def read(self, timeout: float) -> bytes | None:
        """What came within a time in seconds; empty if nothing did, None at the end."""
        readable, _ = wait_for([self._file, self._signals.fileno()], timeout=timeout)
        if self._file not in readable:
            return b""
        return os.read(self._file, READ_SIZE) or None


def raise_limit() -> None:
    """Allow this process as many open files as it may have, up to MANY_FILES: each run has some."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
