"""TensorBoard: event files with scalars, hyperparameters, and the end of the console."""

from __future__ import annotations

import re
import shlex
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from capture import runs
from capture.adapters import _shown, tensorboard_events
from capture.adapters._about import about, at_the_end
from capture.adapters._axis import Steps
from capture.adapters._files import WholeWriter
from capture.adapters._flat import ABOUT, flat
from capture.delivery.adapter import Adapter
from capture.records import Alert, ConsoleLine, File, Row, SystemSample
from capture.runs import Run

MOST_LINES = 1000  # of the console
MOST_ROWS = 1000  # of a table, in the Text tab


class TensorboardAdapter(Adapter):
    """Writes an event file to `tensorboard/PROJECT/NAME-ID` beside the runs.

    Derived from the records: after a crash it is written anew, with the same bytes under the same name,
    so that a TensorBoard that is reading it does not notice.
    """

    options = ("logdir",)
    shows = ("table", "image", "plot")

    def __init__(self) -> None:
        self._file: WholeWriter | None = None
        self._steps = Steps()
        self._later: dict[str, Any] = {}
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._step = 0  # the last one
        self._start = self._time = 0.0
        self._run: Run | None = None
        self._folder = Path()
        self._logdir = ""

    def open(self, run: Run, folder: Path) -> int:
        """Begin the file."""
        cwd = Path(run.cwd)
        logdir, place = _places(run, folder)
        place.mkdir(parents=True, exist_ok=True)
        self._file = WholeWriter(place / f"events.out.tfevents.{int(run.start)}.{run.host or 'localhost'}.0")
        self._logdir = str(logdir.relative_to(cwd) if logdir.is_relative_to(cwd) else logdir)
        self._start = self._time = run.start
        self._run, self._folder = run, folder
        config = dict(flat(run.config))
        self._later = {name: value for name, value in config.items() if name.startswith(ABOUT)}
        self._file.write(
            tensorboard_events.version(run.start)
            + tensorboard_events.session_start(
                run.start, {k: v for k, v in config.items() if k not in self._later}
            )
            + tensorboard_events.text(run.start, 0, "run", _table(_about(run)))
        )
        return 0

    def log(self, rows: Sequence[Row]) -> None:
        """Write the rows, each metric at the value of its own axis."""
        assert self._file is not None  # noqa: S101  opened before
        data = bytearray()
        for row in rows:
            self._time = row.time or self._time
            points = sorted(self._steps.of(row), key=lambda point: point[1])
            self._step = points[-1][1] if points else self._step
            for step, group in groupby(points, lambda point: point[1]):
                data += tensorboard_events.scalars(
                    self._time, step, [(name, value) for name, _, value in group]
                )
        self._file.write(data)

    def system(self, samples: Sequence[SystemSample]) -> None:
        """Write the load as scalars below `system/`, over the seconds since the start."""
        assert self._file is not None  # noqa: S101  opened before
        data = bytearray()
        for sample in samples:
            values = [(f"system/{name}", value) for name, value in sample.values.items()]
            data += tensorboard_events.scalars(sample.time, max(0, int(sample.time - self._start)), values)
        self._file.write(data)

    def config(self, values: Mapping[str, Any]) -> None:
        """Keep what came after the start for the Text tab: the HParams tab reads the first values only."""
        self._later |= flat(values)

    def alerts(self, alerts: Sequence[Alert]) -> None:
        """Write to the Text tab: TensorBoard knows no alerts."""
        assert self._file is not None  # noqa: S101  opened before
        for alert in alerts:
            about = {"level": alert.level, "title": alert.title, "text": alert.text, "step": alert.step}
            self._file.write(tensorboard_events.text(alert.time, alert.number, "alerts", _table(about)))

    def console(self, lines: Sequence[ConsoleLine]) -> None:
        """Keep the last lines for the end: a text event holds a whole text."""
        self._lines.extend(line.text for line in lines)

    def file(self, file: File) -> None:
        """Write an image for the Images tab, a table or a plot as a table for the Text tab."""
        assert self._file is not None  # noqa: S101  opened before
        if file.kind == "image":
            event = tensorboard_events.image(file.time, self._step, file.name, file.path.read_bytes())
        else:
            columns, rows = _shown.table(file) if file.kind == "table" else _shown.plot_rows(file)
            text = _shown.markdown(columns, rows, MOST_ROWS)
            event = tensorboard_events.text(file.time, self._step, file.name, text)
        self._file.write(event)

    def close(self, exit_status: int | None) -> None:
        """Write the console and how the run ended."""
        assert self._file is not None and self._run is not None  # noqa: S101  opened before
        ended = {
            None: tensorboard_events.UNKNOWN,
            0: tensorboard_events.SUCCESS,
            runs.INTERRUPTED: tensorboard_events.UNKNOWN,  # it knows no other word for it
        }.get(exit_status, tensorboard_events.FAILURE)
        console = "\n".join(f"    {line}" for line in self._lines)  # indented: code
        later = {name.lstrip("_"): value for name, value in self._later.items()}
        texts = {"console": console, "config": _table(later) if later else ""}
        shown = [tensorboard_events.text(self._time, 0, tag, text) for tag, text in texts.items() if text]
        whole = _table(_about(self._run) | at_the_end(self._run, self._folder))
        shown.append(tensorboard_events.text(self._time, 1, "run", whole))
        self._file.write(b"".join([*shown, tensorboard_events.session_end(self._time, ended)]))
        self._file.close()

    def links(self) -> list[str]:
        """What opens it."""
        return [f"tensorboard --logdir {shlex.quote(self._logdir)}"]

    @staticmethod
    def remove(run: Run, folder: Path) -> bool:
        """Remove the event file and its folder."""
        _, place = _places(run, folder)
        if place.exists():
            shutil.rmtree(place)
        return True


def _places(run: Run, folder: Path) -> tuple[Path, Path]:
    """The folder for TensorBoard, and the one in it that is the run's."""
    chosen = (run.settings.get("tensorboard") or {}).get("logdir")
    logdir = Path(run.cwd) / Path(chosen).expanduser() if chosen else folder.parent.parent / "tensorboard"
    name = re.sub(r"[^\w.@+-]+", "-", run.name).strip(".-")
    return logdir, logdir / folder.parent.name / f"{name}-{run.id}".lstrip("-")


def _about(run: Run) -> dict[str, Any]:
    known = {"command": shlex.join(run.command), "folder": run.cwd, "host": run.host, **run.git}
    return {name: value for name, value in known.items() if value} | about(run)


def _table(values: Mapping[str, Any]) -> str:
    """Markdown."""
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _cell(value: Any) -> str:
    return re.sub(r"([\\|`*_<\[])", r"\\\1", str(value)).replace("\n", " ")
