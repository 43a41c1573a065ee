"""Ask W&B's own engine, the package `sweeps`, what the fixtures of `capture sweep` must be.

It needs numpy below 2, so it has an environment of its own:

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install 'sweeps==0.3.0' 'numpy<2'
    /tmp/oracle/bin/python tests/sweep_oracle.py
"""

import json
import logging
import math
import random
from pathlib import Path

import numpy as np
from sweeps import RunState, SweepRun, next_runs, stop_runs
from sweeps.params import HyperParameter

logging.disable(logging.CRITICAL)
FOLDER = Path(__file__).parent.parent / "fixtures" / "sweeps"
HISTORIES = 500
SHARES = [0.001, 0.01, 0.05, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 0.999]
SPECS = [
    {"min": 1, "max": 9},
    {"min": 1.0, "max": 9},
    {"distribution": "uniform", "min": 1, "max": 9},
    {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.05},
    {"distribution": "q_uniform", "min": 3, "max": 40, "q": 4},
    {"distribution": "q_uniform", "min": 0, "max": 20},
    {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
    {"distribution": "q_log_uniform_values", "min": 16, "max": 256, "q": 8},
    {"distribution": "q_log_uniform_values", "min": 1, "max": 1000},
    {"distribution": "log_uniform", "min": -9, "max": -2},
    {"distribution": "q_log_uniform", "min": 0, "max": 5, "q": 2},
    {"distribution": "inv_log_uniform_values", "min": 1e-4, "max": 0.1},
    {"distribution": "inv_log_uniform", "min": 1, "max": 4},
    {"distribution": "normal"},
    {"distribution": "normal", "mu": 1, "sigma": 2},
    {"distribution": "q_normal", "mu": 10, "sigma": 3, "q": 1},
    {"distribution": "q_normal", "sigma": 3, "q": 0.25},
    {"distribution": "log_normal", "mu": 0, "sigma": 0.5},
    {"distribution": "log_normal"},
    {"distribution": "q_log_normal", "mu": 2, "sigma": 0.5, "q": 1},
    {"distribution": "beta"},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "beta", "a": 0.3, "b": 0.7},
    {"distribution": "beta", "a": 40, "b": 2.5},
    {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.1},
    {"values": ["a", "b", 3, None, True]},
    {"values": ["a", "b", "c"], "probabilities": [0.2, 0.5, 0.3]},
    {"value": 7},
]
GRIDS = [
    {"lr": {"values": [0.1, 0.01]}, "bs": {"values": [16, 32, 64]}, "opt": {"value": "adam"}},
    {"n": {"min": 2, "max": 5}, "drop": {"distribution": "q_uniform", "min": 0, "max": 0.5, "q": 0.1}},
    {"q": {"distribution": "q_uniform", "min": 1, "max": 9, "q": 2}},
    {"d": {"distribution": "q_uniform", "min": 0.3, "max": 4}},
    {"b": {"values": [True, False]}, "n": {"values": [None, 1, "1", 1.0, 2]}, "l": {"values": [[1, 2], [3]]}},
    {
        "opt": {"parameters": {"name": {"values": ["sgd", "adam"]}, "lr": {"values": [1, 2]}}},
        "a": {"values": [0, 5]},
        "z": {"parameters": {"deep": {"parameters": {"x": {"min": 1, "max": 2}}}}},
    },
]


def plain(value):
    """The value without numpy's types; what JSON has no word for as text."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def hyperband():
    """Random sweeps in the middle, and which of their running runs W&B would stop now."""
    rnd, cases = random.Random(1), []
    while len(cases) < HISTORIES:
        goal = rnd.choice(["minimize", "maximize"])
        rule = {"type": "hyperband", "eta": rnd.choice([2, 3, 4, 1.5]), "strict": rnd.random() < 0.7}
        if rnd.random() < 0.5:
            rule["min_iter"] = rnd.choice([1, 2, 3])
        else:
            rule.update(max_iter=rnd.choice([9, 12, 27]), s=rnd.choice([1, 2, 3]))
        histories = [
            [None if rnd.random() < 0.05 else round(rnd.random(), 4) for _ in range(rnd.randint(0, 14))]
            for _ in range(rnd.randint(1, 9))
        ]
        running = [rnd.random() < 0.67 for _ in histories]
        runs = [
            SweepRun(
                name=str(number),
                state=RunState.running if live else RunState.finished,
                history=[{"loss": math.nan if value is None else value} for value in history],
            )
            for number, (history, live) in enumerate(zip(histories, running))
        ]
        sweep = {"method": "random", "metric": {"name": "loss", "goal": goal}, "early_terminate": dict(rule)}
        sweep["parameters"] = {"a": {"value": 1}}
        stopped = sorted(int(run.name) for run in stop_runs(sweep, runs))
        cases.append(
            {"goal": goal, "rule": rule, "histories": histories, "running": running, "stopped": stopped}
        )
    return cases


def grids():
    """Grids, and their points in the order in which W&B gives them out."""
    cases = []
    for parameters in GRIDS:
        found = next_runs({"method": "grid", "parameters": parameters}, [], n=1000)
        points = [
            plain({name: item["value"] for name, item in run.config.items()})
            for run in found
            if run is not None
        ]
        cases.append({"parameters": parameters, "points": points})
    return cases


def quantiles():
    """Distributions, and their values at the shares."""
    cases = []
    for spec in SPECS:
        parameter = HyperParameter("x", spec)
        values = [plain(parameter.ppf(share)) for share in SHARES]
        cases.append({"spec": spec, "kind": parameter.type, "shares": SHARES, "values": values})
    return cases


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (hyperband, grids, quantiles):
        lines = ",\n".join(json.dumps(case) for case in make())
        (FOLDER / f"{make.__name__}.json").write_text(f"[\n{lines}\n]\n")
