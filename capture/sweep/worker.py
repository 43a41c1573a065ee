"""The loop of a worker: starts trials, looks at them, and at what has become of others'."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

from capture.errors import UserError
from capture.metrics import better
from capture.page import results
from capture.runs import status
from capture.sweep import machine, storage
from capture.sweep import study as agreed
from capture.sweep.study import NOW, Result, Study
from capture.sweep.trial import Places, RunningTrial

TICK = 0.1  # seconds between two looks
LOOK = 1.0  # seconds between two looks at what others do
HEARTBEATS = 6  # of a trial, in the time after which it is taken for dead
GRACE_AT_END = 10.0  # seconds for trials to end with their worker
PATIENCE = 120.0  # seconds without the storage
FIRST_FAILURES = 3  # trials that fail before any succeeded: it is the command


class Event(NamedTuple):
    """What has happened to a trial of this worker."""

    kind: str  # "started", "finished", "ended early", "failed", "stopped", "lost"
    number: int
    values: dict[str, Any]
    result: Result
    seconds: float
    run_id: str


class Limits(NamedTuple):
    """How much a worker does at once, where, and after how long a silent one is taken for dead."""

    workers: int = 1
    gpus: Sequence[str] = ()
    dead_after: float = 60.0  # seconds


class Worker:
    """Runs trials until there is nothing left to do."""

    def __init__(self, study: Study, places: Places, limits: Limits, tell: Callable[[Event], None]) -> None:
        self._study, self._places, self._limits, self._tell = study, places, limits, tell
        self._running: list[RunningTrial] = []
        self._interrupts = 0
        self._terminated: int | None = None
        self._no_more = False
        self._next_look = 0.0
        self._seen: dict[int, tuple[Any, float]] = {}  # the last sign of life of others' trials, and when
        self._identity = {**machine.identity(), "dir": places.base}
        self._may_ask = True
        self._unreachable: float | None = None  # since when
        self._failures = self._successes = 0
        self.problem = ""  # why it stopped before the end
        self.waits = False  # for other workers

    def run(self, draw: Callable[[], None]) -> int | None:
        """Work until the end.  Returns the signal that ended it before, if one did.

        draw: is called often, to show the progress
        """
        reader, writer = machine.pipe()
        before = {
            number: signal.signal(number, self._signalled)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
            if signal.getsignal(number) != signal.SIG_IGN or number == signal.SIGCHLD
        }
        wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            while self._survive(draw):
                if select.select([reader], [], [], TICK)[0]:
                    os.read(reader, 1024)
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)
            self._give_back()
        return self._terminated

    @property
    def interrupted(self) -> int:
        """How often Ctrl-C was pressed."""
        return self._interrupts

    def live(self) -> dict[int, Result]:
        """What the trials that run here have come to."""
        return {trial.number: self._result(trial) for trial in self._running}

    @property
    def _why_stopped(self) -> str:
        return f"sweep {self._study.name} was stopped"

    @property
    def running(self) -> Sequence[RunningTrial]:
        """The trials that run here now."""
        return self._running

    def _signalled(self, number: int, frame: Any) -> None:
        if number == signal.SIGINT:
            self._interrupts += 1
        elif number != signal.SIGCHLD:
            self._terminated = number

    def _survive(self, draw: Callable[[], None]) -> bool:
        """One round, and what it came to; trials run on where the storage can't be reached for a while."""
        try:
            more = self._step()
            draw()
            self._unreachable = None
            return more
        except storage.errors() as error:
            now = time.monotonic()
            self._unreachable = self._unreachable or now
            if now - self._unreachable > PATIENCE:
                self.problem = f"the storage can't be reached: {storage.reason(error)}"
                return False
            return not (self._terminated or self._interrupts > 1)

    def _step(self) -> bool:
        """One round.  Returns whether there is more to do."""
        if self._terminated or self._interrupts > 1:
            return False
        now = time.monotonic()
        looked = now >= self._next_look
        if looked:
            self._may_ask = True
            self._next_look = now + LOOK
            self._look_at_others(now)
            if self._study.stopped == NOW:
                return False
            self._no_more = bool(self._study.stopped or self.problem)
        for trial in list(self._running):
            self._look_at(trial, now, looked)
        if self._may_ask:
            self._start_trials()
        return bool(self._running) or self.waits

    def _start_trials(self) -> None:
        """Start what can be started, one for each free place."""
        self.waits = False
        while len(self._running) < self._limits.workers:
            if self._no_more or self._interrupts or self.problem:
                return
            asked = self._study.ask(self._identity)
            if asked is None:
                self._may_ask = False
                # Those of others may come back.
                self.waits = any(t.state == TrialState.RUNNING for t in self._study.trials())
                return
            trial, values = asked
            try:
                running = RunningTrial(
                    trial.number, values, self._study.definition, self._places, self._free_gpu()
                )
            except UserError as error:
                self._study.lose(trial.number, agreed.GIVEN_BACK)
                self.problem = str(error)
                return
            self._running.append(running)
            self._tell(self._event("started", running, Result(None, None, 0)))

    def _free_gpu(self) -> str | None:
        if not self._limits.gpus:
            return None
        used = Counter(trial.gpu for trial in self._running)
        return min(self._limits.gpus, key=lambda gpu: used[gpu])

    def _look_at(self, trial: RunningTrial, now: float, judged: bool) -> None:
        """Read what a trial says, report it, end it if it loses, and finish it if it has ended.

        judged: whether it is judged even if it has said nothing new: others may have got on
        """
        exit_status = trial.status  # before its records are read: then those are all
        rule = self._study.definition.file.hyperband()
        for count, value in trial.observations.read():
            if rule is not None and count in rule.bands:
                self._study.report(trial.number, count, value)
                judged = True
        if exit_status is not None:
            self._finish(trial, exit_status)
            self._running.remove(trial)
            self._may_ask = True
            return
        if trial.stopping:
            trial.stop("")
        if now >= trial.next_beat:
            trial.beat, trial.next_beat = trial.beat + 1, now + self._limits.dead_after / HEARTBEATS
            if not self._study.beat(trial.number, trial.beat, self._result(trial)):
                trial.stop(self._why_stopped)  # others have taken it for dead
        best = trial.observations.best
        judged = judged and rule is not None and best is not None and not trial.stopping
        if judged and self._study.loses(trial.number, best or 0.0):
            trial.end_early(f"sweep {self._study.name}: it loses")
        self._check_target(best)

    def _check_target(self, best: float | None) -> None:
        metric = self._study.definition.file.metric
        if metric is None or metric.target is None or best is None or self._no_more:
            return
        if best >= metric.target if metric.maximize else best <= metric.target:
            self._study.stop(agreed.NO_MORE)
            self._no_more = True

    def _finish(self, trial: RunningTrial, exit_status: int) -> None:
        """Say how a trial ended."""
        result = self._result(trial)._replace(status=exit_status)
        if self._study.definition.file.metric is None:
            result = self._guessed(trial, result)
        self._check_target(result.best)
        wants = self._study.definition.file.metric
        if trial.ended_early and trial.was_stopped:
            kind, state = "ended early", TrialState.PRUNED
        elif exit_status == 0 and (wants is None or result.best is not None):
            kind, state = "finished", TrialState.COMPLETE
        else:
            kind, state = "failed", TrialState.FAIL
            result = result._replace(reason=self._why(trial, exit_status))
        if not self._study.finish(trial.number, state, result):
            kind = "lost"
        self._successes += kind in ("finished", "ended early")
        self._failures += kind == "failed"
        if self._failures == FIRST_FAILURES and not self._successes:
            self.problem = f"the first {FIRST_FAILURES} trials failed, the last one so: {result.reason}"
        self._tell(self._event(kind, trial, result))

    def _why(self, trial: RunningTrial, exit_status: int) -> str:
        metric = self._study.definition.file.metric
        if exit_status == 0 and metric is not None:
            names = [name for name in trial.observations.others if name not in ("epoch", "step")]
            printed = f"it printed {', '.join(names[:8])}" if names else "no parser read a metric"
            return f"no value of {metric.name}; {printed}"
        words = trial.last_words()
        return f"exit status {exit_status}{f': {words}' if words else ''}"[:300]

    def _guessed(self, trial: RunningTrial, result: Result) -> Result:
        """The result by the run's main metric, where the sweep names none."""
        one = status.of(trial.folder)
        if one is None:
            return result
        found = results.of(one)
        name = self._study.guess()
        if name is None:
            name = next((name for name in results.main_metrics([found]) if better(name)), None)
            if name is None:
                return result
            self._study.guess(name)
        metric = found.metrics.get(name)
        return (
            result
            if metric is None
            else result._replace(best=metric.best, last=metric.last, observed=metric.values)
        )

    def _look_at_others(self, now: float) -> None:
        """Take those trials for lost whose worker has died, so that their points are tried again."""
        mine = {trial.number for trial in self._running}
        lost = []
        for trial in self._study.trials():
            if trial.state == TrialState.RUNNING and trial.number not in mine and self._is_dead(trial, now):
                self._study.lose(trial.number, agreed.DIED)
                worker = trial.user_attrs.get(agreed.WORKER) or {}
                lost.append((self._places.run_id(trial.number), worker.get("dir", "")))
        machine.end_runs(lost)

    def _is_dead(self, trial: FrozenTrial, now: float) -> bool:
        """Whether a trial's worker is gone: its process, or for one elsewhere, its sign of life."""
        worker = trial.user_attrs.get(agreed.WORKER) or {}
        if worker.get("machine") == self._identity["machine"]:
            return not machine.has(worker)
        sign = trial.user_attrs.get(agreed.ALIVE)
        before = self._seen.get(trial.number)
        if before is None or before[0] != sign:
            self._seen[trial.number] = (sign, now)
            return False
        return now - before[1] > self._limits.dead_after

    def _give_back(self) -> None:
        """Stop what still runs; its points are tried again when the sweep goes on."""
        for trial in self._running:
            trial.stop(self._why_stopped)
        for trial in self._running:
            trial.wait(GRACE_AT_END)
            trial.observations.read()
            try:
                self._study.lose(trial.number, agreed.GIVEN_BACK)
            except storage.errors():
                pass  # others find that its worker is gone
            self._tell(self._event("stopped", trial, self._result(trial)))
        self._running.clear()

    @staticmethod
    def _result(trial: RunningTrial) -> Result:
        seen = trial.observations
        return Result(seen.best, seen.last, seen.series.count)

    @staticmethod
    def _event(kind: str, trial: RunningTrial, result: Result) -> Event:
        seconds = time.monotonic() - trial.started
        return Event(kind, trial.number, trial.values, result, seconds, trial.run_id)
