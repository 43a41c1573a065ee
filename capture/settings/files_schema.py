"""The part of the configuration that says which files, tables, images and plots are kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from capture.files import plots, rules
from capture.language.checked import Checked


def _pattern(text: str) -> str:
    if not text.strip() or text.startswith("/") or ".." in text.split("/"):
        raise ValueError(
            f"{text!r} should be below the command's folder; --save, --table and --image go anywhere"
        )
    return text


def _condition(text: str) -> str:
    rules.condition(text)
    return text


def _several(value: Any) -> Any:
    """`model.pt` and `[model.pt]` stand for `[{path: model.pt}]`."""
    items = value if isinstance(value, list) else [value]
    return [{"path": item} if isinstance(item, str) else item for item in items]


Pattern = Annotated[str, AfterValidator(_pattern)]
Condition = Annotated[str, AfterValidator(_condition)]
Several = BeforeValidator(_several)
_Texts = Annotated[list[str], BeforeValidator(lambda v: v if isinstance(v, list) else [v])]


class Table(Checked):
    """A file that is shown as a table."""

    path: Pattern
    name: str | None = None
    existing: bool = False


class Image(Checked):
    """Images that are shown."""

    path: Pattern
    name: str | None = None
    existing: bool = False


class Artifact(Checked):
    """Files and folders that are kept, a version of each time they change."""

    path: Pattern
    type: str | None = None
    name: str | None = None
    alias: dict[str, Condition] = Field({}, description="such as best: max epoch/val_accuracy")
    existing: bool = False


class Plot(Checked):
    """What is drawn of a table."""

    type: Literal["confusion_matrix", "line", "scatter", "bar", "histogram", "pr_curve", "roc_curve"]
    path: Pattern
    name: str | None = None
    existing: bool = False
    x: str | None = None
    y: _Texts | None = None
    truth: str | None = None
    prediction: str | None = None
    score: str | None = None
    positive: str | int | float | bool | None = None
    labels: list[str | int | float] | None = None
    bins: int | None = Field(None, ge=1, le=1000)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Plot:
        takes = plots.TYPES[self.type]
        missing = [key for key in takes if not key.startswith("[") and getattr(self, key) is None]
        if missing:
            raise ValueError(f"a {self.type} needs {' and '.join(missing)}: the names of columns")
        return self
