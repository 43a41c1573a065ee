"""`capture parsers test --watch`: the samples again whenever a file has changed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from capture import settings
from capture.errors import UserError
from capture.settings import layers

INTERVAL = 0.2  # seconds between two looks


def repeat(files: Sequence[Path], test: Callable[[list[Path]], int]) -> int:
    """Test the files now and after each change until Ctrl-C; returns the last status.

    Without files: the parsers in effect, with the configuration that names them.
    """
    if not all(file.exists() for file in files):
        return test(list(files))  # which says so
    status = 0
    try:
        while True:
            watched = list(files) or _in_effect()
            seen = _stamps(watched)
            try:
                status = test(list(files))
            except UserError as error:  # while it is being written it may be wrong
                print(error)
                status = 2
            print("waiting for a change; Ctrl-C ends it", flush=True)
            while (now := _stamps(watched)) == seen or None in (now[file] for file in files):
                time.sleep(INTERVAL)
            changed = ", ".join(str(file) for file in watched if now[file] != seen[file])
            print(f"\n{changed} has changed, {time.strftime('%H:%M:%S')}")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return status


def _in_effect() -> list[Path]:
    """The files that say which parsers there are, and those of the parsers."""
    configuration = [Path(file) for file in layers.files(os.getcwd(), os.environ)]
    try:
        named = [Path(file) for file, _ in settings.load(os.getcwd(), os.environ, {})["parsers"]]
    except UserError:
        named = []
    return list(dict.fromkeys([Path.cwd() / "capture.yaml", *configuration, *named]))


def _stamps(files: Iterable[Path]) -> dict[Path, tuple[int, ...] | None]:
    """What changes when a file does; None while there is no file, as for a moment when an editor saves it."""
    found: dict[Path, tuple[int, ...] | None] = {}
    for file in files:
        try:
            status = file.stat()
            found[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            found[file] = None
    return found
