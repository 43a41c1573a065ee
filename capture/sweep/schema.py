"""The file of a sweep: W&B's, checked, with the file and the line in each error.

Ours in addition is `config_file`: the file that configures the program (`--config-file`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, field_validator, model_validator

from capture.errors import UserError
from capture.language.checked import Checked
from capture.language.checked_yaml import Source
from capture.sweep import hyperband
from capture.sweep.parameters import Parameter, distribution, grid_size, leaves


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"should be a number, not {value!r}")
    return value


Number = Annotated[Any, AfterValidator(_number)]  # whole numbers stay whole
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# What W&B has for its own servers and launchers.
LAUNCH = ("job", "image_uri", "scheduler", "metrics")


class Metric(Checked):
    """What a sweep is judged by."""

    name: str
    goal: Literal["minimize", "maximize"] = "minimize"
    target: Number | None = None
    impute: Literal["latest", "best", "worst"] | None = None
    impute_while_running: Literal["latest", "best", "worst", "false"] | None = None

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return self.goal == "maximize"


class EarlyTerminate(Checked):
    """When a losing trial is ended."""

    type: Literal["hyperband"]
    max_iter: StrictInt | None = Field(None, ge=1)
    min_iter: StrictInt | None = Field(None, ge=1)
    s: StrictInt | None = Field(None, ge=1)
    eta: Number = Field(3, gt=1)
    strict: StrictBool = True

    @model_validator(mode="after")
    def _whole(self) -> EarlyTerminate:
        if self.min_iter is None and (self.max_iter is None or self.s is None):
            raise ValueError("hyperband needs min_iter, or max_iter and s")
        hyperband.of(self.spec(), maximize=False)
        return self

    def spec(self) -> dict[str, Any]:
        """The keys that are set."""
        found = self.model_dump(exclude_none=True)
        if "s" not in found:
            found.pop("max_iter", None)
        return found


class ParameterSpec(Checked):
    """One parameter, or a mapping of parameters."""

    distribution: str | None = None
    value: Any = None
    values: list[Any] | None = Field(None, min_length=1)
    probabilities: list[Number] | None = None
    min: Number | None = None
    max: Number | None = None
    q: Number | None = None
    mu: Number | None = None
    sigma: Number | None = None
    a: Number | None = None
    b: Number | None = None
    parameters: dict[str, ParameterSpec] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one_distribution(self) -> ParameterSpec:
        if self.parameters is None:
            distribution(self.model_dump(exclude_unset=True))
        elif len(self.model_fields_set) > 1:
            raise ValueError("nothing else can be beside nested parameters")
        return self

    @field_validator("parameters")
    @classmethod
    def _named(cls, found: Any) -> Any:
        return _check_names(found)


def _check_names(found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    for name in found or {}:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a parameter: letters, digits, _ . -")
    return found


class SweepFile(Checked):
    """A sweep: what is tried, how, and what it is judged by."""

    method: Literal["grid", "random", "bayes"]
    parameters: dict[str, ParameterSpec] = Field(min_length=1)
    metric: Metric | None = None
    program: str | None = None
    command: list[Any] | None = None
    early_terminate: EarlyTerminate | None = None
    run_cap: StrictInt | None = Field(None, gt=0)
    name: str | None = None
    description: str | None = None
    project: str | None = None
    config_file: str | None = None
    entity: str | None = None  # W&B's own
    kind: Literal["sweep"] | None = None
    apiVersion: Any = None
    controller: dict[str, Any] | None = None

    @field_validator("parameters")
    @classmethod
    def _named(cls, found: Any) -> Any:
        return _check_names(found)

    @model_validator(mode="after")
    def _whole(self) -> SweepFile:
        if self.metric is None and (self.method == "bayes" or self.early_terminate):
            what = "method bayes" if self.method == "bayes" else "early_terminate"
            raise ValueError(f"{what} needs a metric: metric: {{name: val_loss, goal: minimize}}")
        if self.method == "grid":
            grid_size(self.leaves())
        return self

    def data(self) -> dict[str, Any]:
        """What was written, as plain data."""
        return self.model_dump(exclude_unset=True)

    def leaves(self) -> list[Parameter]:
        """The parameters, in W&B's order."""
        return list(
            leaves({name: spec.model_dump(exclude_unset=True) for name, spec in self.parameters.items()})
        )

    def hyperband(self) -> hyperband.Hyperband | None:
        """The rule by which trials are ended early, if there is one."""
        if self.early_terminate is None or self.metric is None:
            return None
        return hyperband.of(self.early_terminate.spec(), self.metric.maximize)


def read(path: str) -> tuple[SweepFile, list[str]]:
    """The sweep in a file, and what of it has no meaning here, a sentence each.

    Raises UserError with a line for each mistake.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or 'this is not text'}") from None
    return check(Source(text, path))


def check(source: Source) -> tuple[SweepFile, list[str]]:
    """The same of a text that is read already."""
    if not isinstance(source.data, dict):
        raise UserError(f"{source.name}: a sweep is a mapping with method, parameters and metric")
    for key in LAUNCH:
        if key in source.data:
            raise source.error((key,), f"{key} is for W&B's own servers; capture has no meaning for it")
    if source.data.get("method") == "custom":
        raise source.error(
            ("method",), "method custom is for W&B's own servers; there are grid, random, bayes"
        )
    found = source.check(SweepFile)
    return found, list(_unused(found, source))


def _unused(found: SweepFile, source: Source) -> Sequence[str]:
    metric = found.metric
    keys = [("metric", key) for key in ("impute", "impute_while_running") if metric and getattr(metric, key)]
    return [
        f"{source.error(key, f'{key[-1]} is not used: a trial that failed has no value')}" for key in keys
    ]
