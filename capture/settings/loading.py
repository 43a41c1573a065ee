"""The settings of a run: all layers, options and parsers put together.

On the way of every start: the standard library only, and nothing slow unless something has to be checked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from capture import cache
from capture.errors import UserError
from capture.runs import ParserSource
from capture.settings.layers import DEFAULTS, Layers, Settings, layers_of
from capture.settings.problems import Problems


def load(folder: str, environ: Mapping[str, str], options: Mapping[str, Any]) -> Settings:
    """The settings for a command that is started in `folder`, as `assemble` puts them together.

    Raises UserError, with one line for each mistake.
    """
    problems = Problems()
    settings = assemble(layers_of(folder, environ, problems), options, (), problems)
    problems.raise_any()
    for note in problems.notes:
        print(f"capture: {note}", file=sys.stderr)
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
    if "every" in settings and not _is_every(settings["every"], _source("every", layers, options), problems):
        del settings["every"]
    settings["parsers"] = [*_parsers(parsers, problems), *settings.get("parsers", [])]
    settings["to"] = _backends(settings["to"], _source("to", layers, options), problems)
    return settings


def _source(key: str, layers: Layers, options: Mapping[str, Any]) -> str:
    """Who has set this key: the option, the variable or the file, as messages name it."""
    if options.get(key) is not None:
        return f"--{key}"
    where = next((where for where, layer in reversed(layers) if layer.get(key) is not None), "")
    return f"CAPTURE_{key.upper()}" if where == "variable" else f"{where}: {key}"


def _is_every(text: str, source: str, problems: Problems) -> bool:
    from capture.parsing.downsampling import downsampler  # not on the way of every start

    try:
        downsampler(text)
    except ValueError as error:
        problems.add(f"{source}: {error}")
        return False
    return True


def _parsers(paths: Iterable[str], problems: Problems) -> list[ParserSource]:
    """The parsers in these files, each checked, or remembered as right."""
    found = []
    for path in paths:
        if cache.recall(path, "parser"):
            found.append(ParserSource(path))
            continue
        import pathlib  # slow

        from capture.settings import schema  # slow

        with problems:
            parser = schema.check_parser(pathlib.Path(path))
            found.append(parser)
            if parser.text is None:
                cache.remember(path, "parser", True, [path])
    return found


def _backends(wanted: list[str], source: str, problems: Problems) -> list[str]:
    """Those of the wanted backends that can be used.

    Looking through the installed packages is slow, so names that were found before are remembered until
    something is installed or removed.
    """
    known = cache.recall(sys.prefix, "backends") or DEFAULTS["to"]
    if set(wanted) <= set(known):
        return wanted
    from capture.delivery import registry  # slow: only where there is something to look for

    found = []
    for name in wanted:
        try:
            registry.check([name])
            found.append(registry.absolute(name))
        except UserError as error:
            problems.add(f"{source}: {error}")
    usable = {*found, *known} & set(registry.names())
    cache.remember(sys.prefix, "backends", sorted(usable), registry.places())
    return found
