"""What is installed, found and reachable: the facts behind `capture doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from capture import settings
from capture.delivery import registry
from capture.facts.gpu import Gpus
from capture.redaction import Redactor
from capture.runs import ParserSource

PACKAGES = ("capture-metrics", "trackio", "wandb", "regex", "psutil", "nvidia-ml-py", "pydantic")
TIMEOUT = 3.0  # seconds to wait for a server


class Finding(NamedTuple):
    """One fact; `wrong` if something should be done about it."""

    topic: str
    text: str
    wrong: bool = False


def examine(folder: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """All facts about a run started in `folder`."""
    yield Finding("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
    yield Finding("system", f"capture runs in {sys.prefix}")
    yield from _packages()
    yield from _command_environment()
    yield from _configuration(folder, environ)
    gpus = Gpus()
    try:
        yield from _gpus(gpus)
    finally:
        gpus.close()


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding("packages", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("packages", f"{name} is not installed", True)


def _command_environment() -> Iterator[Finding]:
    """Tracking libraries and trainers need different versions, and some trainers change if one is there."""
    python = shutil.which("python") or shutil.which("python3")
    if python is None:
        yield Finding("command", "there is no python on PATH")
        return
    asked = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=False
    )
    prefix = asked.stdout.strip()
    if prefix and os.path.realpath(prefix) == os.path.realpath(sys.prefix):
        yield Finding(
            "command",
            f"{python} is capture's own environment: its packages may conflict with those of your "
            "training; install capture as a separate tool (pipx, uv tool)",
            True,
        )
    else:
        yield Finding("command", f"{python} has an environment of its own: {prefix}")


def _configuration(folder: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    problems = settings.Problems()
    layers = settings.layers_of(folder, environ, problems)
    chosen = settings.assemble(layers, {}, (), problems)
    for line in (*problems.notes, *problems.lines):
        yield Finding("configuration", line, True)
    redactor = Redactor(environ)
    files = [where for where, _ in layers[1:-1]]
    yield Finding("configuration", f"files: {', '.join(files) or 'none'}")
    for where, layer in layers[1:]:
        for key, value in layer.items():
            if value not in (None, [], {}):
                source = f"CAPTURE_{key.upper()}" if where == "variable" else where
                shown = _files(value) if key == "parsers" else redactor.value(key, value)
                yield Finding("configuration", f"{key} = {shown}  ({source})")
    yield from _backends(chosen, layers)
    yield _place(Path(chosen["dir"]))


def _files(parsers: list[ParserSource]) -> str:
    """Where the parsers are written."""
    return ", ".join(dict.fromkeys(parser.file for parser in parsers))


def _backends(chosen: settings.Settings, layers: settings.Layers) -> Iterator[Finding]:
    source = [where for where, layer in layers if layer.get("to")][-1]
    why = {"default": "the default", "variable": "CAPTURE_TO"}.get(source, source)
    yield Finding("backends", f"a run goes to {', '.join(chosen['to']) or 'none'} ({why})")
    for name in registry.names():
        try:
            found = registry.adapter_class(name)
        except Exception as error:
            yield Finding("backends", f"{name}: can't be used: {error}", name in chosen["to"])
            continue
        if missing := None if ":" in name else registry.missing_library(name):
            yield Finding("backends", f"{name}: {missing}", name in chosen["to"])
        elif hasattr(found, "diagnose"):
            text, address = found.diagnose()
            reached = "" if address is None else f"; {_reach(address)}"
            wrong = name in chosen["to"] and "not reachable" in reached
            yield Finding("backends", f"{name}: {text}{reached}", wrong)
        else:
            yield Finding("backends", f"{name}: ready")


def _reach(address: str) -> str:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), TIMEOUT):
            return f"{parts.hostname}:{port} is reachable"
    except OSError as error:
        return f"{parts.hostname}:{port} is not reachable: {error}"


def _place(base: Path) -> Finding:
    place = base.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 2**30
    if not os.access(place, os.W_OK | os.X_OK) or not place.is_dir():
        return Finding("runs", f"{base} can't be written: runs would not be recorded", True)
    return Finding("runs", f"{base}, {free:.1f} GiB free", free < 1)


def _gpus(gpus: Gpus) -> Iterator[Finding]:
    for index, name in enumerate(gpus.names):
        yield Finding("gpu", f"{index}: {name}, driver {gpus.driver}")
    if not gpus.names:
        yield Finding("gpu", "none that NVML knows")
    for note in gpus.notes:
        yield Finding("gpu", note, bool(gpus.driver))  # without a driver there may be no GPU at all
