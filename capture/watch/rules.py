"""The rules of a run, as its settings hold them, and those that every run has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from capture.errors import UserError
from capture.watch.rule_language import parse
from capture.watch.watcher import PAUSE

DEFAULTS = ("*loss* is not finite", "silent for 30m and command idle for 20m")
GRACE = 30.0  # seconds between SIGTERM and SIGKILL


class AlertRule(NamedTuple):
    """A rule and what happens when it becomes true; `grace` and `every` are in seconds.

    `run` is a command; `webhook` and `notify` are lists of addresses.
    """

    when: str
    level: str = "warn"
    stop: bool = False
    grace: float = GRACE
    every: float = PAUSE
    run: str = ""
    webhook: Sequence[str] = ()
    notify: Sequence[str] = ()


def of_settings(settings: Mapping[str, Any]) -> list[AlertRule]:
    """The user's rules, and those that every run has unless `default_alerts` is false."""
    own = [AlertRule(**rule) for rule in settings.get("alerts", [])]
    known = {rule.when for rule in own}
    default = DEFAULTS if settings.get("default_alerts", True) else ()
    return [*own, *(AlertRule(when) for when in default if when not in known)]


def checked(when: str, stop: bool = False) -> dict[str, Any]:
    """A rule of the command line, as settings hold it.  Raises UserError."""
    parse(when)
    return {"when": when, "stop": stop}


def check_options(
    alerts: Sequence[str], stops: Sequence[str], add: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The rules of `--alert` and `--stop-if`; `add` is told of each that is wrong."""
    found = []
    given = [*(("--alert", rule, False) for rule in alerts), *(("--stop-if", rule, True) for rule in stops)]
    for option, rule, stop in given:
        try:
            found.append(checked(rule, stop))
        except UserError as error:
            add(f"{option}: {error}")
    return found
