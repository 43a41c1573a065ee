"""`capture plot METRIC [RUN...]`: curves in the terminal."""

from __future__ import annotations

import fnmatch
import shutil
import sys
import time
from collections.abc import Sequence

from capture.cli import places, run_options
from capture.cli.arguments import Arguments
from capture.delivery.stored_run import StoredRun
from capture.errors import UserError, did_you_mean
from capture.page import braille, results
from capture.page.braille import COLOURS, Curve
from capture.printing import plain, steer
from capture.records import Row
from capture.runs.find import LAST
from capture.runs.status import RunStatus

LEAST_WIDTH, HEIGHT = 30, 16
PAUSE = 1.0  # seconds between two pictures of a growing run
AXIS_NAMES = {"time": "time (s)", "row": "place in the run"}
MOST = 10  # curves in a picture


def arguments() -> Arguments:
    """The options of `capture plot`."""
    parser = Arguments(
        prog="capture plot", description="Draw a metric of one or several runs in the terminal."
    )
    parser.add_argument(
        "metric", metavar="METRIC", help="its name, its last part, or a pattern: 'loss', 'epoch/*loss'"
    )
    parser.add_argument(
        "runs", nargs="*", default=[], metavar="RUN", help="folders, ids or names of runs (default: last)"
    )
    parser.add_argument(
        "-x", "--axis", metavar="COLUMN", help="step, epoch, time, or a metric (default: the metric's own)"
    )
    parser.add_argument(
        "--smooth", type=float, default=0.0, metavar="WEIGHT", help="an exponential mean: 0 (none) to 1"
    )
    parser.add_argument("--log", action="store_true", help="over the logarithm of the values")
    parser.add_argument(
        "--width", type=int, metavar="COLUMNS", help="of the picture (default: the terminal's)"
    )
    parser.add_argument(
        "--height", type=int, default=HEIGHT, metavar="LINES", help=f"of the picture (default: {HEIGHT})"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="draw again while the runs go on; Ctrl-C ends it"
    )
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture plot`."""
    options = arguments().parse_args(argv)
    if not 0 <= options.smooth < 1:
        raise UserError(f"--smooth {options.smooth:g}: should be at least 0 and less than 1")
    place = places.to_look_at(options.dir)
    terminal = sys.stdout.isatty()
    drawn = 0
    try:
        while True:
            chosen = [place.find(name) for name in options.runs or [LAST]]
            curves, axis = _curves(chosen, options.metric, options.axis)
            curves = [curve._replace(y=_smoothed(curve.y, options.smooth)) for curve in curves]
            width = max(LEAST_WIDTH, options.width or min(160, shutil.get_terminal_size((100, 24)).columns))
            try:
                lines = braille.plot(
                    curves,
                    width,
                    max(4, options.height),
                    log=options.log,
                    coloured=terminal,
                    x_name=plain(AXIS_NAMES.get(axis, axis)),
                )
            except ValueError:
                where = " on a logarithmic axis" if options.log else ""
                raise UserError(f"{options.metric}: there is no number to draw{where}") from None
            lines = [*_legend(curves, terminal), *lines]
            steer(sys.stdout, f"\x1b[{drawn}A\x1b[J" * bool(drawn) + "\n".join(lines) + "\n")
            if not options.follow or all(one.state != "running" for one in chosen):
                return 0
            drawn = len(lines) if terminal else 0
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return 0


def _legend(curves: Sequence[Curve], coloured: bool) -> list[str]:
    lines = []
    for curve in curves:
        mark = f"\x1b[{COLOURS[curve.colour % len(COLOURS)]}m━━\x1b[0m" if coloured else "━━"
        last = next((value for value in reversed(curve.y) if value == value), None)
        lines.append(f"{mark} {plain(curve.name)}" + ("" if last is None else f"  {last:.5g}"))
    return lines


def _curves(chosen: Sequence[RunStatus], wanted: str, axis: str | None) -> tuple[list[Curve], str]:
    """The curves that are asked for, and the name of their axis.  Raises UserError where there are none."""
    curves: list[Curve] = []
    names: dict[str, None] = {}
    wanted_of: list[tuple[RunStatus, list[Row], list[str]]] = []
    for one in chosen:
        found = list(StoredRun(one.folder, one.run).rows())
        there = list(dict.fromkeys(name for row in found for name in row.metrics))
        names |= dict.fromkeys(there)
        wanted_of.append((one, found, _matching(wanted, there)))
    used = axis or _common_axis([(found, name) for _, found, matching in wanted_of for name in matching])
    for one, found, matching in wanted_of:
        for name in matching:
            x, y = _points(found, name, used, one.run.start)
            label = f"{one.run.name} {name}" if len(chosen) > 1 else name
            if x:
                curves.append(Curve(label, x, y, len(curves)))
    if not curves and axis and any(_matching(wanted, [name]) for name in names):
        hint = did_you_mean(axis, ["step", "epoch", "time", *names], "these runs have no such column")
        raise UserError(f"--axis {axis}: {hint}")
    if not curves:
        listed = f"there are {', '.join(list(names)[:12])}" if names else "there are no metrics"
        raise UserError(f"no metric is called {wanted!r}; {did_you_mean(wanted, names, listed)}")
    if len(curves) > MOST:
        print(f"capture plot: the first {MOST} of {len(curves)} curves", file=sys.stderr)
    return curves[:MOST], used


def _matching(wanted: str, names: Sequence[str]) -> list[str]:
    """The names that are meant, else those that a pattern fits."""
    return results.named(wanted, names) or fnmatch.filter(names, wanted)


def _common_axis(wanted: Sequence[tuple[Sequence[Row], str]]) -> str:
    """The axis of metrics: their own where it is one, else the step, else the place in the run."""
    own = {next((row.axes[name] for row in found if name in row.axes), "row") for found, name in wanted}
    if len(own) == 1:
        return own.pop()
    return "step" if all(any(row.step is not None for row in found) for found, _ in wanted) else "row"


def _points(found: Sequence[Row], name: str, axis: str, start: float) -> tuple[list[float], list[float]]:
    """A metric's points in the order of x; one whose place is not known lies at the last one that is."""
    x: list[float] = []
    y: list[float] = []
    at: float | None = None
    for row in found:
        place = _place(row, axis, start)
        at = place if place is not None else at
        if name in row.metrics and at is not None:
            x.append(at)
            y.append(row.metrics[name])
    order = sorted(range(len(x)), key=x.__getitem__)
    return [x[i] for i in order], [y[i] for i in order]


def _place(row: Row, axis: str, start: float) -> float | None:
    if axis in row.metrics:
        return row.metrics[axis]
    if axis == "time":
        return None if row.time is None else row.time - start
    if axis == "row":
        return row.ordinal
    value: float | None = {"step": row.step, "epoch": row.epoch}.get(axis)
    return value


def _smoothed(values: Sequence[float], weight: float) -> list[float]:
    """An exponential mean without a bias at the start; what is no number is left out of it."""
    mean = share = 0.0
    result = []
    for value in values:
        if value - value == 0:  # finite
            mean, share = mean * weight + value * (1 - weight), share * weight + 1 - weight
            value = mean / share
        result.append(value)
    return result
