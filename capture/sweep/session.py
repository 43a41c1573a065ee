"""One call of `capture sweep`: from what was asked for to the table at the end."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from optuna.storages import BaseStorage

from capture import runs, settings
from capture.errors import UserError, did_you_mean
from capture.language.checked_yaml import Source
from capture.page.text_table import terminal_width
from capture.runs.start import project_of
from capture.sweep import closing, commands, config_files, schema, short_form
from capture.sweep import study as agreed
from capture.sweep.display import Lines, Table
from capture.sweep.storage import open_storage
from capture.sweep.study import Definition, Study
from capture.sweep.summary import FAILED, standing
from capture.sweep.trial import Places, names_file
from capture.sweep.worker import Limits, Worker

FOLDER = "sweeps"  # in a project's folder
NOTE, JOURNAL = "sweep.json", "journal.log"
LAST = "last"
INTERRUPTED = 128 + signal.SIGINT


class Note(NamedTuple):
    """What this machine knows of a sweep: where its workers meet, and where its runs are."""

    id: str
    storage: str
    project: str
    cwd: str
    started: float


class Session:
    """A sweep, and what this call does with it."""

    def __init__(self, study: Study, places: Places, storage: str, options: argparse.Namespace) -> None:
        self._study, self._places, self._storage, self._options = study, places, storage, options
        self.name = study.name

    @classmethod
    def begin(cls, options: argparse.Namespace, words: Sequence[str], command: Sequence[str]) -> Session:
        """Make the sweep that is asked for, or join it.  Raises UserError."""
        chosen = _settings(options)
        base = os.path.abspath(chosen["dir"])
        if options.resume:
            if words or command:
                raise UserError("--resume takes the sweep as it is: leave out its file, values and command")
            opened = cls._known(options, options.resume, base)
            check_command(opened._study.definition)
            if options.count is not None:
                opened._study.set_count(options.count)
            opened._study.stop(None)
            opened._study.queue_missing()
            return opened
        definition, notes = define(options, words, command)
        check_command(definition)
        for note in notes:
            print(f"capture sweep: {note}", file=sys.stderr)
        project = options.project or definition.file.project or project_of(chosen)
        name = options.id or _new_id(definition, shared=options.storage is not None)
        folder = _folder(base, project, name)
        storage = options.storage or os.path.join(folder, JOURNAL)
        count = options.count or definition.file.run_cap
        study = agreed.create(open_storage(storage), name, definition, count)
        _write_note(folder, Note(name, _absolute(storage), project, definition.cwd, time.time()))
        return cls(study, _places(base, project, name, folder, options), storage, options)

    @classmethod
    def find(cls, options: argparse.Namespace, words: Sequence[str]) -> Session:
        """The sweep that is meant: by its id, or the last one.  Raises UserError."""
        if len(words) > 1:
            raise UserError(f"{words[1]!r} is one word too many")
        base = os.path.abspath(_settings(options)["dir"])
        return cls._known(options, words[0] if words else LAST, base)

    @classmethod
    def _known(cls, options: argparse.Namespace, wanted: str, base: str) -> Session:
        notes = sorted(_notes(base), key=lambda note: note.started)
        found = [note for note in notes if note.id == wanted] or (notes[-1:] if wanted == LAST else [])
        if found:
            note = found[-1]
            storage = options.storage or note.storage
            project = note.project
        elif options.storage and wanted != LAST:
            storage, project = options.storage, options.project or ""
        else:
            known = [note.id for note in notes]
            hint = did_you_mean(wanted, known, f"there are {', '.join(known[-5:]) or 'none'} in {base}")
            raise UserError(f"there is no sweep {wanted!r}; {hint}")
        study = agreed.join(_existing(storage), found[-1].id if found else wanted)
        project = project or study.definition.file.project or os.path.basename(os.getcwd())
        folder = _folder(base, project, study.name)
        if not found:
            _write_note(folder, Note(study.name, _absolute(storage), project, os.getcwd(), time.time()))
        return cls(study, _places(base, project, study.name, folder, options), storage, options)

    def work(self, file: Any) -> int:
        """Run trials until nothing is left to do, and show what they came to; returns the exit status."""
        limits = _limits(self._options)
        terminal = hasattr(file, "isatty") and file.isatty() and os.environ.get("TERM") != "dumb"
        display = (
            Table(self._study, file, lambda: _advice(worker), lambda: worker.live())
            if terminal
            else Lines(self._study, file)
        )
        worker = Worker(self._study, self._places, limits, display.tell)
        print(self._head(limits), file=file, flush=True)
        ended_by = worker.run(display.draw)
        display.close()
        for line in self.closing():
            print(line, file=file)
        if worker.problem:
            print(f"capture sweep: {worker.problem}", file=sys.stderr)
            print(self._again(), file=sys.stderr)
            return 1
        if worker.interrupted or ended_by or self._is_unfinished():
            print(self._again(), file=file)
        if ended_by:
            return 128 + ended_by
        if worker.interrupted:
            return INTERRUPTED
        now = standing(self._study)
        all_failed = bool(now.lines) and now.number(FAILED) == len(now.lines)
        return 1 if all_failed or (self._study.definition.file.metric and now.best is None) else 0

    def closing(self) -> Iterator[str]:
        """The lines at the end: the table, the best, what mattered."""
        return closing.text(self._study, self._places, self._storage, terminal_width())

    def as_json(self) -> dict[str, Any]:
        """The sweep for programs."""
        return {**closing.as_json(self._study, self._places), "storage": self._storage}

    def best_command(self) -> str | None:
        """The best trial's command line, if there is one."""
        best = self.as_json()["best"]
        return None if best is None else commands.pasted(best["command"])

    def stop(self) -> str:
        """Let no worker start more; said twice, let them end their trials, too.  Returns what that means."""
        how = agreed.NOW if self._study.stopped else agreed.NO_MORE
        self._study.stop(how)
        if how == agreed.NOW:
            return f"{self.name}: its workers stop their trials now"
        return f"{self.name}: no more trials are started; once more stops those that run"

    def _head(self, limits: Limits) -> str:
        file = self._study.definition.file
        total = self._study.count
        until = f"{total} trials" if total is not None else "until Ctrl-C (--count N ends it by itself)"
        at_once = f", {limits.workers} at once" if limits.workers > 1 else ""
        title = f" {file.name}" if file.name else ""
        return f"sweep {self.name}{title}: {file.method}, {until}{at_once}; project {self._places.project}"

    def _again(self) -> str:
        where = f" --storage {self._storage}" if self._options.storage else ""
        return f"to go on with it: capture sweep --resume {self.name}{where}"

    def _is_unfinished(self) -> bool:
        return bool(self._study.stopped) and bool(self._study.missing(self._study.trials()))


def define(
    options: argparse.Namespace, words: Sequence[str], command: Sequence[str]
) -> tuple[Definition, list[str]]:
    """The sweep that the words and options say, and remarks.  Raises UserError."""
    files = [word for word in words if not short_form.is_pair(word)]
    if len(files) > 1:
        raise UserError(f"{files[1]!r} should be NAME=VALUES, such as lr=0.01,0.1; a sweep has one file")
    if not words:
        raise UserError("say what is to be tried: a sweep's file, or NAME=VALUES such as lr=1e-4..1e-1")
    notes: list[str] = []
    data: dict[str, Any] = {}
    if files:
        data, notes = _of_file(files[0])
    pairs = short_form.parameters([word for word in words if word not in files])
    data["parameters"] = {**data.get("parameters", {}), **pairs}
    if options.metric:
        data["metric"] = {**data.get("metric", {}), **short_form.metric(options.metric)}
    given = {"method": options.method, "name": options.name, "config_file": options.config_file}
    data |= {key: value for key, value in given.items() if value}
    data.setdefault("method", short_form.method(data["parameters"]))
    file, _ = schema.check(Source.of_data(data, files[0] if files else "the sweep"))
    if command:
        return Definition(file, list(command), True, os.getcwd()), notes
    if not files or not (file.command or file.program):
        raise UserError(
            "the command is missing: put -- and the command at the end, such as -- python train.py"
        )
    written = [str(word) for word in file.command] if file.command else list(commands.DEFAULT)
    return Definition(file, written, False, os.getcwd()), notes


def check_command(definition: Definition) -> None:
    """Raises UserError for what no trial could be started with."""
    names = [parameter.name for parameter in definition.file.leaves()]
    commands.check(definition.words, names, definition.file.program)
    path = definition.file.config_file
    if path:
        config_files.places(path, names)
        if not names_file(definition.words, path):
            raise UserError(
                f"the command does not name {path}; put it or {{config_file}} where the program reads it"
            )
    first = commands.build(definition.words[:1], definition.file.program, {}, {}, "", None)
    if first and "{" not in first[0] and shutil.which(first[0]) is None:
        raise UserError(f"{first[0]}: command not found")


def _of_file(path: str) -> tuple[dict[str, Any], list[str]]:
    """What a sweep's file says, checked."""
    if not os.path.exists(path) and not path.endswith((".yaml", ".yml", ".json")):
        raise UserError(f"{path!r} should be NAME=VALUES, such as lr=0.01,0.1, or the file of a sweep")
    file, notes = schema.read(path)
    return file.data(), notes


def _settings(options: argparse.Namespace) -> settings.Settings:
    return settings.load(os.getcwd(), os.environ, {"dir": options.dir, "project": options.project})


def _limits(options: argparse.Namespace) -> Limits:
    gpus = [gpu.strip() for gpu in (options.gpus or "").split(",") if gpu.strip()]
    workers = options.workers or len(gpus) or 1
    return Limits(workers, gpus, max(options.dead_after, 1.0))


def _places(base: str, project: str, name: str, folder: str, options: argparse.Namespace) -> Places:
    given: list[str] = []
    if options.to:
        given += ["--to", options.to]
    for tag in options.tags or []:
        given += ["--tag", tag]
    for parser in options.parser:
        given += ["--parser", parser]
    return Places(base, project, name, folder, given)


def _folder(base: str, project: str, name: str) -> str:
    """The folder of a sweep's own files."""
    return os.path.join(os.path.dirname(runs.folder_of(base, project, name)), FOLDER, name)


def _new_id(definition: Definition, shared: bool) -> str:
    """An id for a new sweep; where workers elsewhere have to find it, it follows from what the sweep is."""
    if not shared:
        return f"sweep-{time.strftime('%m%d-%H%M%S')}-{os.urandom(2).hex()}"
    text = json.dumps({**definition.data(), "cwd": ""}, sort_keys=True, default=str)
    return f"sweep-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _absolute(storage: str) -> str:
    return storage if "://" in storage else os.path.abspath(storage)


def _existing(storage: str) -> BaseStorage:
    if "://" not in storage and not os.path.exists(storage):
        raise UserError(f"--storage {storage}: there is no such file")
    return open_storage(storage)


def _write_note(folder: str, note: Note) -> None:
    path = Path(folder) / NOTE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        runs.replace_file(path, json.dumps(note._asdict(), indent=2) + "\n")
        ignore = path.parents[3] / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise UserError(f"{error.filename or path}: {error.strerror}") from None


def _notes(base: str) -> Iterator[Note]:
    for path in Path(base).glob(f"*/{FOLDER}/*/{NOTE}"):
        try:
            yield Note(**runs.read_object(path))
        except (OSError, ValueError, TypeError):
            continue


def _advice(worker: Worker) -> str:
    """What the terminal says below the table."""
    if worker.interrupted:
        return "no new trials; waiting for those that run.  Ctrl-C stops them"
    return "waiting for other workers" if worker.waits and not worker.running else "Ctrl-C: no new trials"
