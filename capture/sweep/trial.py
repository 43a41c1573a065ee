"""A trial in progress: its values, its run, and what that says of the metric.

It is an ordinary run: `capture` is started for it as a user would start it, with a folder of its own, and its
console goes there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

import capture_command
from capture import runs
from capture.errors import UserError
from capture.language.literals import argument
from capture.sweep import commands, config_files
from capture.sweep.observations import Observations
from capture.sweep.parameters import Values, nested
from capture.sweep.study import Definition
from capture.tracker import requests

GRACE = 30.0  # seconds for a command to end when it is asked to
LONGEST_NAME = 60
_TAIL = 4096


class Places(NamedTuple):
    """Where the runs and the files of a sweep are, and what else its runs are told."""

    base: str  # the folder that holds all runs
    project: str
    sweep: str  # the sweep's name
    files: str  # the folder of the sweep's own files
    options: Sequence[str] = ()  # of `capture run`

    def run_id(self, number: int) -> str:
        """The id of a trial's run."""
        return f"{self.sweep}-{number}"

    def folder(self, number: int) -> Path:
        """The folder of a trial's run."""
        return Path(runs.folder_of(self.base, self.project, self.run_id(number)))


def command_of(definition: Definition, values: Values, files: str, write: bool = True) -> list[str]:
    """The command of a trial with these values.

    The files that it reads them from are written into the folder `files`, unless that is not wanted.
    """
    file = definition.file
    config = nested(file.leaves(), values)
    json_file = os.path.join(files, "args.json")
    words = definition.words
    given: list[str] | None = [] if definition.given else None
    if file.config_file:
        where = config_files.places(file.config_file, list(values))
        copy = os.path.join(files, os.path.basename(file.config_file))
        words = [_with_copy(word, file.config_file, copy) for word in words]
        given = None if given is None else list(where)
        if write:
            os.makedirs(files, exist_ok=True)
            Path(copy).write_text(config_files.filled(file.config_file, where, values), encoding="utf-8")
    if commands.needs_json_file(words) and write:
        os.makedirs(files, exist_ok=True)
        Path(json_file).write_text(json.dumps(config), encoding="utf-8")
    return commands.build(words, file.program, config, values, json_file, given)


def names_file(words: Sequence[str], path: str) -> bool:
    """Whether one of the words names this file."""
    return any(_with_copy(word, path, "") != word for word in words)


def _with_copy(word: str, path: str, copy: str) -> str:
    """The word with the copy's path in the place of the file's."""
    before, equals, after = word.rpartition("=")
    if after == "{config_file}" or os.path.normpath(after) == os.path.normpath(path):
        return f"{before}{equals}{copy}"
    return word


class RunningTrial:
    """A trial whose command runs."""

    def __init__(
        self, number: int, values: Values, definition: Definition, places: Places, gpu: str | None = None
    ) -> None:
        """Start it.  Raises UserError where its command can't be made."""
        self.number, self.values, self.gpu = number, values, gpu
        self.run_id, self.folder = places.run_id(number), places.folder(number)
        if self.folder.exists():
            raise UserError(
                f"there is a run {self.run_id} already, of another sweep; give this one another --id"
            )
        metric = definition.file.metric
        self.observations = Observations(
            self.folder, metric.name if metric else None, metric is not None and metric.maximize
        )
        self.started, self.beat, self.next_beat = time.monotonic(), 0, 0.0
        self.ended_early = False
        self._asked: float | None = None  # when it was asked to end
        self._insisted = False
        try:
            self.command = command_of(definition, values, os.path.join(places.files, str(number)))
        except OSError as error:
            raise UserError(f"{error.filename}: {error.strerror}") from None
        given = ["--id", self.run_id, "--resume", "never", "--name", name_of(number, values, definition)]
        given += ["--project", places.project, "--group", places.sweep, "--dir", places.base]
        given += [
            word for name, value in values.items() for word in ("--config", f"{name}={_written(value)}")
        ]
        program = [sys.executable, capture_command.__file__, *given, "--summary", "never", *places.options]
        environ = dict(os.environ)
        if gpu is not None:
            environ["CUDA_VISIBLE_DEVICES"] = gpu
        self._process = subprocess.Popen(
            [*program, "--", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
            start_new_session=True,  # Ctrl-C is the sweep's
        )

    @property
    def status(self) -> int | None:
        """The exit status, as a shell has it; None while it runs."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    def end_early(self, why: str) -> None:
        """End it because it loses."""
        self.ended_early = True
        self.stop(why)

    def stop(self, why: str) -> None:
        """Have its command ended; its run says why.  Said again, insists where it does not end in time."""
        now = time.monotonic()
        if self._asked is None:
            self._asked = now
            try:
                requests.leave(self.folder, GRACE, why)  # its tracker passes it on
            except OSError:
                self._send(signal.SIGTERM)
        elif now - self._asked > GRACE and not self._insisted:
            self._insisted = True
            self._send(signal.SIGTERM)  # its tracker is gone
        elif now - self._asked > 2 * GRACE:
            self.kill()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._asked is not None

    def kill(self) -> None:
        """End it and what it has started, now."""
        try:
            children = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        for child in children:
            try:
                child.kill()
            except psutil.Error:
                pass

    @property
    def was_stopped(self) -> bool:
        """Whether its command has ended because it was asked to."""
        try:
            return self.stopping and (bool(runs.read(self.folder).stopped_by) or self.status != 0)
        except (OSError, ValueError):
            return self.stopping

    def wait(self, limit: float) -> None:
        """Wait until it has ended, so many seconds at most."""
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self) -> str:
        """The last line that the command printed."""
        try:
            with (self.folder / runs.CONSOLE_LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _send(self, number: int) -> None:
        try:
            self._process.send_signal(number)
        except OSError:
            pass


def name_of(number: int, values: Mapping[str, Any], definition: Definition) -> str:
    """The name of a trial's run."""
    name = f"trial-{number}"
    constant = {parameter.name for parameter in definition.file.leaves() if parameter.kind == "constant"}
    for key, value in values.items():
        if key in constant:
            continue
        part = f" {key}={value:.4g}" if isinstance(value, float) else f" {key}={value}"
        if len(name) + len(part) <= LONGEST_NAME:
            name += part
    return name


def _written(value: Any) -> str:
    """The value as `--config` reads it back."""
    if isinstance(value, str):
        return value if argument(value or " ") == value else json.dumps(value)
    return json.dumps(value)
