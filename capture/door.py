"""The Python door: a run around a block of a program, a notebook's cells or a function.

    with capture.run(project="mnist") as run:
        model.fit(...)                  # what it prints is tracked
        run.log({"my_metric": 0.5})

The standard library only, Python 3.8 or newer: this file can also be copied beside a program that can
install nothing (`import door`).  All the rest is done by the `capture` on PATH, or that of CAPTURE_BIN, in
processes of its own.  No thread of ours runs here, and what fails on our side is said once and leaves the
program alone.
"""

from __future__ import annotations

import atexit
import functools
import glob as globbing
import hashlib
import importlib.util
import inspect
import io
import json
import math
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Dict, Mapping, Sequence, Union

try:
    import fcntl
    import termios
except ImportError:  # Windows: `start` says so
    pass

FOLDER_VARIABLE = "CAPTURE_RUN_DIR"  # the folder of the run that a program is part of
LOGGED, TABLES, PLOTS = "logged", "tables", "plots"  # folders in that of the run
FILES, ALERTS = "files.jsonl", "alerts.jsonl"
LEVELS = ("info", "warn", "error")
START_LIMIT = 60.0  # seconds for `capture` to answer
RANKS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_PathLike = Union[str, "os.PathLike[str]"]
_encode = json.JSONEncoder(allow_nan=False).encode
_active: list[LiveRun] = []
_counts = {"ranks": 0}  # runs that this process has begun as one of several ranks


def run(
    project: str | None = None,
    name: str | None = None,
    to: str | Sequence[str] | None = None,
    tags: str | Sequence[str] | None = None,
    notes: str | None = None,
    group: str | None = None,
    config: Any = None,
    parsers: _PathLike | Sequence[_PathLike] | None = None,
    every: str | int | None = None,
    dir: _PathLike | None = None,
) -> LiveRun:
    """A run: `with capture.run(...) as run:`, `@capture.run(...)`, or `run = capture.run(...).start()`.

    Args:
        project, name, notes, group: who the run is; by default the folder's name, the script's and the time.
        to, tags, parsers: names of backends, tags, parser files; a list, or one string with commas.
        config: hyperparameters: a mapping, or an object with attributes such as argparse's Namespace.
        every: keep fewer records of bars: one every "10s", or every 50 steps.
        dir: the folder that holds all runs.

    What is not given comes from capture's configuration.  Raises TypeError for what can't be one of these.
    """
    options = {"project": project, "name": name, "notes": notes, "group": group, "every": every, "dir": dir}
    given = {
        key: str(os.fspath(value) if isinstance(value, os.PathLike) else value)
        for key, value in options.items()
        if value
    }
    lists = {"to": _words(to), "tags": _words(tags), "parsers": _words(parsers)}
    return LiveRun({**given, **{key: words for key, words in lists.items() if words}}, _mapping(config))


def current_run() -> LiveRun | None:
    """The innermost run that goes on in this process; None where there is none."""
    return _active[-1] if _active else None


class LiveRun:
    """A run that goes on.  `folder` is its folder, None where nothing is recorded."""

    def __init__(self, options: dict[str, Any], config: dict[str, Any], folder: str | None = None) -> None:
        self.folder = folder
        self.config = Values(self._configure, config)
        self.rank = _rank()
        self._options = options
        self._owner: int | None = None  # the process that finishes it
        self._relay: _Relay | None = None  # None where another one records: the run is joined
        self._summary: dict[str, Any] = {}
        self._state = "new" if folder is None else "running"
        self._step = 0  # of the next `log` without one
        self._log: int | None = None
        self._failed = False  # to write, which has been said
        self._scoped = False  # its end is that of a block

    # -- begin and end

    def start(self) -> LiveRun:
        """Begin, where a block can't be: `run = capture.run(...).start()`, in one cell of a notebook.

        It ends with `finish()`, with the next `start()`, or with the process.  Raises ValueError for what is
        wrong in arguments or configuration, RuntimeError where the run has been started before.
        """
        if self._state != "new":
            raise RuntimeError("this run has been started before; capture.run(...) makes another one")
        ours = [other for other in _active if other._is_own()]
        for other in ours:
            if not (other._scoped or self._scoped):
                other.finish()
        outer = os.environ.get(FOLDER_VARIABLE)
        nested = any(other._relay and other.folder == outer for other in ours)
        self._owner, self._state = os.getpid(), "running"
        try:
            if outer and not nested and _is_running(outer):
                self._join(outer)
            else:
                self._begin()
        except OSError as error:
            _say(f"not recorded: {error}")
        except BaseException:
            self._state = "new"
            raise
        _active.append(self)
        return self

    def _begin(self) -> None:
        if not hasattr(os, "fork"):
            _say("not recorded: this needs Linux or macOS (or WSL on Windows)")
            return
        ranks, key = _ranks(), ""
        if ranks:
            _counts["ranks"] += 1
            key = _key_of_ranks(_counts["ranks"])
            if self.rank:
                folder = _Relay.ask({"join": key, **self._options}).get("folder")
                if folder:
                    self._join(str(folder))
                    if not _is_running(str(folder)):
                        _say(f"rank {self.rank} has come after the run's end: only `capture replay` reads it")
                else:
                    _say(f"rank {self.rank} is not recorded: rank 0 has begun no run")
                return
        request = {**self._options, "config": dict(self.config), "pid": os.getpid(), "command": _command()}
        self._relay = _Relay({**request, "id": key} if key else request)
        self.folder = self._relay.folder
        if self.folder is None:
            self._relay = None
        else:
            os.environ[FOLDER_VARIABLE] = self.folder

    def _join(self, folder: str) -> None:
        """Be part of a run that another process records."""
        self.folder = folder
        if self.config:
            self._append({"config": dict(self.config)})

    def finish(self, status: int | None = 0) -> None:
        """End the run: output is as it was before, the backends get the rest, the closing block is shown.

        `status` is an exit status: not 0 says that it failed, None that nobody knows.  In a process that was
        forked since, and in a run that is only joined, nothing else ends.
        """
        _flush()
        if self._state != "running" or not self._is_own():
            return
        self._state = "finished"
        relay, self._relay = self._relay, None
        if self in _active:
            _active.remove(self)
        try:
            if relay:
                if os.environ.get(FOLDER_VARIABLE) == self.folder:
                    _set_variable(FOLDER_VARIABLE, relay.outer)
                relay.finish(status)
        finally:
            log, self._log = self._log, None
            if log is not None:
                os.close(log)

    def __enter__(self) -> LiveRun:
        self._scoped = True
        return self.start()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.finish(_status_of(error))

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: each call is a run of its own, with these arguments."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*arguments: Any, **named: Any) -> Any:
                with LiveRun(self._options, dict(self.config)):
                    return await function(*arguments, **named)

            return awaited

        @functools.wraps(function)
        def called(*arguments: Any, **named: Any) -> Any:
            with LiveRun(self._options, dict(self.config)):
                return function(*arguments, **named)

        return called

    def __reduce__(self) -> tuple[Any, ...]:
        return _of_folder, (self.folder,)  # to a process of multiprocessing: there it is joined

    def _is_own(self) -> bool:
        return self._owner == os.getpid()

    # -- what the program says itself

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log numbers (`{"loss": 0.5, "val": {"acc": 0.9}}`) at a step: by default one after the last.

        Raises TypeError for what is not a number, such as a text or a tensor of several values.
        """
        values: dict[str, Any] = {}
        for name, value in metrics.items():
            if type(value) is float or type(value) is int:
                values[name] = value
            else:
                _flatten(name, value, values)
        step = self._step if step is None else step if type(step) is int else int(_number("step", step))
        self._step = step + 1
        self._append({"step": step, "metrics": values})

    def save(
        self, path: _PathLike, type: str = "file", name: str | None = None, aliases: Sequence[str] = ()
    ) -> None:
        """Note a file or a folder, or all that a pattern such as "ckpt/*.pt" finds, to be kept with the run.

        Nothing is copied: it has to stay where it is.  Raises FileNotFoundError where there is none.
        """
        found = [os.fspath(path)] if os.path.exists(path) else sorted(globbing.glob(os.fspath(path)))
        if not found:
            raise FileNotFoundError(f"run.save: {os.fspath(path)}: there is no such file")
        for place in map(os.path.abspath, found):
            state = os.stat(place)
            size = None if os.path.isdir(place) else state.st_size
            item = {"path": place, "digest": None, "size": size, "modified": state.st_mtime}
            self._note_file("file", type, name or os.path.basename(place), item, aliases)

    def table(self, name: str, columns: Sequence[str], rows: Any) -> None:
        """Keep a table; `rows` are sequences as long as `columns`.  Raises ValueError where one is not."""
        names, lines = [str(column) for column in columns], [list(row) for row in rows]
        for number, line in enumerate(lines, 1):
            if len(line) != len(names):
                text = "run.table: row {} has {} values, and there are {} columns"
                raise ValueError(text.format(number, len(line), len(names)))
        self._write(TABLES, name, "table", "table", {"columns": names, "rows": lines})

    def confusion_matrix(
        self, name: str, truth: Any, prediction: Any, labels: Sequence[Any] | None = None
    ) -> None:
        """Keep how often each label was predicted for each true one.

        `truth` and `prediction` are labels or, where `labels` names them, their numbers from 0.  Raises
        ValueError where their lengths differ, or for a label that is not one of `labels`.
        """
        pairs = [
            _plain(getattr(values, "tolist", lambda v=values: list(v))()) for values in (truth, prediction)
        ]
        if len(pairs[0]) != len(pairs[1]):
            text = "run.confusion_matrix: {} true labels, but {} predictions"
            raise ValueError(text.format(len(pairs[0]), len(pairs[1])))
        names = sorted({*pairs[0], *pairs[1]}, key=str) if labels is None else [_plain(one) for one in labels]
        index: dict[Any, int] = {} if labels is None else {i: i for i in range(len(names))}
        index.update({label: i for i, label in enumerate(names)})
        counts = [[0] * len(names) for _ in names]
        for true, predicted in zip(*pairs):
            if true not in index or predicted not in index:
                wrong = true if true not in index else predicted
                raise ValueError(f"run.confusion_matrix: {wrong!r} is none of the labels")
            counts[index[true]][index[predicted]] += 1
        content = {"labels": [str(one) for one in names], "counts": counts}
        self._write(PLOTS, name, "plot", "confusion_matrix", content)

    def alert(self, title: str, text: str = "", level: str = "warn") -> None:
        """Tell somebody; `level` is "info", "warn" or "error".  Raises ValueError for another one."""
        if level.lower() not in LEVELS:
            raise ValueError("run.alert: level {!r}: should be one of {}".format(level, ", ".join(LEVELS)))
        self._append({"title": str(title), "text": str(text), "level": level.lower()}, ALERTS)

    def _configure(self, values: dict[str, Any]) -> None:
        if self._state != "new":  # else it is part of what the run begins with
            self._append({"config": values})

    @property
    def summary(self) -> Values:
        """The last value of each metric so far, and what was put here: `run.summary["best"] = 0.97`."""
        last = {
            name: NON_FINITE.get(value, value) for name, value in (self._status().get("last") or {}).items()
        }
        return Values(self._summarise, {**last, **self._summary})

    def _summarise(self, values: dict[str, Any]) -> None:
        self._summary.update(values)
        self._append({"summary": values})

    @property
    def url(self) -> str | None:
        """Where a backend shows the run; None as long as it has no address, or where nothing has one."""
        words = " ".join(self._status().get("links") or []).split()
        return next((word for word in words if word.startswith(("http://", "https://"))), None)

    def _status(self) -> dict[str, Any]:
        return _read_object(os.path.join(self.folder, "status.json")) if self.folder else {}

    # -- the run's folder

    def _write(self, kind: str, name: str, entry: str, type: str, content: dict[str, Any]) -> None:
        """Write a table or a plot into a file of its own, and note it."""
        data = _encode(_plain(content)).encode()
        if self._state != "running":
            raise RuntimeError("this run does not go on")
        if self.folder is None:
            return
        stem, number = re.sub(r"[^\w.@+-]+", "-", name).strip(".-") or entry, 0
        try:
            os.makedirs(os.path.join(self.folder, kind), exist_ok=True)
            while True:
                place = "{}/{}{}.json".format(kind, stem, f"-{number}" if number else "")
                try:
                    with open(os.path.join(self.folder, place), "xb") as file:
                        file.write(data)
                    break
                except FileExistsError:
                    number += 1
        except OSError as error:
            self._give_up(error)
            return
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        item = {"path": place, "digest": digest, "size": len(data), "modified": time.time()}
        self._note_file(entry, type, name, item, ())

    def _note_file(
        self, kind: str, type: str, name: str, item: dict[str, Any], aliases: Sequence[str]
    ) -> None:
        self._append({"kind": kind, "type": type, "name": name, **item, "aliases": list(aliases)}, FILES)

    def _append(self, item: dict[str, Any], file: str | None = None) -> None:
        """Add a line to one of the run's files, by default to what this rank has logged."""
        if self._state != "running":
            raise RuntimeError(
                "this run does not go on: it has {}".format("ended" if self._owner else "not begun")
            )
        item = {"time": time.time(), **item}
        if file and self.rank:
            item["rank"] = self.rank
        try:
            line = _encode(item)
        except (TypeError, ValueError):  # NaN, or what JSON has no word for
            line = _encode(_plain(item))
        if self.folder is None:
            return
        data = b"%s\n" % line.encode()
        try:
            if file:
                fd = os.open(os.path.join(self.folder, file), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(fd, data)
                finally:
                    os.close(fd)
                return
            if self._log is None:
                place = os.path.join(self.folder, LOGGED)
                os.makedirs(place, exist_ok=True)
                path = os.path.join(place, f"{self.rank}.jsonl")
                self._log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            if os.write(self._log, data) < len(data):
                os.write(self._log, b"\n")  # a full disk: the torn line is one for itself
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            _say(f"what the program logs is not kept: {error}")


class Values(Dict[str, Any]):
    """A dict, also with attributes (`run.config.lr = 3e-4`), of which each change is written down."""

    def __init__(self, write: Callable[[dict[str, Any]], None], values: dict[str, Any]) -> None:
        super().__init__(values)
        object.__setattr__(self, "_write", write)

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *values: Any, **more: Any) -> None:
        """Change some at once; also from an object with attributes."""
        changed = {**(_mapping(values[0]) if values else {}), **_mapping(more)}
        self._write(changed)
        super().update(changed)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value, which is `default` from now on where there was none."""
        if name not in self:
            self[name] = default
        return self[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class _Relay:
    """The process that records: started here, told here that the run has ended."""

    def __init__(self, request: dict[str, Any]) -> None:
        """Start it and lead the output through it.  Raises OSError, and ValueError for a user's mistake."""
        self.outer = os.environ.get(FOLDER_VARIABLE)
        _flush()
        closed = _occupy_closed()
        self._redirection = _Redirection(closed)
        try:
            request = {**request, "streams": self._redirection.streams}
            answer, self._control, self._reply = _connect(request, self._redirection.for_relay)
            self.folder: str | None = answer.get("folder")
        except BaseException:
            self._redirection.drop()
            raise
        finally:
            for fd in closed:
                os.close(fd)
        if self.folder is None:
            self._redirection.drop()
            os.close(self._control)
            os.close(self._reply)
            return
        self._redirection.close_for_relay()
        self._redirection.begin()
        atexit.register(self._at_exit)

    @staticmethod
    def ask(request: dict[str, Any]) -> dict[str, Any]:
        """Ask without recording anything."""
        answer, control, reply = _connect(request, [])
        os.close(control)
        os.close(reply)
        return answer

    def finish(self, status: int | None) -> None:
        """Lead the output back, and wait until the backends have the rest; Ctrl-C ends the waiting."""
        atexit.unregister(self._at_exit)
        self._redirection.end()
        try:
            os.write(self._control, _encode({"status": status}).encode() + b"\n")
            answers = list(_answers(self._reply, math.inf))  # the first says that all has been shown
            if not answers or "text" not in answers[-1]:
                raise BrokenPipeError
            _show(str(answers[-1]["text"]), str(answers[-1]["summary"]))
        except OSError:
            _say("the recording has ended early: the relay is gone")
        finally:
            os.close(self._control)
            os.close(self._reply)

    def _at_exit(self) -> None:
        for one in [one for one in _active if one._relay is self]:
            # An exception has ended the program; which status another end has, nobody knows here.
            one.finish(1 if hasattr(sys, "last_value") and not _is_notebook() else None)


class _Redirection:
    """What is written to descriptors 1 and 2 and to `sys.stdout` and `sys.stderr`, led through the relay.

    Where these two end in a descriptor, that is enough, and C++ output is read as well.  Where they do not (a
    notebook, pytest), their own `write` is watched, and shows what it has always shown.
    """

    def __init__(self, closed: Sequence[int]) -> None:
        """`closed` are the standard descriptors that are closed."""
        self.streams: list[list[Any]] = []  # for the relay: name, source, sink or None
        self.for_relay: list[int] = []  # descriptors of which it gets copies
        self._ours: dict[int, tuple[int, int]] = {}  # of 1 and 2: the way to the relay, what was there
        self._taps: list[_Tap] = []
        self._buffered: io.TextIOWrapper | None = None
        watched = set()
        for fd, stream in ((1, sys.stdout), (2, sys.stderr)):
            if stream is None or _reaches(stream):
                continue
            source, end = os.pipe()
            self._taps.append(_Tap("stdout" if fd == 1 else "stderr", end))
            self._add(self._taps[-1].name, source, None)
            if getattr(stream, "watch_fd_thread", None):  # of ipykernel: it reads the descriptor itself
                watched.add(fd)
        saved = {fd: os.dup(fd) for fd in (1, 2) if fd not in watched and fd not in closed}
        for fd, old in saved.items():
            same = [one for one in self._ours if _same(saved[one], old)]
            if same:
                end = os.dup(self._ours[same[0]][0])
            elif os.isatty(old):
                source, end = _terminal(old)
                self._add("tty", source, old)
            else:
                source, end = os.pipe()
                self._add("stdout" if fd == 1 else "stderr", source, old)
            self._ours[fd] = end, old

    def _add(self, name: str, source: int, sink: int | None) -> None:
        self.streams.append([name, source, sink])
        self.for_relay += [source] if sink is None else [source, sink]

    def close_for_relay(self) -> None:
        """Close what only the relay needs."""
        while self.streams:
            os.close(self.streams.pop()[1])

    def drop(self) -> None:
        """Close all: nothing is led anywhere."""
        self.close_for_relay()
        for tap in self._taps:
            tap.close()
        for pair in self._ours.values():
            for fd in pair:
                os.close(fd)
        self._ours = {}

    def begin(self) -> None:
        """Lead the output to the relay."""
        for fd, (end, _) in self._ours.items():
            os.dup2(end, fd)
            os.close(end)
        out = sys.stdout
        if 1 in self._ours and isinstance(out, io.TextIOWrapper) and _reaches(out) and not out.line_buffering:
            out.reconfigure(line_buffering=True)  # as PYTHONUNBUFFERED does for `capture -- COMMAND`
            self._buffered = out
        for tap in self._taps:
            tap.open()

    def end(self) -> None:
        """Make all as it was before."""
        for tap in self._taps:
            tap.close()
        _flush()
        if self._buffered is not None and not self._buffered.closed:
            self._buffered.reconfigure(line_buffering=False)
        for fd, (_, old) in self._ours.items():
            os.dup2(old, fd)
            os.close(old)


class _Tap:
    """Watches what is written to `sys.stdout` or `sys.stderr`, by whoever holds a reference to it."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self._fd: int | None = fd
        self._stream = getattr(sys, name)
        self._write: Callable[..., Any] | None = None  # ours, and what the object had of its own before
        self._before: Any = None
        self._writing = threading.local()

    def open(self, *_: Any) -> None:
        """Begin: by a `write` of the object's own, or where it can't have one, by an object in its place.

        IPython puts in a `write` of its own at the beginning of a cell, and at its end what was there before:
        so ours is put in again in each cell.
        """
        own = getattr(self._stream, "__dict__", {})
        if self._fd is None or (self._write is not None and own.get("write") is self._write):
            return
        self._before, self._write = own.get("write"), self._around(self._stream.write)
        try:
            self._stream.write = self._write
        except AttributeError:
            setattr(sys, self.name, _Tee(self._stream, self._write))
            return
        events = _events_of_ipython()
        if events is not None and self.open not in events.callbacks["pre_run_cell"]:
            events.register("pre_run_cell", self.open)

    def close(self) -> None:
        """End, and put back what is still ours."""
        fd, self._fd = self._fd, None
        if self._write is not None and getattr(self._stream, "__dict__", {}).get("write") is self._write:
            if self._before is None:
                del self._stream.write
            else:
                self._stream.write = self._before
        replaced = getattr(sys, self.name)
        if isinstance(replaced, _Tee) and replaced.stream is self._stream:
            setattr(sys, self.name, self._stream)
        events = _events_of_ipython()
        if events is not None and self.open in events.callbacks["pre_run_cell"]:
            events.unregister("pre_run_cell", self.open)
        if fd is not None:
            os.close(fd)

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A `write` that does what the original does, and passes the text on unless one further out does."""

        def write(text: Any, *more: Any) -> Any:
            outermost = not getattr(self._writing, "now", False)
            self._writing.now = True
            try:
                done = original(text, *more)
            finally:
                if outermost:
                    self._writing.now = False
            if outermost:
                self._pass_on(text)
            return done

        return write

    def _pass_on(self, text: Any) -> None:
        data = text.encode(errors="replace") if isinstance(text, str) else bytes(text)
        try:
            while data and self._fd is not None:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self._fd = None  # the relay is gone


def _events_of_ipython() -> Any:
    """Where IPython says that a cell begins; None outside of it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "events", None)


class _Tee:
    """A stream with another `write`."""

    def __init__(self, stream: Any, write: Callable[[Any], Any]) -> None:
        self.stream, self.write = stream, write

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _connect(request: dict[str, Any], fds: Sequence[int]) -> tuple[dict[str, Any], int, int]:
    """Start the first `capture` there is that answers.  Returns its answer, and the ways to it and from it.

    Raises OSError where there is none, ValueError with what it says of a user's mistake.
    """
    reasons = []
    for program in _programs():
        control, ours = os.pipe()
        reply, theirs = os.pipe()
        with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as errors:
            file.write(_encode(_plain(request)).encode())
            file.seek(0)
            try:
                process = subprocess.Popen(
                    [*program, "attach", str(control), str(theirs)],
                    stdin=file, stdout=subprocess.DEVNULL, stderr=errors, pass_fds=[control, theirs, *fds],
                )  # fmt: skip
            except OSError as error:
                reasons.append(f"{program[0]}: {error.strerror}")
                for fd in (control, ours, reply, theirs):
                    os.close(fd)
                continue
            os.close(control)
            os.close(theirs)
            try:
                answer: dict[str, Any] = next(_answers(reply, START_LIMIT), {})
            except OSError:
                answer = {}
            if not answer:
                process.kill()
            process.wait()  # it has left its work to a process of its own
            if "folder" in answer:
                for note in answer.get("notes") or []:
                    _say(note)
                return answer, ours, reply
            os.close(ours)
            os.close(reply)
            if "mistake" in answer:
                raise ValueError("capture.run: {}".format(answer["mistake"]))
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            reasons.append(
                "{}: {}".format(" ".join(program[:1]), answer.get("unfit") or (said or ["no answer"])[-1])
            )
    hint = "pipx install capture-metrics, or set CAPTURE_BIN"
    raise OSError(f"{'; '.join(reasons) or 'there is no `capture` on PATH'} ({hint})")


def _programs() -> list[list[str]]:
    """The commands that may be `capture`, in the order in which they are tried."""
    chosen = os.environ.get("CAPTURE_BIN")
    if chosen:
        return [[chosen]]
    places = [
        os.path.join(place, "capture") for place in os.environ.get("PATH", "").split(os.pathsep) if place
    ]
    found = [
        [place] for place in dict.fromkeys(places) if os.access(place, os.X_OK) and os.path.isfile(place)
    ]
    if __package__ == "capture" and sys.executable and importlib.util.find_spec("capture.cli"):
        # Without the present folder on its import path: a `queue.py` there must not break it.
        code = "import sys; del sys.path[0]; from capture.cli import main; sys.exit(main(sys.argv[1:]))"
        found.append([sys.executable, "-c", code])
    return found


def _answers(fd: int, limit: float) -> Any:
    """The lines that the relay sends, decoded.  Raises OSError where none comes within `limit` seconds."""
    data, deadline = b"", time.monotonic() + limit
    poll = select.poll()  # the program may have more descriptors than `select` knows
    poll.register(fd, select.POLLIN)
    while True:
        if not poll.poll(None if limit == math.inf else max(0.0, 1000 * (deadline - time.monotonic()))):
            raise OSError("no answer")
        read = os.read(fd, 65536)
        if not read:
            return
        *lines, data = (data + read).split(b"\n")
        for line in lines:
            yield json.loads(line.decode())


def _terminal(outer: int) -> tuple[int, int]:
    """A pseudo-terminal like the terminal outside: the relay's end, which does not block, and the program's.

    `\\n` is left as it is: the terminal outside makes `\\r\\n` of it.
    """
    ours, theirs = os.openpty()
    try:
        modes = termios.tcgetattr(outer)
        modes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, fcntl.ioctl(outer, termios.TIOCGWINSZ, b"\0" * 8))
    except (OSError, termios.error):
        pass  # the terminal outside has gone
    os.set_blocking(ours, False)
    return ours, theirs


def _reaches(stream: Any, depth: int = 3) -> bool:
    """Whether what is written to this object ends in descriptor 1 or 2, as far as its parts tell."""
    try:
        return stream.fileno() in (1, 2)
    except Exception:  # it has none; what it is made of may have one
        parts = getattr(stream, "__dict__", {}).values()
        return depth > 0 and any(_reaches(part, depth - 1) for part in parts if hasattr(part, "write"))


def _occupy_closed() -> list[int]:
    """Open the null device for each standard descriptor that is closed: no pipe may get its number."""
    closed = []
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            closed.append(os.open(os.devnull, os.O_RDWR))  # the lowest free number
    return closed


def _same(one: int, other: int) -> bool:
    """Whether two descriptors are of the same file, pipe or terminal."""
    return os.path.sameopenfile(one, other)


def _flush() -> None:
    """Write out what Python and the C library hold back."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # whatever it is, it is not ours  # noqa: S110
            pass
    try:
        import ctypes  # not in every Python

        library = ctypes.CDLL(None)
        symbol = "__stdoutp" if sys.platform == "darwin" else "stdout"
        library.fflush(ctypes.c_void_p.in_dll(library, symbol))
    except Exception:  # a system without it  # noqa: S110
        pass


def _say(text: str) -> None:
    try:
        sys.stderr.write(f"capture: {text}\n")
        sys.stderr.flush()
    except Exception:  # there is nobody to say it to  # noqa: S110
        pass


def _show(text: str, when: str) -> None:
    """Show the closing block: in the cell of a notebook, else on stderr if that is a terminal."""
    notebook = _is_notebook()
    stream = sys.stdout if notebook else sys.stderr
    try:
        if when == "always" or (when == "auto" and (notebook or stream.isatty())):
            stream.write(text)
            stream.flush()
    except Exception:  # the terminal is gone  # noqa: S110
        pass


def _is_notebook() -> bool:
    return "ipykernel" in sys.modules and "IPython" in sys.modules and hasattr(sys.stdout, "pub_thread")


def _command() -> list[str]:
    """How this program was started, as far as it can tell."""
    if _is_notebook():
        return [sys.executable, os.environ.get("JPY_SESSION_NAME") or "notebook"]
    return [sys.executable or "python", *sys.argv]


def _rank() -> int:
    """The number of this process among those of one training, from 0."""
    for rank, count in RANKS:
        if os.environ.get(rank, "").isdigit() and os.environ.get(count, "1") != "1":
            return int(os.environ[rank])
    return 0


def _ranks() -> bool:
    """Whether this process is one of several ranks."""
    return any(rank in os.environ and os.environ.get(count, "1") != "1" for rank, count in RANKS)


def _key_of_ranks(number: int) -> str:
    """An id that all ranks of one training agree on, for the `number`th run that they begin."""
    names = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT",
             "SLURM_JOB_ID", "SLURM_STEP_ID", "OMPI_MCA_ess_base_jobid")  # fmt: skip
    parts = [os.environ.get(name, "") for name in names]
    if os.environ.get("LOCAL_WORLD_SIZE") == os.environ.get("WORLD_SIZE"):  # all are children of one launcher
        parts.append(f"{os.getppid()} {_start_of(os.getppid())}")
    return "ranks-{}-{}".format(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12], number)


def _start_of(pid: int) -> str:
    """When a process began, in the system's own words; "" where nothing tells it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _status_of(error: BaseException | None) -> int:
    """The exit status that a program ends with that this exception ends."""
    if isinstance(error, SystemExit):
        code = error.code
        return code if isinstance(code, int) else int(code is not None)
    return 0 if error is None else 130 if isinstance(error, KeyboardInterrupt) else 1


def _is_running(folder: str) -> bool:
    return _read_object(os.path.join(folder, "run.json")).get("state") == "running"


def _read_object(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            item = json.load(file)
    except (OSError, ValueError):
        return {}
    return item if isinstance(item, dict) else {}


def _of_folder(folder: str | None) -> LiveRun:
    """A run that another process records."""
    joined = LiveRun({}, {}, folder)
    joined._state = "running"
    return joined


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _words(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        given = os.fspath(given).split(",")
    return [os.fspath(word).strip() for word in given]


def _mapping(values: Any) -> dict[str, Any]:
    """What has names and values, as JSON can hold it.  Raises TypeError for what has none."""
    if not isinstance(values, Mapping):
        if values is not None and not hasattr(values, "__dict__"):
            raise TypeError(f"config: {values!r} is neither a mapping nor an object with attributes")
        values = {} if values is None else vars(values)
    return {str(name): _plain(value) for name, value in values.items()}


def _flatten(name: str, value: Any, into: dict[str, Any]) -> None:
    """Put the numbers of a mapping, of a mapping in it, and so on, under names with slashes."""
    if not isinstance(name, str):
        raise TypeError(f"run.log: {name!r} should be a name")
    if isinstance(value, Mapping):
        for inner, one in value.items():
            _flatten(f"{name}/{inner}", one, into)
    else:
        into[name] = _number(name, value)


def _number(name: str, value: Any) -> int | float:
    """The number that a value of NumPy, PyTorch, TensorFlow or another library is.  Raises TypeError."""
    try:
        value = (
            value if isinstance(value, (int, float)) else value.item() if hasattr(value, "item") else value
        )
        if isinstance(value, (str, bytes)):
            raise TypeError
        return int(value) if isinstance(value, int) else float(value)
    except (TypeError, ValueError, RuntimeError):
        text = "run.log: {}: a number is needed, not {!r:.60}"
        raise TypeError(text.format(name, value)) from None


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    for method in ("item", "tolist"):  # of NumPy and PyTorch
        try:
            return _plain(getattr(value, method)())
        except Exception:  # not a number; then perhaps several  # noqa: S112
            continue
    return str(value)
