"""The settings of a run: files, variables and options put together, the later wins.

On the way of every start: the standard library only.  A configuration file is checked by
`capture.config`, which is slow to import, once; until it changes the result comes from a cache.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from capture import __version__
from capture.errors import UserError
from capture.settings.problems import Problems

Settings = dict[str, Any]
Layers = list[tuple[str, Settings]]
Stamp = list[Any]

DEFAULTS: Settings = {
    "to": ["trackio"],
    "dir": "capture-runs",
    "tty": "auto",
    "unbuffer": None,
    "linger": 1.0,
    "wait": 30.0,
    "summary": "auto",
    "resume": "never",
    "system": 10.0,
}
CHOICES = {
    "tty": ("auto", "always", "never"),
    "summary": ("auto", "always", "never"),
    "resume": ("allow", "must", "never"),
}
LISTS, NUMBERS = ("to", "tags"), ("linger", "wait", "system")
VARIABLES = (
    *("project", "name", "tags", "notes", "group", "to", "dir", "id", "resume"),
    *("tty", "linger", "wait", "summary", "system", "every"),
)
# Those whose values are checked as in a file, which is slow; a backend's section is a mapping, too.
FILE_VARIABLES = ("config", "parsers", "unbuffer", "collect", "redact", "rename", "drop", "scale")


def files(folder: str, environ: Mapping[str, str]) -> list[str]:
    """The configuration files in effect, the one that wins last."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    found = [path for path in [os.path.join(home, "capture", "capture.yaml")] if os.path.isfile(path)]
    place = os.path.abspath(folder)
    while True:
        project = os.path.join(place, "pyproject.toml")
        for path in (project, os.path.join(place, "capture.yaml")):
            if os.path.isfile(path) and (path != project or _has_section(path)):
                return [*found, path]
        if place == (place := os.path.dirname(place)):
            return found


def load(folder: str, environ: Mapping[str, str], options: Mapping[str, Any]) -> Settings:
    """The settings for a command that is started in `folder`, as `assemble` puts them together.

    Raises UserError, with one line for each mistake.
    """
    problems = Problems()
    settings = assemble(layers(folder, environ, problems), options, (), problems)
    problems.raise_any()
    return settings


def assemble(
    layers: Layers, options: Mapping[str, Any], parsers: Iterable[str], problems: Problems
) -> Settings:
    """The settings put together, without the parts that are wrong.

    `options` are those given on the command line, None where one was not; `parsers` are parser files.
    """
    settings: Settings = {}
    for _, layer in (*layers, ("options", options)):
        settings.update({key: value for key, value in layer.items() if value is not None})
    settings.setdefault("unbuffer", None)
    if "every" in settings and not _is_every(settings["every"], problems):
        del settings["every"]
    settings["parsers"] = [*_parsers(parsers, problems), *settings.get("parsers", [])]
    settings["to"] = _backends(settings["to"], problems)
    return settings


def layers(folder: str, environ: Mapping[str, str], problems: Problems) -> Layers:
    """What is set where, the one that wins last: (where, settings)."""
    found = [(path, _checked(path, problems)) for path in files(folder, environ)]
    return [("default", dict(DEFAULTS)), *found, ("variable", from_variables(environ, problems))]


def from_variables(environ: Mapping[str, str], problems: Problems) -> Settings:
    """The settings in `CAPTURE_*` variables."""
    settings: Settings = {}
    for key in VARIABLES:
        with problems:
            settings |= _variable(key, environ)
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


def _is_every(text: str, problems: Problems) -> bool:
    from capture.parsing.downsampling import downsampler  # not on the way of every start

    try:
        downsampler(text)
    except ValueError as error:
        problems.add(f"every: {error}")
        return False
    return True


def _backends(wanted: list[str], problems: Problems) -> list[str]:
    """Those of the backends that are installed.

    Looking through the installed packages is slow, so names that were found before are remembered.
    """
    cache = _cache_file(os.path.join(sys.prefix, "backends"))
    try:
        with open(cache, encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        known = DEFAULTS["to"]
    if set(wanted) <= set(known):
        return wanted
    from capture.delivery import registry  # slow: only where there is something to look for

    found = []
    for name in wanted:
        with problems:
            registry.check([name])
            found.append(name)
    _write(cache, registry.names())
    return found


def _has_section(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            text = file.read()
            return b"[tool.capture]" in text or b"[tool.capture." in text
    except OSError:
        return False


def _checked(path: str, problems: Problems) -> Settings:
    def check(schema: Any, pathlib: Any, problems: Problems) -> Settings:
        settings: Settings = schema.check(pathlib.Path(path), problems)
        return settings

    return _cached(path, "", check, problems)


def _parsers(paths: Iterable[str], problems: Problems) -> list[Any]:
    """The parsers in these files."""

    def read(schema: Any, pathlib: Any, problems: Problems) -> Settings:
        return {"": schema.read_parser(pathlib.Path(path))}

    found = []
    for path in paths:
        with problems:
            found.append(_cached(path, "parser", read, problems)[""])
    return found


def _cached(path: str, kind: str, read: Any, problems: Problems) -> Settings:
    """What `read` makes of a file of this kind, from the cache where the file has not changed since."""
    cache, key = _cache_file(path + kind), [os.path.abspath(path), kind]  # names of caches may coincide
    try:
        with open(cache, encoding="utf-8") as file:
            entry = json.load(file)
        if [entry["version"], entry["key"]] == [__version__, key] and all(
            _stamp(name) == stamp for name, stamp in entry["stamps"]
        ):
            settings: Settings = entry["settings"]
            return settings
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there, torn, or of another version: it is made anew
    import pathlib  # slow, and not needed when the cache is right

    from capture.settings import schema

    own = Problems()
    settings = read(schema, pathlib, own)
    stamps = [[name, _stamp(name)] for name in (path, *settings.pop("parser_files", []))]
    if own.lines:
        problems.lines += own.lines
    else:
        _write(cache, {"version": __version__, "key": key, "stamps": stamps, "settings": settings})
    return settings


def _write(cache: str, item: Any) -> None:
    try:
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        draft = f"{cache}.{os.getpid()}"
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(item, file)
        os.replace(draft, cache)
    except (OSError, TypeError):
        pass  # no cache then: slower, not wrong


def _cache_file(path: str) -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    name = "".join(c if c.isalnum() else "-" for c in os.path.abspath(path))[-180:]
    return os.path.join(base, "capture", f"{name}-py{sys.version_info[0]}{sys.version_info[1]}.json")


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size, status.st_ino]
