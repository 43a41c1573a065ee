"""The configuration file: its keys and how they are checked.

Slow to import, so it is imported only to check a file that has changed.
`capture.yaml`, `[tool.capture]` in pyproject.toml and the user's own file all have these keys.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from capture.delivery import install, registry
from capture.errors import UserError, did_you_mean, shortest
from capture.language import checked_yaml, library, model
from capture.language.checked import Checked
from capture.language.checked_yaml import Source
from capture.parsing.downsampling import downsampler
from capture.runs import ParserSource
from capture.settings.files_schema import Artifact, Image, Plot, Several, Table
from capture.settings.problems import Problems
from capture.watch import rule_language

_SPLIT = BeforeValidator(lambda v: [part.strip() for part in v.split(",")] if isinstance(v, str) else v)
Split = Annotated[list[str], _SPLIT]
Part = Literal["command", "files", "git", "packages", "environment", "hardware"]


def _regex(value: Any) -> str:
    try:
        regex.compile(value)  # it has a time limit where it is used
    except (regex.error, TypeError) as error:
        raise ValueError(f"should be a regular expression: {error}") from None
    return str(value)


def _every(value: Any) -> str:
    downsampler(str(value))
    return str(value)


def _rule(value: Any) -> str:
    rule_language.parse(str(value))
    return str(value)


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://", "$")):
        raise ValueError("should be an address with http:// or https://, or a $VARIABLE that holds one")
    return value


def _by_apprise(value: Any) -> Any:
    if not install.is_there("apprise"):
        how = install.command(["apprise"])
        raise ValueError(f"wants Apprise, which is not installed beside capture; install it with: {how}")
    return [value] if isinstance(value, str) else value


_AS_LIST = BeforeValidator(lambda v: [v] if isinstance(v, str) else v)


class Told(Checked):
    """Who is told of an alert."""

    run: str | None = Field(None, description="a command for the shell; CAPTURE_ALERT_* tell it why")
    webhook: Annotated[list[Annotated[str, AfterValidator(_address)]], _AS_LIST] = Field(
        [],
        description="addresses that get JSON, as Slack, Discord or others want it, or $VARIABLES",
    )
    notify: Annotated[list[str], BeforeValidator(_by_apprise)] = Field(
        [], description="addresses as Apprise has them, for mail, desktop, Teams, ..., or $VARIABLES"
    )


class Alert(Told):
    """A rule, and what happens when it becomes true."""

    when: Annotated[str, BeforeValidator(_rule)]
    level: Literal["info", "warn", "error"] = "warn"
    stop: bool = Field(False, description="stop the command")
    grace: Annotated[float, BeforeValidator(rule_language.duration)] = Field(
        30.0, description="the time from SIGTERM to SIGKILL"
    )
    every: Annotated[float, BeforeValidator(rule_language.duration)] = Field(
        600.0, description="the least time between two alerts"
    )


_AS_RULE = BeforeValidator(lambda v: {"when": v} if isinstance(v, str) else v)

Regex = Annotated[str, BeforeValidator(_regex)]


class Config(model.Naming, Checked):
    """The keys of a configuration file."""

    project: str | None = None
    name: str | None = None
    tags: Split = []
    notes: str | None = None
    group: str | None = None
    to: Split = Field([], description="adapters, such as trackio or wandb,jsonl")
    dir: str | None = Field(None, description="the folder that holds all runs")
    config: dict[str, Any] = Field({}, description="hyperparameters to show with the run")
    parsers: Annotated[list[str | dict[str, Any]], _SPLIT] = Field(
        [], description="parser files, or parsers written here"
    )
    tty: Literal["auto", "always", "never"] | None = None
    unbuffer: bool | None = None
    linger: float | None = Field(
        None, ge=0, description="seconds to wait for output of processes that the command leaves running"
    )
    wait: float | None = Field(None, ge=0, description="seconds to wait for the backends at the end")
    summary: Literal["auto", "always", "never"] | None = None
    system: float | None = Field(None, ge=0, description="seconds between samples of the load; 0: no samples")
    collect: Annotated[list[Part], _SPLIT] = Field(
        [], description="what capture finds out by itself (default: all of these)"
    )
    ranks: Annotated[Literal["all", "0", "mean"], BeforeValidator(str)] | None = Field(
        None, description="which ranks are charted: all, the first one (0), or their mean, least and highest"
    )
    every: Annotated[str, BeforeValidator(_every)] | None = Field(
        None, description="keep fewer records of progress bars: one every 10s, or every 50 steps"
    )
    alerts: list[Annotated[Alert, _AS_RULE]] = Field(
        [], description="rules, such as `loss is nan`, and what happens when one becomes true"
    )
    on_alert: Told | None = Field(None, description="who is told of every alert")
    default_alerts: bool | None = Field(None, description="false: only the rules of `alerts:`")
    redact: list[Regex] = Field([], description="regular expressions for other secrets")
    artifacts: Annotated[list[Artifact], Several] = Field([], description="files and folders to keep")
    tables: Annotated[list[Table], Several] = Field(
        [], description="CSV, TSV and JSON files to show as tables"
    )
    images: Annotated[list[Image], Several] = Field([], description="images to show")
    plots: list[Plot] = Field([], description="what to draw of tables")


def check(path: str, problems: Problems) -> dict[str, Any]:
    """What a configuration file says, as plain data, without the keys and parsers that are wrong."""
    file = Path(path)
    with problems:
        source = _toml(file) if file.name == "pyproject.toml" else checked_yaml.read(file)
        if source.data is not None:
            return _settings(source, str(file), file.parent, problems)
    return {}


def of_variables(variables: Mapping[str, str], problems: Problems) -> dict[str, Any]:
    """What these variables say, each with the value that its key has in a file, as YAML.

    Variables that are not capture's are left alone.
    """
    settings: dict[str, Any] = {}
    for variable, text in variables.items():
        key = variable.removeprefix("CAPTURE_").lower()
        if key in Config.model_fields or key in registry.names():
            with problems:
                data = Source(f"{key}: {text}", variable).data
                source = Source.of_data(data, f"{variable}={text}")
                found = _settings(source, variable, Path.cwd(), problems)
                settings |= {name: value for name, value in found.items() if name == key}
    return settings


def check_parser(path: Path) -> ParserSource:
    """Checks a parser file.  Raises UserError."""
    source = checked_yaml.read(path)
    library.load(source)
    # A pipe can't be read again: `--parser <(make-parser)`.
    return ParserSource(str(path), None if path.is_file() else source.text(()))


def _settings(source: Source, where: str, folder: Path, problems: Problems) -> dict[str, Any]:
    """The settings in a source, which is the file or variable `where`; its paths are relative to `folder`.

    Raises UserError where it is not a mapping.
    """
    of_adapters = _of_adapters(source, problems)
    _take_out_unknown(source, problems)
    config, lines = source.check_keys(Config)
    problems.lines += lines
    settings = config.model_dump(mode="json", exclude_unset=True)  # YAML knows dates, run.json doesn't
    settings |= of_adapters
    if "to" in settings and not (to := _backends(source, config, problems)):
        del settings["to"]
    elif "to" in settings:
        settings["to"] = to
    if "parsers" in settings:
        settings["parsers"] = _parsers(source, config, where, folder, problems)
    if "dir" in settings:
        settings["dir"] = str(folder / Path(settings["dir"]).expanduser())
    return settings


def _take_out_unknown(source: Source, problems: Problems) -> None:
    """Removes the keys that neither the configuration nor a backend has."""
    if isinstance(source.data, dict):
        known = [*Config.model_fields, *(name for name in registry.names() if ":" not in name)]
        for key in [key for key in source.data if key not in known]:
            problems.add(source.error((key,), checked_yaml.unknown(str(key), known)))
            del source.data[key]


def _backends(source: Source, config: Config, problems: Problems) -> list[str]:
    """The backends of `to:` that there are."""
    found = []
    for index, name in enumerate(config.to):
        with problems:
            try:
                registry.check([name])
            except UserError as error:
                raise source.error(("to", index), f"to: {error}") from None
            found.append(name)
    return found


def _parsers(
    source: Source, config: Config, where: str, folder: Path, problems: Problems
) -> list[ParserSource]:
    found = []
    for index, item in enumerate(config.parsers):
        with problems:
            if isinstance(item, str):
                found.append(_file(source, index, item, folder))
            else:
                library.load(source, ("parsers", index), samples=False)
                found.append(ParserSource(where, source.text(("parsers", index))))
    return found


def _file(source: Source, index: int, item: str, folder: Path) -> ParserSource:
    """The parser in the file that an item of `parsers:` names."""
    path = folder / item
    if not path.exists():
        there = [str(file.relative_to(folder)) for file in path.parent.glob("*.y*ml")]
        hint = did_you_mean(item, there, f"it should be {path}")
        raise source.error(("parsers", index), f"parsers: there is no file {item!r}; {hint}")
    return check_parser(path)


def _of_adapters(source: Source, problems: Problems) -> dict[str, Any]:
    """Removes the sections named after an adapter from the source and returns them: its options."""
    found: dict[str, Any] = {}
    if not isinstance(source.data, dict):
        return found
    for name in set(registry.names()) & source.data.keys():
        options = source.data.pop(name)
        try:
            known = getattr(registry.adapter_class(name), "options", ())
        except ImportError:
            known = tuple(options or ())  # its library is not installed: reported when it is used
        with problems:
            if not isinstance(options, dict):
                raise source.error(
                    (name,), f"{name}: should hold options: {', '.join(known) or 'it has none'}"
                )
            for key in options:
                if key not in known:
                    raise source.error((name, key), checked_yaml.unknown(str(key), known))
            found[name] = options
    return found


def _toml(path: Path) -> Source:
    if sys.version_info >= (3, 11):
        import tomllib  # not there before 3.11
    else:
        import tomli as tomllib
    shown = shortest(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{shown}: {error.strerror}") from None
    except ValueError as error:
        reason, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        where = f"{shown}:{line[1] if line else len(text.splitlines())}"
        raise UserError(f"{where}: this is not TOML: {reason[0].lower()}{reason[1:]}") from None
    return Source.of_data(data.get("tool", {}).get("capture"), shown, partial(_line_in_toml, text))


def _line_in_toml(text: str, loc: checked_yaml.Loc) -> int:
    """The line of the part of `[tool.capture]` that `loc` leads to, as far as that can be seen."""
    table, paths = "", []
    for line in text.splitlines():
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            table = header[1].replace('"', "")
        key = re.match(r"\s*[\"']?([\w./-]+)[\"']?\s*=", line)
        paths.append(f"{table}.{key[1]}" if key else table)
    for steps in range(len(loc), -1, -1):
        wanted = ".".join(["tool.capture", *map(str, loc[:steps])])
        if wanted in paths:
            return paths.index(wanted) + 1
    return 1
