"""Files, tables, images and plots as artifacts of an MLflow run, and models in its registry.

An artifact has a path and no versions: what comes later under the same name takes its place.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

from capture.adapters import _shown
from capture.records import File

DIGEST = "capture.digest"  # a tag of a model's version, by which it is known again
SHOWN = "mlflow.loggedArtifacts"  # a tag: the tables that MLflow's page shows as such


class MlflowFiles:
    """The artifacts of one run."""

    def __init__(self, client: Any, run_id: str, registered_model: str | None) -> None:
        """`registered_model` is the name of the model in the registry; None where none is wanted."""
        self._client, self._run, self._model = client, run_id, registered_model

    def add(self, file: File) -> None:
        """Store it, in the place of one of its name."""
        name = (
            "/".join(re.sub(r"[^\w.@+ -]+", "-", part) for part in file.name.split("/")).strip("/.") or "file"
        )
        if file.kind == "file":
            self._file(file, name)
        elif file.kind == "table":
            columns, rows = _shown.table(file)
            path = f"tables/{name}.json"
            self._client.log_dict(self._run, {"columns": columns, "data": rows}, path)
            self._show_as_table(path)
        elif file.kind == "image":
            self._client.log_artifact(self._run, str(file.path), f"images/{name}")
        else:
            self._client.log_text(self._run, _shown.picture(file), f"plots/{name}.svg")

    def _file(self, file: File, name: str) -> None:
        registered = self._model is not None and file.type == "model"
        place = f"{name}/{(file.digest or 'sha256:0')[7:15]}" if registered else posixpath.dirname(name)
        if file.path.is_dir():
            place = place if registered else name
            self._client.log_artifacts(self._run, str(file.path), place)
        else:
            if not registered and posixpath.basename(name) != file.path.name:
                place = name  # an artifact has the name of its file
            self._client.log_artifact(self._run, str(file.path), place or None)
        if registered:
            self._register(file, place)

    def _register(self, file: File, place: str) -> None:
        """Make a version of the registered model, unless the run has made one of these bytes."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(self._model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = self._client.search_model_versions(f"name = '{self._model}' and run_id = '{self._run}'")
        version = next((one for one in made if one.tags.get(DIGEST) == file.digest), None)
        if version is None:
            root = self._client.get_run(self._run).info.artifact_uri
            tags = {DIGEST: file.digest or "", **{k: str(v) for k, v in file.metadata.items()}}
            version = self._client.create_model_version(
                self._model, f"{root.rstrip('/')}/{place}", run_id=self._run, tags=tags
            )
        for alias in file.aliases:
            self._client.set_registered_model_alias(self._model, alias, version.version)

    def _show_as_table(self, path: str) -> None:
        tags = self._client.get_run(self._run).data.tags
        shown = json.loads(tags.get(SHOWN, "[]"))
        entry = {"path": path, "type": "table"}
        if entry not in shown:
            self._client.set_tag(self._run, SHOWN, json.dumps([*shown, entry]))
