"""Where settings come from: which files and variables count, in which order.

On the way of every start: the standard library only.  A configuration file is checked once by `schema`, which
is slow to import; until it changes the result comes from the cache.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from capture import cache
from capture.errors import UserError, nearest
from capture.runs import ParserSource
from capture.settings import trust
from capture.settings.problems import Problems

Settings = dict[str, Any]
Layers = list[tuple[str, Settings]]

DEFAULTS: Settings = {
    "to": ["trackio"],
    "dir": "capture-runs",
    "tty": "auto",
    "unbuffer": None,
    "linger": 1.0,
    "wait": 30.0,
    "summary": "auto",
    "resume": "never",
    "join": "auto",
    "system": 10.0,
}
CHOICES = {
    "ranks": ("all", "0", "mean"),
    "tty": ("auto", "always", "never"),
    "summary": ("auto", "always", "never"),
    "resume": ("allow", "must", "never"),
}
LISTS, NUMBERS = ("to", "tags"), ("linger", "wait", "system")
VARIABLES = (
    *("project", "name", "tags", "notes", "group", "to", "dir", "id", "resume", "join"),
    *("tty", "linger", "wait", "summary", "system", "every", "ranks"),
)
# Those whose values are checked as in a file, which is slow; a backend's section is a mapping, too.
FILE_VARIABLES = (
    *("config", "parsers", "unbuffer", "collect", "redact", "rename", "drop", "scale"),
    *("alerts", "on_alert", "default_alerts", "artifacts", "tables", "images", "plots"),
)
KNOWN = (*VARIABLES, *FILE_VARIABLES, "lenient")
OWN = ("run_dir", "bin", "trust")  # what a run tells the programs in it, and which `capture` is meant


def layers_of(folder: str, environ: Mapping[str, str], problems: Problems) -> Layers:
    """What is set where for a command that is started in `folder`, as (where, settings); the later wins."""
    found = []
    for path in files(folder, environ):
        if reason := trust.distrust(path, environ):
            problems.notes.append(reason)
        else:
            found.append((path, _without_code(path, _checked(path, problems), environ, problems)))
    default = {**DEFAULTS, "dir": runs_folder(folder)}
    return [("default", default), *found, ("variable", from_variables(environ, problems))]


def runs_folder(folder: str) -> str:
    """The folder that holds all runs where no setting says so: the nearest one here or above, as with git.

    One above that belongs to somebody else, as in /tmp, is not taken.
    """
    name: str = DEFAULTS["dir"]
    place = here = os.path.abspath(folder)
    while True:
        try:
            found = os.stat(os.path.join(place, name))
            if place == here or found.st_uid == os.stat(here).st_uid:
                return name if place == here else os.path.join(place, name)
        except OSError:
            pass
        if place == (place := os.path.dirname(place)):
            return name


def files(folder: str, environ: Mapping[str, str]) -> list[str]:
    """The configuration files in effect; the later wins."""
    found = [path for path in [own_file(environ)] if os.path.isfile(path)]
    place = os.path.abspath(folder)
    while True:
        project = os.path.join(place, "pyproject.toml")
        for path in (project, os.path.join(place, "capture.yaml")):
            if os.path.isfile(path) and (path != project or _has_section(path)):
                return [*found, path]
        if place == (place := os.path.dirname(place)):
            return found


def own_file(environ: Mapping[str, str]) -> str:
    """The user's own configuration file."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "capture", "capture.yaml")


def _without_code(path: str, settings: Settings, environ: Mapping[str, str], problems: Problems) -> Settings:
    """The settings of a file, which can't have code imported from a path: a repository brings such files."""
    paths = [name for name in settings.get("to", []) if os.sep in name]
    if not paths or path == own_file(environ):
        return settings
    problems.add(
        f"{path}: to: {paths[0]}: a project's file can't name a path to import from; --to, CAPTURE_TO or "
        f"{own_file(environ)} can"
    )
    return {**settings, "to": [name for name in settings["to"] if name not in paths] or DEFAULTS["to"]}


def _has_section(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            text = file.read()
            return b"[tool.capture]" in text or b"[tool.capture." in text
    except OSError:
        return False


def _checked(path: str, problems: Problems) -> Settings:
    """The settings in a configuration file."""
    settings: Settings | None = cache.recall(path, "configuration")
    if settings is None:
        from capture.settings import schema  # slow

        own = Problems()
        settings = schema.check(path, own)
        problems.lines += own.lines
        if not own.lines:
            files = [parser.file for parser in settings.get("parsers", []) if parser.text is None]
            cache.remember(path, "configuration", settings, [path, *files])
    elif "parsers" in settings:
        settings["parsers"] = [ParserSource(*parser) for parser in settings["parsers"]]
    return settings


def from_variables(environ: Mapping[str, str], problems: Problems) -> Settings:
    """The settings in `CAPTURE_*` variables."""
    settings: Settings = {}
    for key in VARIABLES:
        with problems:
            settings |= _variable(key, environ)
    for name, text in environ.items():
        key = name[len("CAPTURE_") :].lower()
        if name.startswith("CAPTURE_") and key not in (*KNOWN, *OWN) and not text.startswith("{"):
            near = nearest(key, KNOWN, 0.7)
            if near is not None:  # else it is another program's
                problems.add(
                    f"{name}={text}: there is no such variable; did you mean CAPTURE_{near.upper()}?"
                )
    others = {name: text for name, text in environ.items() if text and _is_as_in_a_file(name, text)}
    if others:
        from capture.settings import schema  # slow

        settings |= schema.of_variables(others, problems)
    return settings


def _is_as_in_a_file(name: str, text: str) -> bool:
    if not name.startswith("CAPTURE_"):
        return False
    key = name[len("CAPTURE_") :].lower()
    return key in FILE_VARIABLES or (text.startswith("{") and key not in VARIABLES)


def _variable(key: str, environ: Mapping[str, str]) -> Settings:
    name = f"CAPTURE_{key.upper()}"
    if not (text := environ.get(name)):
        return {}
    if key in CHOICES and text not in CHOICES[key]:
        raise UserError(f"{name}={text}: should be one of {', '.join(CHOICES[key])}")
    if key in LISTS:
        return {key: [part.strip() for part in text.split(",")]}
    try:
        return {key: float(text) if key in NUMBERS else text}
    except ValueError:
        raise UserError(f"{name}={text}: should be a number of seconds") from None
