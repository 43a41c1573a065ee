"""Files, tables, images and plots in W&B: artifacts, and values of a row of their own.

A row of W&B has a step that only grows, and W&B is asked after a crash how many there are.  So what is no
metric is in rows of its own, which are counted in the run's summary: the others are the run's.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from capture.adapters import _shown
from capture.records import File

COUNTS = "_capture"  # in the summary: how many such rows there are, and how many files are in them
LARGE = 256 << 20  # bytes; what is smaller is copied by wandb, and may be replaced at once
_NAME = re.compile(r"[^\w.-]+", re.ASCII)


class WandbFiles:
    """What of a run's files is in W&B."""

    def __init__(self, run: Any) -> None:
        """`run` is open; where it is resumed, its summary says what is there."""
        self._run = run
        try:
            counts = dict(run.summary.get(COUNTS) or {}) if run.resumed else {}
        except (TypeError, ValueError):
            counts = {}
        self.rows = int(counts.get("rows", 0))  # that are no rows of the run
        self._files = int(counts.get("files", 0))

    def add(self, file: File, step: int, taken: Container[str]) -> None:
        """Log a file; `step` is the next row's, and `taken` are the names of metrics.

        Raises ValueError for what W&B can't show.
        """
        if file.kind == "file":
            self._artifact(file)
            return
        if file.number <= self._files:
            return  # it is there
        name = f"{file.name}_{file.kind}" if file.name in taken else file.name
        try:
            media = _media(file)
        except Exception as error:  # a damaged image, say: nothing is wrong with W&B
            raise ValueError(f"{file.name}: {error}") from error
        self._run.log({name: media}, step=step, commit=True)
        self.rows += 1
        self._files = file.number
        self._run.summary.update({COUNTS: {"rows": self.rows, "files": self._files}})

    def _artifact(self, file: File) -> None:
        """W&B makes no new version of what has the same digest; the run is the version's source."""
        import wandb

        artifact = wandb.Artifact(artifact_name(file.name), type=file.type, metadata=_shown.metadata(file))
        if file.path.is_dir():
            artifact.add_dir(str(file.path))
        else:
            policy: Any = "immutable" if (file.size or 0) > LARGE else "mutable"
            artifact.add_file(str(file.path), name=file.path.name, policy=policy, skip_cache=True)
        self._run.log_artifact(artifact, aliases=["latest", *file.aliases])


def artifact_name(name: str) -> str:
    """The name as W&B allows it: letters, digits, `_`, `.` and `-`, and 128 of them."""
    return _NAME.sub("-", name).strip("-")[:128] or "file"


def _media(file: File) -> Any:
    import wandb

    if file.kind == "table":
        columns, rows = _shown.table(file)
        return wandb.Table(columns=[*columns], data=rows, allow_mixed_types=True)
    if file.kind == "image":
        if file.path.suffix == ".svg":
            return wandb.Html(file.path.read_text(encoding="utf-8", errors="replace"), inject=False)
        return wandb.Image(str(file.path), caption=file.name)
    return _chart(file)


def _chart(file: File) -> Any:
    """One of W&B's own charts: their Vega presets need no numpy, which `wandb.plot` does."""
    content = _shown.plot(file)
    if file.type == "confusion_matrix":
        labels, counts = content["labels"], content["counts"]
        cells = [[a, b, counts[i][j]] for i, a in enumerate(labels) for j, b in enumerate(labels)]
        names = ["Actual", "Predicted", "nPredictions"]
        return _preset("wandb/confusion_matrix/v1", names, cells, {n: n for n in names}, file.name)
    columns, rows = content["columns"], content["rows"]
    if file.type == "histogram":
        import wandb

        edges = [row[0] for row in rows] + [rows[-1][1]]
        counted: Any = ([row[2] for row in rows], edges)
        return wandb.Histogram(np_histogram=counted)
    if file.type in ("pr_curve", "roc_curve"):
        points = [[content["positive"], *row] for row in rows]
        titles = {"x-axis-title": columns[0].capitalize(), "y-axis-title": columns[1].capitalize()}
        fields = {"x": columns[0], "y": columns[1], "class": "class"}
        return _preset("wandb/area-under-curve/v0", ["class", *columns], points, fields, file.name, **titles)
    if len(columns) > 2:
        points = [[row[0], name, row[i]] for i, name in enumerate(columns[1:], 1) for row in rows]
        names = ["step", "lineKey", "lineVal"]
        fields = {name: name for name in names}
        return _preset("wandb/lineseries/v0", names, points, fields, file.name, xname=columns[0])
    x, y = ("label", "value") if file.type == "bar" else ("x", "y")
    return _preset(f"wandb/{file.type}/v0", columns, rows, {x: columns[0], y: columns[1]}, file.name)


def _preset(
    name: str, columns: list[str], rows: list[list[Any]], fields: dict[str, str], title: str, **strings: str
) -> Any:
    import wandb

    data = wandb.Table(columns=[*columns], data=rows, allow_mixed_types=True)
    return wandb.plot_table(name, data, fields, {"title": title, **strings})
