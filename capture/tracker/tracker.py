"""The tracker: a process of its own that reads the recording, parses it and delivers what it says.

`python -m capture.tracker RUN_FOLDER [--to NAMES]`.  Its standard input is the relay's lifeline: when
it closes, the relay has ended or died.  Started again after a crash it reads the recording from its beginning
and skips the records that are in `records.jsonl` already, since parsing is deterministic.
"""

from __future__ import annotations

import json
import logging
import math
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import runs
from capture.delivery import registry
from capture.delivery.delivery import Delivery
from capture.delivery.naming import Namer
from capture.delivery.worker import DeliveryResult
from capture.facts import config_sources, gather
from capture.facts.observer import Observer
from capture.files.collector import Collector
from capture.records import Record, to_line
from capture.redaction import Redactor
from capture.runs import recordings
from capture.runs.recording import END, Chunk
from capture.tracker import closing_notes, pace, records_file, requests, stopping
from capture.tracker.alerts import Alerts
from capture.tracker.bursts import Bursts
from capture.tracker.closing import NOWHERE, Summary, block
from capture.tracker.console import Console
from capture.tracker.intake import Intake, MaskedLog
from capture.tracker.logged import PARSER as LOGGED
from capture.tracker.logged import LoggedReader
from capture.tracker.processes import Processes
from capture.tracker.stopping import Stopped
from capture.tracker.supervisor import LEFT

OTHER_RANKS = 10.0  # seconds for which ranks that record for themselves may go on after rank 0
STATUS_INTERVAL = 1.0  # seconds between two notes of the last values
MOST_PRINTED = 1000  # names of config
HURRY = 1.2  # seconds that are left for the backends after SIGTERM
STOPPED = 3  # exit status: the recording was not read to its end


def main(argv: list[str]) -> int:
    """Track the run in the folder that `argv` names; `--to` delivers it to other backends than its own."""
    folder = Path(argv[0]).resolve()
    run = runs.at_home(runs.read(folder), folder)
    if argv[1:2] == ["--to"]:
        run = run._replace(to=argv[2].split(","))
    if argv[-1] == requests.OPTION:
        requests.begin()
    os.umask(0o077)  # what a run prints is nobody else's business: this holds for the backends' files, too
    stopping.listen()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    redactor = Redactor(os.environ, run.settings.get("redact", []))
    log = logging.StreamHandler()
    log.setFormatter(MaskedLog(redactor))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    try:
        tracker = Tracker(folder, run, redactor)
        tracker.deliver()
        gather.Gathering(folder, tracker.run, redactor, tracker.delivery.wake).start()
        if tracker.files.rules:
            tracker.console.prepare()  # a file that is whole is noted with the metrics at that time
        tracker.files.start()
    except Stopped:
        return STOPPED
    try:
        tracker.status("tracking")
        tracker.follow()
        tracker.finish()
    except Stopped:
        if not (tracker.complete or tracker.console.ready):
            return STOPPED  # nothing has been read
        tracker.finish(HURRY)
        whole = tracker.complete and tracker.files.complete
        tracker.status("done" if whole else "stopped")
        os._exit(0 if whole else STOPPED)  # a backend that hangs would hold up the end for ever
    tracker.status("done" if tracker.complete else "stopped")
    return 0 if tracker.complete else LEFT


class Tracker:
    """One run: from its recording to its records, rows and lines."""

    def __init__(self, folder: Path, run: runs.Run, redactor: Redactor, like: Any = None) -> None:
        """`like` is an engine of the parsers to read with, None for those in the run's folder."""
        self.folder, self.run = folder, run
        self.bursts, self.processes = Bursts(), Processes()
        self.console = Console(folder, run, like)
        self.reader = recordings.reader_of(folder, run, writes=True)
        self.namer = Namer(self.console.axes, run.settings.get("rename", {}))
        self.summary = Summary()
        self.redactor, self.intake, self.logged_intake = redactor, Intake(redactor), Intake(redactor)
        self.parsers: dict[str, None] = {}  # those that gave something, in the order of their first record
        self.ordinal = self.handed_on = 0  # records that are written, and that the backends know of
        self.file = records_file.open_to_go_on(folder / runs.RECORDS)
        self.skip = 0  # records of the console that a tracker before has written
        self.last: float | None = None  # when the last bytes came, in Unix seconds
        self.position = 0  # in `console.log`: where the next bytes begin
        self.complete = False  # the recording was read to its end, and all records are written
        self.config = config_sources.asked(folder, run, redactor)
        self.told: tuple[Any, ...] = ()  # what the last status said of the progress
        self.status_due = 0.0  # on the monotonic clock
        self.files = Collector(folder, run, redactor, lambda: self.delivery.wake())
        self.alerts = Alerts(folder, run, redactor)
        positions: dict[str, int] = {}
        for record in records_file.written(folder / runs.RECORDS):
            if record.logged is None:
                self.skip += 1
                self.console.prepare()  # the names of its metrics need the parsers
            else:
                positions[record.logged[0]] = record.logged[1] + record.logged[2]
            self._count([record])
        self.logged = LoggedReader(folder, positions)
        self.run = run._replace(config=config_sources.merged(self.config))
        self.delivery = Delivery(self.run, folder, {}, self.console.axes)  # to nobody yet
        self.observer = Observer(folder, self.run, run.settings.get("system", 0))

    def deliver(self) -> None:
        """Begin to deliver to the run's backends."""
        self.delivery = Delivery(self.run, self.folder, registry.adapters(self.run.to), self.console.axes)
        self.delivery.start()

    def follow(self) -> None:
        """Read the recording until the relay has ended it, or has died, and take what was held back."""
        alive, begin = True, time.monotonic()
        left_by = 0.0  # when rank 0's relay had ended, and others' had not
        while True:
            stopping.check()
            work = pace.Work()
            chunks = self.reader.read()
            self._read(chunks)
            if self.reader.finished:
                break
            if not chunks and not alive:
                if not self.reader.ended:
                    self._crash()
                    break
                left_by = left_by or time.monotonic()
                if time.monotonic() >= left_by + OTHER_RANKS:
                    break
            if self.observer.look() and self.observer.sample is not None:
                self.alerts.sample(self.observer.sample)
                self.delivery.wake()
            if time.monotonic() >= self.status_due:
                self.refresh_status()
            requests.pass_on(self.folder)
            if not chunks:
                self.alerts.tick()
            pause = work.rest() if chunks else pace.pause(time.monotonic() - begin)
            if not alive:
                time.sleep(pause)
            elif pause and select.select([0], [], [], pause)[0]:
                alive = bool(os.read(0, 4096))
            elif pause:
                self.console.prepare()  # the command is still running: it may print something
        if not self.other_ranks():
            self.complete_records()

    def other_ranks(self) -> list[int]:
        """The ranks that go on recording; of those that have died, what is left is read."""
        running = self.reader.running()
        if not running and not self.reader.finished:
            self._read(self.reader.rest())
        return running

    def take_new(self) -> None:
        """Read what has been recorded since the last call."""
        for chunks in iter(self.reader.read, []):
            self._read(chunks)

    def complete_records(self) -> None:
        """The recording has been read to its end: take what was held back."""
        self._take(self.console.finish(self.last))
        self._read([])
        self.complete = True

    def close(self) -> None:
        """Close the files of a run that is not tracked any more."""
        self.reader.close()
        self.file.close()

    def _read(self, chunks: Sequence[Chunk]) -> None:
        """Add what these chunks say, and what the program itself has logged meanwhile; hand it on."""
        self.logged.look()
        for chunk in chunks:
            self._read_chunk(chunk)
        self._take_logged(math.inf)
        if self.ordinal != self.handed_on:
            self.handed_on = self.ordinal
            self.file.flush()
            self.delivery.wake()

    def _read_chunk(self, chunk: Chunk) -> None:
        if chunk.stream == END:
            self._take(self.console.end(self.last, chunk.rank))
            return
        self.bursts.add(chunk)
        self.processes.output(chunk.data)
        if not chunk.rank:
            self.position = chunk.offset + len(chunk.data)
        now = None if math.isnan(chunk.seconds) else self.run.start + chunk.seconds
        if now is not None and self.logged.waiting:
            self._take_logged(now)
        self._take(self.console.read(chunk, now))
        self.alerts.chunk(chunk, now)
        self.last = now or self.last

    def finish(self, limit: float | None = None) -> None:
        """Wait for the backends and write the closing block.

        `limit` is how many seconds the backends have left; the relay has a limit of its own.  Where the
        recording was not read to its end, nothing more is made of it: half a line is none.
        """
        self.observer.finish()
        self.run = runs.at_home(runs.read(self.folder), self.folder)
        if self.complete:
            self.files.finish(self.run)
        self.status("delivering" if self.complete else "stopping")
        results = self.delivery.finish(self.run.exit_status, limit)
        self.alerts.finish()
        runs.replace_file(self.folder / runs.SUMMARY, self._block(results))

    def status(self, state: str) -> None:
        """Write `status.json`: what the tracker is doing, how far it has read, last values and links."""
        self.told = self._progress()
        item = {
            "state": state,
            "records": self.ordinal,
            "position": self.position,
            "pid": os.getpid(),
            "last": self.summary.last(),
            "links": self.delivery.links(),
        }
        runs.replace_file(self.folder / runs.STATUS, json.dumps(item) + "\n")

    def refresh_status(self) -> None:
        """Write it anew if there is something new to say."""
        self.status_due = time.monotonic() + STATUS_INTERVAL
        if self._progress() != self.told:
            self.status("tracking")

    def _progress(self) -> tuple[Any, ...]:
        return self.ordinal, self.position, self.delivery.links()

    def _take(self, records: list[Record]) -> None:
        """Add records of the console, but those that a tracker before has added."""
        kept = [record for record in map(self.intake.take, records) if record is not None]
        known = min(self.skip, len(kept))
        self.skip -= known
        self._add(kept[known:])

    def _take_logged(self, until: float) -> None:
        """Add what the program itself has logged up to a time, in Unix seconds."""
        self._add([r for r in map(self.logged_intake.take, self.logged.read(until)) if r is not None])

    def _add(self, records: list[Record]) -> None:
        """Write records, and count them."""
        if records:
            self.file.write(b"".join(map(to_line, records)))
            self._count(records)

    def _count(self, records: list[Record]) -> None:
        """Note what records in the folder say."""
        told: dict[str, dict[str, Any]] = {}
        for record in records:
            self.parsers.setdefault(record.parser)
            place = record.at[0] if record.logged is None and not record.recorded_by else NOWHERE
            row = self.namer.row(self.ordinal, record)
            self.summary.add(row, place)
            self.files.add(row)
            self.alerts.row(row)
            self.processes.record(record)
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

    def _crash(self) -> None:
        """The relay died: what it had written is the run."""
        self._read(self.reader.rest())
        runs.note_crash(self.folder, self.last)

    def _block(self, results: list[DeliveryResult]) -> str:
        run = self.run
        place = os.path.relpath(self.folder, run.cwd)
        if self.summary.values:
            console = self.console
            lines = f"{console.understood} of {console.lines} line{'s' * (console.lines != 1)}"
            values = f"{self.summary.values} value{'s' * (self.summary.values != 1)}"
            notes = [f"{values} from {lines} ({', '.join(self.parsers)}): {place}"]
        else:
            read = self.complete or self.console.lines
            notes = [*map(self.redactor.text, self.console.notes(place) if read else [])]
        notes += closing_notes.on_ranks(self.reader, run, self.folder, place)
        if not self.complete and not self.reader.ended:
            size = (self.folder / runs.CONSOLE_LOG).stat().st_size
            notes.append(f"stopped after {self.position} of {size} bytes; the rest: capture sync {place}")
        notes += closing_notes.on_broken(self.summary, self.folder / runs.CONSOLE_LOG)
        notes += self.alerts.notes(self.summary.names() if self.complete else ())
        notes += [note for result in results for note in closing_notes.on_backend(result)]
        notes += [f"ignored: {what}" for what in run.settings.get("ignored", [])]
        notes += (
            self.intake.notes()
            + self.logged_intake.notes()
            + self.console.events
            + self.bursts.notes(self.ordinal)
        )
        notes += self.files.notes() if self.complete else []
        notes += self.observer.notes + self.processes.notes(run.command)
        return block(f"{run.project}/{run.name}: {closing_notes.how_it_ended(run)}", self.summary, notes)
