"""Files, tables, images and plots in trackio's store.

A table, an image and a page of HTML are values of a row, and an image and a page also files beside the store.
All have names that follow from the run and the file, so that trackio keeps each once however often it comes.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from capture.adapters import _shown
from capture.records import File

MOST_ROWS = 10_000  # of a table: each dashboard that is open gets all of them
_NAME = re.compile(r"[^\w.-]+", re.ASCII)


def artifact(trackio: Any, file: File) -> Any:
    """A new version of an artifact, yet to be logged."""
    name = _NAME.sub("-", file.name).strip("-") or "file"
    made = trackio.Artifact(name, file.type, metadata=_shown.metadata(file))
    if file.path.is_dir():
        made.add_dir(file.path)
    else:
        made.add_file(file.path)
    return made


def commit(trackio: Any, project: str, run: str, run_id: str, file: File) -> None:
    """Store a version in the project on this machine; bytes that are there already become none.

    `trackio.Run.log_artifact` does the same, and starts threads that log rows.
    """
    made = artifact(trackio, file)
    trackio.SQLiteStorage.commit_artifact_version(
        project=project,
        name=made.name,
        type=made.type,
        description=None,
        manifest=made._build_manifest(project),
        metadata=made.metadata,
        aliases=list(file.aliases),
        run_name=run,
        run_id=run_id,
    )


def table(file: File) -> dict[str, Any]:
    """A table, or a plot as one, as the value of a row."""
    columns, rows = _shown.table(file) if file.kind == "table" else _shown.plot_rows(file)
    shown = [dict(zip(columns, row, strict=True)) for row in rows[:MOST_ROWS]]
    return {"_type": "trackio.table", "_value": shown}


def media(trackio: Any, project: str, run: str, file: File) -> dict[str, Any]:
    """An image, or a plot as a picture, put beside the store, as the value of a row."""
    is_page = file.kind == "plot" or file.path.suffix == ".svg"
    place = Path(trackio.media.get_project_media_path(project, run, 0))
    digest = (file.digest or str(file.number)).removeprefix("sha256:")[:16]
    target = place / f"{file.number}-{digest}{'.html' if is_page else file.path.suffix}"
    if is_page:
        text = _shown.picture(file) if file.kind == "plot" else file.path.read_text("utf-8", "replace")
        page = trackio.Html(text)
        page._save_media(target)
    else:
        shutil.copyfile(file.path, target)
    kind = "trackio.html" if is_page else "trackio.image"
    root = Path(trackio.utils.MEDIA_DIR)
    return {"_type": kind, "file_path": str(target.relative_to(root)), "caption": file.name}
