"""The journal: half a line and a killed writer's lock break nothing; Optuna's draws are W&B's distributions."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
from optuna.storages import InMemoryStorage

from capture.sweep import study
from capture.sweep.distributions import quantile
from capture.sweep.parameters import leaves
from capture.sweep.schema import SweepFile
from capture.sweep.search import Search, sampler
from capture.sweep.storage import open_storage


def trials(path):
    return len(optuna.load_study(study_name="s", storage=open_storage(path)).trials)


def test_half_a_line_is_cut_off_by_who_writes_next():
    study = optuna.create_study(study_name="s", storage=open_storage("j.log"))
    study.enqueue_trial({"x": 1})
    whole = os.path.getsize("j.log")
    with open("j.log", "ab") as file:
        file.write(b'{"op_code":4,"worker_id":"x')
    assert trials("j.log") == 1
    study.enqueue_trial({"x": 2})
    assert trials("j.log") == 2
    with open("j.log", "rb") as file:
        data = file.read()
    assert data.endswith(b"\n") and b'"x{' not in data[whole:]
    assert len(study.trials) == 2


def test_a_line_that_is_no_json_is_the_same_nothing_for_everybody():
    study = optuna.create_study(study_name="s", storage=open_storage("j.log"))
    with open("j.log", "ab") as file:
        file.write(b"\0\0\0\0\n")  # of a file system that lost a block
    study.enqueue_trial({"x": 1})
    study.enqueue_trial({"x": 2})
    assert (trials("j.log"), len(study.trials)) == (2, 2)


def test_the_lock_of_a_killed_writer_holds_up_nobody():
    study = optuna.create_study(study_name="s", storage=open_storage("j.log"))
    code = (
        "from capture.sweep.storage import SafeJournal; import time\n"
        "with SafeJournal('j.log')._locked(): print('locked', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    before = time.monotonic()
    study.enqueue_trial({"x": 1})
    assert time.monotonic() - before < 30
    assert trials("j.log") == 1


SPECS = {
    "normal": {"distribution": "normal", "mu": 1, "sigma": 2},
    "q": {"distribution": "q_log_uniform_values", "min": 16, "max": 256, "q": 8},
    "log": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
    "int": {"min": 1, "max": 9},
    "inverse": {"distribution": "inv_log_uniform_values", "min": 1e-4, "max": 0.1},
    "beta": {"distribution": "beta", "a": 2, "b": 5},
    "share": {"values": [1, 2, 3], "probabilities": [0.2, 0.5, 0.3]},
}


@pytest.mark.parametrize("name", SPECS)
def test_what_optuna_draws_is_distributed_as_at_wandb(name):
    found = list(leaves({name: SPECS[name]}))
    search, study = (
        Search("random", found),
        optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)),
    )
    drawn = sorted(search.values(study.ask(search.distributions).params)[name] for _ in range(1000))
    # Kolmogorov-Smirnov: 1.63 / sqrt(n) is passed by 99 of 100, and the seed is fixed.
    grid = [quantile(found[0].spec, (step + 0.5) / 400) for step in range(400)]
    for value in {grid[place] for place in range(0, 400, 10)}:
        mine = sum(item <= value for item in drawn) / len(drawn)
        theirs = sum(item <= value for item in grid) / len(grid)
        assert abs(mine - theirs) < 1.63 / 1000**0.5 + 1 / 400


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_values_of_all_kinds_are_told_apart(method):
    values = [1, True, "1", "true", None, [1, 2], 2.5, "[1, 2]", '"true"', {"a": 1}]
    search = Search(method, list(leaves({"x": {"values": values}})))
    study = optuna.create_study(sampler=sampler(method))
    drawn = [search.values(study.ask(search.distributions).params)["x"] for _ in range(200)]
    assert {repr(value) for value in drawn} == {repr(value) for value in values}


def test_of_many_workers_that_begin_at_once_one_lets_the_points_wait(monkeypatch):
    storage = InMemoryStorage()
    file = SweepFile.model_validate({"method": "grid", "parameters": {"x": {"values": [1, 2, 3]}}})
    with monkeypatch.context() as empty:
        empty.setattr(study.Study, "queue_missing", lambda self: False)
        study.create(storage, "s", study.Definition(file, ["true"], False, "/"), None)
    claims, write = [], storage.set_study_user_attr

    def count(study_id, key, value):
        claims.extend([value] * (key == study.CLAIM))
        write(study_id, key, value)

    monkeypatch.setattr(storage, "set_study_user_attr", count)

    def work(number):
        joined = study.join(storage, "s")
        time.sleep(number * study.CLAIM_TIME / 4)  # each while another one waits to see its claim
        while not joined.trials() and len(claims) < 100:
            joined.queue_missing()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    points = [trial.user_attrs["point"] for trial in study.join(storage, "s").trials()]
    assert sorted(set(points)) == ["0", "1", "2"]
    assert len(claims) < 100  # workers that took it from each other at once went on so for minutes
