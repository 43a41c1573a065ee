"""What the configuration and the options ask for: artifacts, tables, images and plots."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from capture.records import EMPTY

KINDS = {"artifacts": "file", "tables": "table", "images": "image", "plots": "plot"}  # keys of settings
MODELS: tuple[str, ...] = (
    *(".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".h5", ".hdf5", ".keras", ".tflite", ".onnx", ".pb"),
    *(".task", ".joblib", ".pkl", ".gguf", ".mlmodel", ".cbm", ".ubj"),
)
WILD = "*?["


class Rule(NamedTuple):
    """One thing to keep: each file that fits `pattern` is a `kind`.

    `pattern` is relative to the command's folder; `name` is what all that fits is a version of, empty where
    each file has its own; `aliases` say by which metric a version gets an alias ("max", "val_accuracy");
    `existing` also takes what was there before the run and has not changed; `anywhere` allows the pattern to
    lead out of the command's folder: a person has typed it; `options` are those of a plot.
    """

    kind: str
    pattern: str
    type: str = ""
    name: str = ""
    aliases: Mapping[str, tuple[str, str]] = EMPTY
    existing: bool = False
    anywhere: bool = False
    options: Mapping[str, Any] = EMPTY

    def name_of(self, path: str) -> str:
        """The name of a file that fits, by its path: what follows the folders without wildcards."""
        if self.name:
            return self.name
        parts = self.pattern.split("/")
        first = next((i for i, part in enumerate(parts) if is_wild(part)), len(parts) - 1)
        name = "/".join(path.split("/")[first:])
        if self.kind == "file":
            return name
        stem = os.path.splitext(name)[0] or name
        return f"{stem}/{self.type}" if self.kind == "plot" else stem

    def type_of(self, path: str) -> str:
        """What a file is, where the rule does not say."""
        if self.kind != "file":
            return self.type or self.kind
        return self.type or ("model" if path.lower().endswith(MODELS) else "file")


def is_wild(text: str) -> bool:
    """Whether it stands for many names."""
    return any(sign in text for sign in WILD)


def of_settings(settings: Mapping[str, Any]) -> list[Rule]:
    """The rules in the settings of a run."""
    return [rule for key, kind in KINDS.items() for rule in _rules(kind, settings.get(key) or [])]


def _rules(kind: str, items: Any) -> Iterator[Rule]:
    for item in items:
        aliases = {name: condition(text) for name, text in (item.get("alias") or {}).items()}
        known = {"path", "type", "name", "alias", "existing", "anywhere"}
        yield Rule(
            kind,
            os.path.normpath(item["path"]),
            item.get("type") or "",
            item.get("name") or "",
            aliases,
            bool(item.get("existing")),
            bool(item.get("anywhere")),
            {key: value for key, value in item.items() if key not in known and value is not None},
        )


def condition(text: str) -> tuple[str, str]:
    """What `max epoch/val_accuracy` says.  Raises ValueError for anything else."""
    words = text.split(None, 1)
    if len(words) != 2 or words[0] not in ("max", "min"):
        raise ValueError(f"{text!r} should be max or min and a metric, such as max val_accuracy")
    return words[0], words[1].strip()
