"""The configuration file: its keys and how they are checked.

Slow to import, so it is imported only to check a file that has changed.
`capture.yaml`, `[tool.capture]` in pyproject.toml and the user's own file all have these keys.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import regex
from pydantic import BeforeValidator, Field

from capture.delivery import registry
from capture.errors import UserError
from capture.language import checked_yaml, library, model
from capture.language.checked_yaml import Checked, Source
from capture.parsing.downsampling import downsampler
from capture.runs import ParserSource
from capture.settings.problems import Problems

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
    every: Annotated[str, BeforeValidator(_every)] | None = Field(
        None, description="keep fewer records of progress bars: one every 10s, or every 50 steps"
    )
    redact: list[Regex] = Field([], description="regular expressions for other secrets")


def check(path: str, problems: Problems) -> dict[str, Any]:
    """What a configuration file says, as plain data, without the keys and parsers that are wrong."""
    file = Path(path)
    with problems:
        source = _toml(file) if file.name == "pyproject.toml" else checked_yaml.read(file)
        if source.data is not None:
            return _settings(source, source.name, file.parent, problems)
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
    config, lines = source.check_keys(Config)
    problems.lines += lines
    settings = config.model_dump(mode="json", exclude_unset=True)  # YAML knows dates, run.json doesn't
    settings |= of_adapters
    if "parsers" in settings:
        settings["parsers"] = _parsers(source, config, where, folder, problems)
    if "dir" in settings:
        settings["dir"] = str(folder / Path(settings["dir"]).expanduser())
    return settings


def _parsers(
    source: Source, config: Config, where: str, folder: Path, problems: Problems
) -> list[ParserSource]:
    found = []
    for index, item in enumerate(config.parsers):
        with problems:
            if isinstance(item, str):
                found.append(check_parser(folder / item))
            else:
                library.load(source, ("parsers", index), samples=False)
                found.append(ParserSource(where, source.text(("parsers", index))))
    return found


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
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None
    section = data.get("tool", {}).get("capture")
    return Source.of_data(section, f"{path}: [tool.capture]")
