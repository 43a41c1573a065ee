"""How Optuna draws a trial's values: by ask and tell, from W&B's distributions.

What Optuna has a distribution for is drawn from that.  The others (normal, beta, rounded ones, ...) are a
share from 0 to 1 that is put through the quantile function; their name at Optuna says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from capture.sweep.distributions import quantile
from capture.sweep.parameters import Parameter, Values, axis, key_of

EDGE = 1e-9  # a share that is 0 or 1 has no quantile


def sampler(method: str) -> BaseSampler:
    """What draws the values of a trial."""
    if method == "bayes":
        return TPESampler(multivariate=True, constant_liar=True)  # trials that are running count, too
    return RandomSampler()


class Search:
    """The parameters of a sweep as Optuna has them."""

    def __init__(self, method: str, parameters: Sequence[Parameter]) -> None:
        self._grid = method == "grid"
        self._constants = {p.name: p.spec["value"] for p in parameters if p.kind == "constant"}
        self._parameters = parameters
        self._choices = {p.name: self._values_of(p) for p in parameters if self._is_choice(p)}
        self.distributions = {
            self.name_of(p): self._distribution(p) for p in parameters if p.kind != "constant"
        }

    def name_of(self, parameter: Parameter) -> str:
        """What the parameter is called at Optuna."""
        latent = not self._is_choice(parameter) and parameter.kind not in _DIRECT
        return f"{parameter.name} (quantile)" if latent else parameter.name

    def values(self, drawn: Mapping[str, Any]) -> Values:
        """The value of each parameter for what Optuna has drawn."""
        found = {}
        for parameter in self._parameters:
            name = parameter.name
            if name in self._constants:
                found[name] = self._constants[name]
            elif name in self._choices:
                found[name] = self._choices[name][drawn[name]]
            elif parameter.kind in _DIRECT:
                found[name] = drawn[name]
            else:
                found[name] = quantile(parameter.spec, drawn[self.name_of(parameter)])
        return found

    def drawn(self, values: Values) -> dict[str, Any]:
        """What Optuna has to draw for the point of a grid."""
        return {name: _label(values[name]) for name in self._choices}

    def _is_choice(self, parameter: Parameter) -> bool:
        return parameter.kind == "categorical" or (self._grid and parameter.kind != "constant")

    def _values_of(self, parameter: Parameter) -> dict[Any, Any]:
        return {_label(value): value for value in (axis(parameter))}

    def _distribution(self, parameter: Parameter) -> BaseDistribution:
        spec, kind = parameter.spec, parameter.kind
        if parameter.name in self._choices:
            return CategoricalDistribution(list(self._choices[parameter.name]))
        if kind == "int_uniform":
            return IntDistribution(spec["min"], spec["max"])
        if kind == "uniform":
            return FloatDistribution(spec["min"], spec["max"])
        if kind == "log_uniform_values":
            return FloatDistribution(spec["min"], spec["max"], log=True)
        return FloatDistribution(EDGE, 1 - EDGE)


_DIRECT = ("int_uniform", "uniform", "log_uniform_values")


def _label(value: Any) -> Any:
    """The value as Optuna keeps it among the choices: 1, true and "1" are three."""
    if isinstance(value, str):
        return value if _plain(value) else json.dumps(value)
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return key_of(value)


def _plain(text: str) -> bool:
    """Whether a text can't be taken for the label of another value."""
    return text not in ("true", "false", "null") and text[:1] not in ("[", "{", '"')
