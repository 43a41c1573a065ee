"""What the tests share: `capture` as a user calls it, and ways to wait for what it does."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil

from capture import runs

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
CAPTURE = [sys.executable, "-m", "capture"]


def capture(*arguments, **more):
    """`capture ARGUMENTS...`, ended; its output as text unless `text=False`."""
    settings = {"capture_output": True, "text": True, "timeout": 90, "check": False} | more
    return subprocess.run([*CAPTURE, *map(str, arguments)], **settings)


def eventually(condition, limit=40.0):
    """Wait until `condition()` gives something true, and give that."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit} s: {condition}"
        time.sleep(0.01)
    return found


def run_in_progress(base="capture-runs"):
    """The folder of the run that is being started."""
    return eventually(lambda: next(Path(base).glob("*/*/run.json"), None)).parent.absolute()


def only_run(base="capture-runs"):
    """The folder of the one run there is."""
    folders = [path.parent for path in Path(base).glob("*/*/run.json")]
    assert len(folders) == 1, folders
    return folders[0].absolute()


def where_it_stands(pid):
    """What a process does: "sleeping", "stopped", ...; "gone" if there is none."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return "gone"


def tracker_of(folder):
    """The process id of a run's tracker, as its status says, once it tracks."""
    try:
        return json.loads((folder / runs.STATUS).read_text())["pid"]
    except (OSError, ValueError):
        return None


def blocks(page, language):
    """The blocks of code of this language in a page of the documents."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)
