"""Programs that use the Python door, and what they leave: shared by its tests."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from capture import runs

HEAD = "import os, subprocess, sys, threading, time\nimport capture\n"


def script(code, *, head=HEAD, name="train.py"):
    Path(name).write_text(head + textwrap.dedent(code))
    return name


def execute(code, *, environ=None, status=0, **more):
    """A program with this code, ended; its outputs through pipes, as bytes."""
    done = subprocess.run(
        [sys.executable, script(code)],
        capture_output=True,
        check=False,
        env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100", **(environ or {})},
        **{"timeout": 110, **more},
    )
    assert done.returncode == status, done.stderr.decode()
    return done


def rows(folder):
    return [json.loads(line) for line in (folder / runs.RECORDS).read_text().splitlines()]


def metrics(folder):
    return [(row["step"], row["metrics"]) for row in rows(folder)]


def all_runs():
    found = [path.parent for path in Path("capture-runs").glob("*/*/run.json")]
    return sorted(found, key=lambda folder: runs.read(folder).start)


def console(folder):
    return (folder / runs.CONSOLE_LOG).read_bytes()
