"""The parameters of a sweep: its leaves, what each is drawn from, and all points of a grid."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from capture.errors import UserError, did_you_mean
from capture.sweep.distributions import DEFAULTS, KEYS

Values = dict[str, Any]  # a value for each parameter, by its name


class Parameter(NamedTuple):
    """A parameter: the keys that lead to it, and its `spec`, which has its `distribution`."""

    path: tuple[str, ...]
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name in lists, on charts and in commands."""
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        """Its distribution."""
        return str(self.spec["distribution"])


def leaves(section: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """The parameters of a `parameters:` section that is checked, in W&B's order: by name on each level."""
    for key, spec in sorted(section.items()):
        if "parameters" in spec:
            yield from leaves(spec["parameters"], (*path, key))
        else:
            yield Parameter((*path, key), {**spec, "distribution": distribution(spec)})


def distribution(spec: Mapping[str, Any]) -> str:
    """The distribution of a parameter: the one it names, else the one that its keys mean.

    Raises UserError where its keys are of none, or of two.
    """
    kind = spec.get("distribution")
    if kind is None:
        kind = _meant(spec)
    if kind not in KEYS:
        known = ", ".join(KEYS)
        raise UserError(f"distribution {kind!r} is unknown; {did_you_mean(kind, KEYS, f'there are {known}')}")
    needed, others = KEYS[kind]
    for key in needed:
        if key not in spec:
            raise UserError(f"{kind} needs {' and '.join(needed)}: {key} is missing")
    for key in spec:
        if key not in (*needed, *others, "distribution"):
            has = ", ".join((*needed, *others))
            raise UserError(f"{key} does not belong to {kind}, which has {has}")
    _check(kind, {**DEFAULTS, **spec})
    return str(kind)


def _meant(spec: Mapping[str, Any]) -> str:
    if "value" in spec:
        return "constant"
    if "values" in spec:
        return "categorical_w_probabilities" if "probabilities" in spec else "categorical"
    if "min" in spec and "max" in spec:
        whole = isinstance(spec["min"], int) and isinstance(spec["max"], int)
        return "int_uniform" if whole else "uniform"
    raise UserError("it has no values: give it value, values, min and max, or a distribution")


def _check(kind: str, spec: Mapping[str, Any]) -> None:
    """Raises UserError for values that the distribution can't have."""
    if kind == "int_uniform" and not (isinstance(spec["min"], int) and isinstance(spec["max"], int)):
        raise UserError("int_uniform: min and max should be whole numbers")
    if "min" in spec and "max" in spec and not spec["min"] < spec["max"]:
        raise UserError(f"min {spec['min']} is not less than max {spec['max']}")
    if "log_uniform_values" in kind and spec["min"] <= 0:
        raise UserError(f"{kind}: min should be more than 0, not {spec['min']}")
    if spec["q"] <= 0 or spec["sigma"] < 0 or spec["a"] <= 0 or spec["b"] <= 0:
        raise UserError(f"{kind}: q, a and b should be more than 0, and sigma at least 0")
    if "probabilities" in spec:
        shares = spec["probabilities"]
        if len(shares) != len(spec["values"]):
            raise UserError(f"there are {len(spec['values'])} values and {len(shares)} probabilities")
        if min(shares) < 0 or not math.isclose(math.fsum(shares), 1, rel_tol=1e-5, abs_tol=1e-8):
            raise UserError(f"the probabilities should add up to 1, not {math.fsum(shares):g}")


def axis(parameter: Parameter) -> list[Any]:
    """The values of a parameter in a grid.  Raises UserError where it has none."""
    spec, kind = parameter.spec, parameter.kind
    if kind == "constant":
        return [spec["value"]]
    if kind == "categorical":
        return _distinct(spec["values"])
    if kind == "int_uniform":
        return list(range(spec["min"], spec["max"] + 1))
    if kind == "q_uniform":
        low, high, q = spec["min"], spec["max"], spec.get("q", DEFAULTS["q"])
        step = (low + q) - low  # as numpy's `arange` has it
        return [low + index * step for index in range(math.ceil((high - low) / q))]
    raise UserError(
        f"{parameter.name}: a grid has no {kind}; it needs value, values, whole numbers from min to max, "
        "or q_uniform"
    )


def grid(parameters: Sequence[Parameter]) -> Iterator[Values]:
    """All points of a grid, the last parameter first to change.  Raises UserError as `axis`."""
    names = [parameter.name for parameter in parameters]
    for point in itertools.product(*map(axis, parameters)):
        yield dict(zip(names, point, strict=True))


def grid_size(parameters: Sequence[Parameter]) -> int:
    """How many points a grid has.  Raises UserError as `axis`."""
    return math.prod(len(axis(parameter)) for parameter in parameters)


def key_of(value: Any) -> str:
    """What is the same for the same values: 3 and 3.0 are, 1 and true and "1" are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)


def _distinct(values: Sequence[Any]) -> list[Any]:
    """The values without repetitions: each in its first place, in its last form."""
    return list({key_of(value): value for value in values}.values())


def nested(parameters: Sequence[Parameter], values: Values) -> dict[str, Any]:
    """The values as the program gets them: those of nested parameters in mappings of their own."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        place = found
        for key in parameter.path[:-1]:
            place = place.setdefault(key, {})
        place[parameter.path[-1]] = values[parameter.name]
    return found
