"""What the workers of a sweep agree on: its definition, its points, its trials.

A point is what is to be tried, a trial one attempt at it.  A trial whose worker has died is *lost*, and its
point waits to be tried again with the same values.  Two workers may find that at the same moment, so a
point may get two trials: the one with the lower number counts, and whoever takes the other one drops it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from capture.errors import UserError, did_you_mean
from capture.sweep.hyperband import Progress
from capture.sweep.parameters import Values, grid
from capture.sweep.schema import SweepFile
from capture.sweep.search import Search, sampler

DEFINITION, COUNT, STOP, GUESSED = "definition", "count", "stop", "metric"  # attributes of a study
POINT, LOST, WORKER, VALUES, ALIVE, RESULT = (
    "point",
    "lost",
    "worker",
    "values",
    "alive",
    "result",
)  # of a trial
DIED, GIVEN_BACK, NOT_NEEDED = "died", "given back", "not needed"  # why a trial is lost
NO_MORE, NOW = "no more trials", "now"  # how a sweep is stopped
CLAIM = "queue"  # an attribute of a study: who lets points wait
CLAIM_TIME = 0.1  # seconds in which others see it
BATCH = 16  # points that wait at most: a database reads all of them at each look
MOST_ATTEMPTS = 10  # at a point whose workers die
FEWEST_FOR_IMPORTANCE = 8  # trials
PATIENCE = 30.0  # seconds until whoever makes a study must have said what it is
LIVE = (TrialState.RUNNING, TrialState.WAITING)


class Definition(NamedTuple):
    """A sweep: its file, the words of the command, and whether those came with the command line."""

    file: SweepFile
    words: list[str]
    given: bool  # then what the words don't name is put behind them
    cwd: str

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {"file": self.file.data(), "words": self.words, "given": self.given, "cwd": self.cwd}


class Result(NamedTuple):
    """What a trial came to."""

    best: float | None  # value of the metric
    last: float | None
    observed: int  # values of the metric
    status: int | None = None  # the exit status of its command
    reason: str = ""  # why it failed


def create(storage: BaseStorage, name: str, definition: Definition, count: int | None) -> Study:
    """Make a study, or join it where it exists.  Raises UserError if that one is of another sweep."""
    metric = definition.file.metric
    maximize = metric is not None and metric.maximize
    direction = StudyDirection.MAXIMIZE if maximize else StudyDirection.MINIMIZE
    try:
        study = optuna.create_study(
            study_name=name, storage=storage, direction=direction, sampler=sampler(definition.file.method)
        )
    except DuplicatedStudyError:
        joined = join(storage, name)
        if joined.definition.data() | {"cwd": ""} != definition.data() | {"cwd": ""}:
            raise UserError(
                f"there is a sweep {name} already, and it is another one; --id gives this one its own name"
            ) from None
        if count is not None and count != joined.count:
            joined.set_count(count)
        return joined
    study.set_user_attr(COUNT, count)
    study.set_user_attr(DEFINITION, definition.data())
    made = Study(study, storage, definition)
    made.queue_missing()
    return made


def join(storage: BaseStorage, name: str) -> Study:
    """The study of a sweep that exists.  Raises UserError where there is none."""
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        known = optuna.get_all_study_names(storage)
        hint = did_you_mean(name, known, f"there are {', '.join(known[-5:]) or 'none'}")
        raise UserError(f"there is no sweep {name!r} in this storage; {hint}") from None
    deadline = time.monotonic() + PATIENCE
    while DEFINITION not in study.user_attrs:
        if time.monotonic() > deadline:
            raise UserError(f"the study {name!r} was not made by capture sweep")
        time.sleep(0.05)
    data = study.user_attrs[DEFINITION]
    file = SweepFile.model_validate(data["file"])
    study.sampler = sampler(file.method)
    return Study(study, storage, Definition(file, data["words"], data["given"], data["cwd"]))


def point_of(trial: FrozenTrial) -> str:
    """The point that a trial is an attempt at."""
    return str(trial.user_attrs.get(POINT, f"free {trial.number}"))


def counted(trials: Sequence[FrozenTrial]) -> dict[str, FrozenTrial]:
    """The trial that counts for each point."""
    found: dict[str, FrozenTrial] = {}
    attempts: dict[str, int] = {}
    for trial in trials:
        point = point_of(trial)
        if LOST in trial.user_attrs:
            attempts[point] = attempts.get(point, 0) + (trial.user_attrs[LOST] == DIED)
            if attempts[point] < MOST_ATTEMPTS:
                continue
        found.setdefault(point, trial)
    return found


class Study:
    """A sweep in its storage."""

    def __init__(self, study: optuna.Study, storage: BaseStorage, definition: Definition) -> None:
        self._study, self._storage, self.definition = study, storage, definition
        self.name = study.study_name
        self._study_id = storage.get_study_id_from_name(self.name)
        parameters = definition.file.leaves()
        self._grid = list(grid(parameters)) if definition.file.method == "grid" else None
        self.search = Search(definition.file.method, parameters)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The study's attributes, as they are now."""
        return self._study.user_attrs

    @property
    def count(self) -> int | None:
        """How many points there are in all; None where there is no end."""
        count: int | None = self.attributes.get(COUNT)
        if self._grid is None:
            return count
        return len(self._grid) if count is None else min(count, len(self._grid))

    def set_count(self, count: int | None) -> None:
        """Let the sweep have so many points."""
        self._study.set_user_attr(COUNT, count)
        self._study.set_user_attr(STOP, None)

    def stop(self, how: str | None) -> None:
        """Tell all workers to start nothing more, or to end at once; None takes it back."""
        self._study.set_user_attr(STOP, how)

    @property
    def stopped(self) -> str | None:
        """How the sweep was stopped, if it was."""
        how: str | None = self.attributes.get(STOP)
        return how

    def guess(self, metric: str | None = None) -> str | None:
        """The metric that a sweep without one is judged by, once a trial has shown one; or say it."""
        if metric is not None:
            self._study.set_user_attr(GUESSED, metric)
        found: str | None = self.attributes.get(GUESSED)
        return found

    def trials(self) -> list[FrozenTrial]:
        """All trials, as they are now."""
        return self._study.get_trials(deepcopy=False)

    def missing(self, trials: Sequence[FrozenTrial]) -> dict[str, FrozenTrial | None]:
        """The points that no trial counts for, each with a trial of it that was lost, if there is one."""
        owned = counted(trials)
        before = {point_of(trial): trial for trial in trials if trial.user_attrs.get(LOST) != NOT_NEEDED}
        wanted = [str(number) for number in range(self.count or 0)]
        lost = [point for point in before if point not in owned]
        return {point: before.get(point) for point in dict.fromkeys([*wanted, *lost]) if point not in owned}

    def queue_missing(self) -> bool:
        """Let the next points wait for a worker: new ones, and those that were tried in vain.

        Returns whether there are any.  All workers call it when none waits; one of them does it.
        """
        if not self.missing(self.trials()):
            return False
        claim = os.urandom(8).hex()
        self._study.set_user_attr(CLAIM, claim)
        time.sleep(CLAIM_TIME)
        if self.attributes.get(CLAIM) != claim:
            # Another worker is at it.  Workers that claim again at once take it from each other for ever.
            time.sleep(CLAIM_TIME * random.uniform(2, 6))  # noqa: S311  no secret
            return True
        for point, lost in list(self.missing(self.trials()).items())[:BATCH]:
            if self._grid is not None:
                drawn = self.search.drawn(self._grid[int(point)])
            else:
                drawn = dict(lost.params) if lost is not None else {}
            self._study.enqueue_trial(drawn, user_attrs={POINT: point})
        return True

    def ask(self, worker: Mapping[str, Any]) -> tuple[Trial, Values] | None:
        """The next trial for this worker, and its values; None where there is nothing to do now."""
        while True:
            trials = self.trials()
            endless = self.count is None
            if not any(trial.state == TrialState.WAITING for trial in trials):
                if self.queue_missing():
                    continue
                if not endless:
                    return None
            trial = self._study.ask(self.search.distributions)
            point = trial.user_attrs.get(POINT)
            owner = counted(self.trials()).get(str(point))
            if (point is None and not endless) or (owner is not None and owner.number != trial.number):
                self.lose(trial.number, NOT_NEEDED)  # others were faster
                continue
            values = self.search.values(trial.params)
            trial.set_user_attr(WORKER, dict(worker))
            trial.set_user_attr(VALUES, values)
            return trial, values

    def lose(self, number: int, why: str) -> None:
        """Take a trial out of the count: `why` is one of the three reasons."""
        storage, trial_id = self._storage, self._id(number)
        try:
            storage.set_trial_user_attr(trial_id, LOST, why)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except (UpdateFinishedTrialError, RuntimeError):
            pass  # another worker has said so

    def beat(self, number: int, beat: int, so_far: Result) -> bool:
        """Say that a trial is alive, and how far it is.  Returns whether it still is this worker's."""
        alive = {"beat": beat, "best": so_far.best, "last": so_far.last, "observed": so_far.observed}
        try:
            self._storage.set_trial_user_attr(self._id(number), ALIVE, alive)
        except (UpdateFinishedTrialError, RuntimeError):
            return False
        return LOST not in self._storage.get_trial(self._id(number)).user_attrs

    def report(self, number: int, count: int, value: float) -> None:
        """Note the value of a trial's metric that came as number `count`."""
        try:
            self._storage.set_trial_intermediate_value(self._id(number), count, value)
        except (UpdateFinishedTrialError, RuntimeError):
            pass

    def loses(self, number: int, best: float) -> bool:
        """Whether W&B's rule would end this trial now."""
        rule = self.definition.file.hyperband()
        if rule is None:
            return False
        trials = counted(self.trials()).values()
        mine = next((trial for trial in trials if trial.number == number), None)
        if mine is None:
            return False
        others = [trial.intermediate_values for trial in trials]
        return rule.loses(Progress(mine.intermediate_values, best), others)

    def finish(self, number: int, state: TrialState, result: Result) -> bool:
        """Say how a trial ended.  Returns whether it counts."""
        storage, trial_id = self._storage, self._id(number)
        value = [result.best if result.best is not None else 0.0] if state == TrialState.COMPLETE else None
        try:
            storage.set_trial_user_attr(trial_id, RESULT, result._asdict())
            if LOST in storage.get_trial(trial_id).user_attrs:
                return False
            storage.set_trial_state_values(trial_id, state, value)
        except (UpdateFinishedTrialError, RuntimeError):
            return False
        return True

    def importance(self) -> dict[str, float]:
        """How much each parameter matters for the result, as shares; empty where that can't be told."""
        varied = [p for p in self.definition.file.leaves() if p.kind != "constant"]
        ended = [
            optuna.trial.create_trial(params=t.params, distributions=t.distributions, value=best)
            for t in counted(self.trials()).values()
            if t.state in (TrialState.COMPLETE, TrialState.PRUNED)
            and (best := t.user_attrs.get(RESULT, {}).get("best")) is not None
        ]
        if len(ended) < FEWEST_FOR_IMPORTANCE or len(varied) < 2:
            return {}
        alike = optuna.create_study(direction=self._study.direction)  # those that ended early count, too
        alike.add_trials(ended)
        try:
            found = optuna.importance.get_param_importances(alike)
        except (ValueError, RuntimeError, ArithmeticError):
            return {}
        names = {self.search.name_of(p): p.name for p in varied}
        return {names.get(name, name): share for name, share in found.items()}

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
