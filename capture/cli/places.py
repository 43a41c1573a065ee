"""Where runs are, for the commands that look at them."""

from __future__ import annotations

import os
from pathlib import Path

from capture import settings


def base_of(folder: str | None) -> Path:
    """The folder that holds all runs; `folder` is what `--dir` says.  Raises UserError for wrong settings."""
    return Path(settings.load(os.getcwd(), os.environ, {"dir": folder})["dir"])
