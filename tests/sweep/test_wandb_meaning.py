"""W&B's file means here what it means there: its own engine's answers, kept by `python tests/sweep_oracle.py`."""

import json
import math

import pytest
from helpers import FIXTURES

from capture.sweep import distributions, hyperband, parameters
from capture.sweep.hyperband import Progress


def fixture(name):
    return json.loads((FIXTURES / "sweeps" / f"{name}.json").read_text())


def progress(history, rule):
    values = [value for value in history if value is not None]  # what is not finite counts as no value
    at_bands = {band: values[band - 1] for band in rule.bands if band <= len(values)}
    best = (max if rule.maximize else min)(values, default=math.nan)
    return Progress(at_bands, best)


def test_hyperband_ends_the_trials_that_wandb_ends():
    cases = fixture("hyperband")
    stops = 0
    for case in cases:
        rule = hyperband.of(case["rule"], case["goal"] == "maximize")
        trials = [progress(history, rule) for history in case["histories"]]
        reached = [trial.at_bands for trial in trials]
        found = [
            number
            for number, (trial, running) in enumerate(zip(trials, case["running"]))
            if running and rule.loses(trial, reached)
        ]
        assert found == case["stopped"], case
        stops += len(found)
    assert len(cases) == 500
    assert stops > 300


@pytest.mark.parametrize("case", fixture("grids"), ids=lambda case: "-".join(case["parameters"]))
def test_a_grid_has_wandbs_points_in_wandbs_order(case):
    found = list(parameters.leaves(case["parameters"]))
    points = [parameters.nested(found, point) for point in parameters.grid(found)]
    assert json.dumps(points, sort_keys=True) == json.dumps(case["points"], sort_keys=True)


@pytest.mark.parametrize("case", fixture("quantiles"), ids=lambda case: case["kind"])
def test_every_distribution_has_wandbs_quantiles(case):
    (leaf,) = parameters.leaves({"x": case["spec"]})
    for share, value in zip(case["shares"], case["values"]):
        found = distributions.quantile(leaf.spec, share)
        if isinstance(value, float):
            assert isinstance(found, float)
            assert found == pytest.approx(value, rel=1e-9, abs=1e-12)
        else:
            assert (type(found), found) == (type(value), value)


def test_every_distribution_is_in_the_fixtures():
    kinds = {parameters.distribution(case["spec"]) for case in fixture("quantiles")}
    assert kinds == set(distributions.KEYS)
