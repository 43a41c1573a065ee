"""How a package gets beside `capture`: the command to paste, for pip, pipx or uv."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DISTRIBUTION = "capture-metrics"


def is_there(module: str) -> bool:
    """Whether a module is installed beside `capture`; it is not imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def of_extra(package: str, extra: str) -> list[str]:
    """What an extra of a package requires; empty if there is no such extra."""
    from importlib.metadata import PackageNotFoundError, requires  # slow

    wanted = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    try:
        lines = [line.partition(";") for line in requires(package) or []]
    except (PackageNotFoundError, ValueError):
        return []
    return [requirement.strip() for requirement, _, marker in lines if wanted.search(marker)]


def command(requirements: Sequence[str], prefix: str | None = None) -> str:
    """The command that installs these requirements into the environment at `prefix`, by default our own."""
    home = Path(prefix or sys.prefix)
    if (home / "pipx_metadata.json").exists():
        return shlex.join(["pipx", "inject", home.name, *requirements])
    if (home / "uv-receipt.toml").exists():
        added = [word for requirement in requirements for word in ("--with", requirement)]
        return shlex.join(["uv", "tool", "install", *added, *_uv_source(home / "uv-receipt.toml")])
    python = str(home / "bin" / "python") if prefix else sys.executable
    if is_there("pip"):
        return shlex.join([python, "-m", "pip", "install", *requirements])
    return shlex.join(["uv", "pip", "install", "--python", python, *requirements])


def _uv_source(receipt: Path) -> list[str]:
    """What `uv tool install` was given for `capture`, and what had been added to it.

    It installs the tool anew, and forgets what it is not told again.
    """
    source, others = [DISTRIBUTION], list[str]()
    for item in _requirements(receipt):
        name = str(item.get("name", ""))
        place = item.get("directory") or item.get("editable") or item.get("path") or item.get("url")
        if git := item.get("git"):
            place = f"git+{git}"
        spelt = str(place or name + _extras(item) + str(item.get("specifier", "")))
        if re.sub(r"[-_.]+", "-", name).lower() == DISTRIBUTION:
            source = ["--editable", spelt] if item.get("editable") else [spelt]
        elif name:
            others += ["--with", spelt]
    return [*others, *source]


def _extras(item: dict[str, Any]) -> str:
    return f"[{','.join(item['extras'])}]" if item.get("extras") else ""


def _requirements(receipt: Path) -> list[dict[str, Any]]:
    if sys.version_info >= (3, 11):
        import tomllib  # not there before 3.11
    else:
        import tomli as tomllib
    try:
        found = tomllib.loads(receipt.read_text(encoding="utf-8"))["tool"]["requirements"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [item for item in found if isinstance(item, dict)]
