"""W&B's file: what it may say, and where a mistake is."""

import pytest

from capture.errors import UserError
from capture.language.checked_yaml import Source
from capture.sweep import schema

WHOLE = """\
program: train.py
method: bayes
name: spirals
description: all keys
project: mine
entity: me
metric: {name: val_loss, goal: minimize, target: 0.1}
run_cap: 20
command:
  - ${env}
  - python3
  - ${program}
  - ${args}
early_terminate: {type: hyperband, max_iter: 27, s: 2, eta: 3, strict: false}
parameters:
  lr: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
  optimizer:
    parameters:
      name: {values: [adam, sgd], probabilities: [0.25, 0.75]}
      beta: {distribution: beta}
"""


def check(text):
    return schema.check(Source(text, "sweep.yaml"))


def test_a_whole_file_is_understood():
    file, notes = check(WHOLE)
    assert notes == []
    assert [p.name for p in file.leaves()] == ["lr", "optimizer.beta", "optimizer.name"]
    assert file.hyperband().bands == [3, 9]
    assert (file.metric.target, file.run_cap) == (0.1, 20)
    assert schema.SweepFile.model_validate(file.data()) == file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("run_cap", "runcap", "sweep.yaml:8: unknown key 'runcap'; did you mean 'run_cap'?"),
        ("goal: minimize", "goal: min", "sweep.yaml:7: metric.goal: should be 'minimize' or 'maximize', not 'min' (did you mean 'minimize'?)"),
        ("max: 0.1", "max: 1e-6", "sweep.yaml:16: parameters.lr: min 1e-05 is not less than max 1e-06"),
        ("min: 1e-5, ", "", "sweep.yaml:16: parameters.lr: log_uniform_values needs min and max: min is missing"),
        ("log_uniform_values", "loguniform_values", "sweep.yaml:16: parameters.lr: distribution 'loguniform_values' is unknown; did you mean 'log_uniform_values'?"),
        ("min: 1e-5", "min: low", "sweep.yaml:16: parameters.lr.min: should be a number, not 'low'"),
        ("{distribution: beta}", "{distribution: beta, q: 1}", "sweep.yaml:20: parameters.optimizer.parameters.beta: q does not belong to beta, which has a, b"),
        ("[0.25, 0.75]", "[0.25, 0.5]", "sweep.yaml:19: parameters.optimizer.parameters.name: the probabilities should add up to 1, not 0.75"),
        ("max_iter: 27, ", "", "sweep.yaml:14: early_terminate: hyperband needs min_iter, or max_iter and s"),
        ("max_iter: 27", "max_iter: 2", "sweep.yaml:14: early_terminate: no trial would ever be judged: max_iter / eta is less than 1; raise max_iter or s, or lower eta"),
        ("method: bayes", "method: grid", "sweep.yaml:1: lr: a grid has no log_uniform_values; it needs value, values, whole numbers from min to max, or q_uniform"),
        ("metric: {name: val_loss, goal: minimize, target: 0.1}\n", "", "sweep.yaml:1: method bayes needs a metric: metric: {name: val_loss, goal: minimize}"),
        ("method: bayes", "method: bayesian", "sweep.yaml:2: method: should be 'grid', 'random' or 'bayes', not 'bayesian' (did you mean 'bayes'?)"),
        ("program: train.py", "job: train", "sweep.yaml:1: job is for W&B's own servers; capture has no meaning for it"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line(old, new, message):
    with pytest.raises(UserError) as caught:
        check(WHOLE.replace(old, new, 1))
    assert str(caught.value) == message


def test_what_is_not_used_is_said():
    _, notes = check(WHOLE.replace("target: 0.1", "impute: worst"))
    assert notes == ["sweep.yaml:7: impute is not used: a trial that failed has no value"]
