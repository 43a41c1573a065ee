"""The tracker: a process of its own that reads the recording, parses it and delivers what it says.

`python -m capture.tracker RUN_FOLDER [--to NAMES]`.  Its standard input is the relay's lifeline: when
it closes, the relay has ended or died.  Started again after a crash it reads the recording from its beginning
and skips the records that are in `records.jsonl` already, since parsing is deterministic.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows: the command line says so
    pass

from capture import runs
from capture.delivery import naming, registry
from capture.delivery.delivery import Delivery
from capture.delivery.naming import Namer
from capture.delivery.worker import DeliveryResult
from capture.facts import config_sources, gather
from capture.facts.observer import Observer
from capture.language import library, model
from capture.parsing.downsampling import downsampler
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline
from capture.records import Record, from_json, to_json
from capture.redaction import Redactor
from capture.runs.recording import RESUME, Chunk, RecordingReader
from capture.tracker.closing import Summary, block, clock
from capture.tracker.logged import PARSER as LOGGED
from capture.tracker.logged import LoggedReader

PLAIN_CONTEXT = frozenset(["stream", "rank", "fit"])
PAUSE, LONG_PAUSE = 0.05, 0.1  # seconds between two looks at the recording; after QUIET seconds of nothing
QUIET = 2.0
STATUS_INTERVAL = 1.0  # seconds between two notes of the last values
MOST_PRINTED = 1000  # names of config
HURRY = 1.5  # seconds that are left for the backends after SIGTERM


class Stopped(BaseException):
    """SIGTERM: hand over what there is, at once."""


def main(argv: list[str]) -> int:
    """Track the run in the folder that `argv` names; `--to` delivers it to other backends than its own."""
    folder = Path(argv[0]).resolve()
    run = runs.read(folder)
    if argv[1:2] == ["--to"]:
        run = run._replace(to=argv[2].split(","))
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tracker = Tracker(folder, run)
    tracker.status("tracking")
    try:
        tracker.follow()
        tracker.finish()
    except Stopped:
        tracker.finish(HURRY)
    tracker.status("done")
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


class Tracker:
    """One run: from its recording to its records, rows and lines."""

    def __init__(self, folder: Path, run: runs.Run) -> None:
        self.folder, self.run = folder, run
        self.engine = engine_of(folder, run)
        self.pipeline = Pipeline(self.engine)
        self.reader = RecordingReader(folder)
        axes = {rule.parser.name: naming.axes(rule.parser) for rule in self.engine.rules}
        self.namer = Namer(axes, run.settings.get("rename", {}))
        self.summary = Summary()
        self.redactor = Redactor(os.environ, run.settings.get("redact", []))
        self.parsers: dict[str, None] = {}  # those that gave something, in the order of their first record
        self.ordinal = 0
        self.file = _recover(folder / runs.RECORDS)
        self.skip = 0  # records of the console that a tracker before has written
        self.last: float | None = None  # when the last bytes came, in Unix seconds
        self.config = config_sources.asked(folder, run, self.redactor)
        self.told: tuple[int, list[str]] = (0, [])  # records and links of the last status
        self.status_due = 0.0  # on the monotonic clock
        positions: dict[str, int] = {}
        for record in _written(folder / runs.RECORDS):
            if record.logged is None:
                self.skip += 1
            else:
                positions[record.logged[0]] = record.logged[1] + record.logged[2]
            self._count([record])
        self.logged = LoggedReader(folder, positions)
        run = self.run = run._replace(config=config_sources.merged(self.config))
        self.delivery = Delivery(run, folder, {name: registry.adapter(name) for name in run.to}, axes)
        self.delivery.start()
        gather.Gathering(folder, run, self.redactor, self.delivery.wake).start()
        self.observer = Observer(folder, run, run.settings.get("system", 0))

    def follow(self) -> None:
        """Read the recording until the relay has ended it, or has died."""
        alive, active = True, time.monotonic()
        while True:
            chunks = self.reader.read()
            for chunk in chunks:
                self._read(chunk)
            self._add(self.logged.read())
            if self.reader.finished:
                return
            if not chunks and not alive:
                self._crash()
                return
            if self.observer.look():
                self.delivery.wake()
            if time.monotonic() >= self.status_due:
                self._refresh_status()
            if chunks:
                active = time.monotonic()
                continue
            pause = PAUSE if time.monotonic() - active < QUIET else LONG_PAUSE
            if select.select([0], [], [], pause)[0]:
                alive = bool(os.read(0, 4096))

    def _read(self, chunk: Chunk) -> None:
        now = None if math.isnan(chunk.seconds) else self.run.start + chunk.seconds
        if now is not None:
            self._add(self.logged.read(now))
        if chunk.stream == RESUME:
            self._take(self.pipeline.resume(now))
        else:
            self._take(self.pipeline.feed(chunk.data, chunk.offset, chunk.stream, now))
        self.last = now or self.last

    def finish(self, limit: float | None = None) -> None:
        """Take what was held back, wait for the backends and write the closing block.

        `limit` is how many seconds the backends have left; the relay has a limit of its own.
        """
        self._take(self.pipeline.finish(self.last))
        self._add(self.logged.read())
        self.run = runs.read(self.folder)
        self.status("delivering")
        results = self.delivery.finish(self.run.exit_status, limit)
        runs.replace_file(self.folder / runs.SUMMARY, self._block(results))

    def status(self, state: str) -> None:
        """Write `status.json`: what the tracker is doing, how many records, the last values, the links."""
        self.told = self.ordinal, self.delivery.links()
        records, links = self.told
        last = self.summary.last()
        item = {"state": state, "records": records, "pid": os.getpid(), "last": last, "links": links}
        runs.replace_file(self.folder / runs.STATUS, json.dumps(item) + "\n")

    def _refresh_status(self) -> None:
        """Write it anew if there is something new to say."""
        self.status_due = time.monotonic() + STATUS_INTERVAL
        if (self.ordinal, self.delivery.links()) != self.told:
            self.status("tracking")

    def _take(self, records: list[Record]) -> None:
        """Add records of the console, but those that a tracker before has added."""
        known = min(self.skip, len(records))
        self.skip -= known
        self._add(records[known:])

    def _add(self, records: list[Record]) -> None:
        """Write records, and hand them on."""
        if not records:
            return
        masked = [self._masked(record) for record in records]
        for record in masked:
            self.file.write(to_json(record) + "\n")
        self.file.flush()
        self._count(masked)
        self.delivery.wake()

    def _count(self, records: list[Record]) -> None:
        """Note what records say that stand in the folder."""
        told: dict[str, dict[str, Any]] = {}
        for record in records:
            self.parsers.setdefault(record.parser)
            self.summary.add(self.namer.row(self.ordinal, record))
            self.ordinal += 1
            if record.config:
                where = config_sources.LOGGED if record.parser == LOGGED else config_sources.PRINTED
                told[where] = {**told.get(where, {}), **record.config}
        for where, values in told.items():
            self._note(where, values)

    def _note(self, where: str, values: Mapping[str, Any]) -> None:
        """Keep what the program says of its config, as much as there is room for."""
        known = self.config.get(where, {})
        told = dict(list({**known, **values}.items())[:MOST_PRINTED])
        if told != known:
            self.config[where] = told
            config_sources.note(self.folder, self.config)

    def _masked(self, record: Record) -> Record:
        if not record.config and set(record.context) <= PLAIN_CONTEXT:
            return record
        context = {name: self.redactor.value(name, value) for name, value in record.context.items()}
        return record._replace(context=context, config=self.redactor.values(record.config))

    def _crash(self) -> None:
        """The relay died: what it had written is the run."""
        for chunk in self.reader.rest():
            self._read(chunk)
        runs.write(self.folder, runs.read(self.folder)._replace(state="crashed", end=self.last))

    def _block(self, results: list[DeliveryResult]) -> str:
        run = self.run
        took = clock((run.end or time.time()) - run.start)
        status = "ended" if run.exit_status is None else f"exit status {run.exit_status}"
        how = "crashed" if run.state == "crashed" else f"{status}, {took}"
        place = os.path.relpath(self.folder, run.cwd)
        if self.summary.values:
            lines = f"{self.engine.understood} of {self.engine.lines} lines"
            notes = [f"{self.summary.values} values from {lines} ({', '.join(self.parsers)}): {place}"]
        else:
            notes = [f"no metrics found in {self.engine.lines} lines; the console is kept in {place}"]
        notes += [note for result in results for note in _notes_on(result)]
        notes += [f"ignored: {what}" for what in run.settings.get("ignored", [])]
        notes += self.engine.events + self.observer.notes
        return block(f"{run.project}/{run.name}: {how}", self.summary, notes)


def _notes_on(result: DeliveryResult) -> list[str]:
    if result.error:
        return [f"{result.name}: {result.delivered} of {result.total} delivered: {result.error}"]
    return [f"{result.name}: {link}" for link in result.links]


def engine_of(folder: Path, run: runs.Run) -> Engine:
    """The run's engine, of the parsers in its folder; the built-in ones are put there at its first start."""
    place = folder / runs.PARSERS / library.BUILT_IN
    if not place.exists():
        draft = folder / f".{runs.PARSERS}.{os.getpid()}"
        draft.mkdir()
        for index, (name, text) in enumerate(library.built_in_texts()):
            (draft / f"{index:03}-{name.rpartition('/')[2]}").write_text(text, encoding="utf-8")
        place.parent.mkdir(exist_ok=True)
        draft.replace(place)
    parsers = library.of_run(folder / runs.PARSERS)
    naming = model.Naming.model_validate(
        {key: run.settings[key] for key in ("rename", "drop", "scale") if key in run.settings}
    )
    every = run.settings.get("every")
    engine = Engine(parsers.built_in, parsers.own, naming, downsampler(every) if every else None)
    engine.events += [f"ignored: {problem}" for problem in parsers.problems]
    return engine


def _recover(path: Path) -> IO[str]:
    """Open `records.jsonl` to go on, with a torn last line cut off.

    Waits while another tracker is at work on this run: the one of a start before, say.
    """
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return file


def _written(path: Path) -> Iterator[Record]:
    """The records that a tracker before has written; an empty one for a line that is damaged."""
    with path.open("rb") as file:
        for line in file:
            try:
                yield from_json(line.decode())
            except (ValueError, KeyError, TypeError, IndexError):
                yield Record(None, "", None, None, {})
