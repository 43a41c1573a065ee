"""What the tests share: `capture` as a user calls it, and ways to wait for what it does."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from capture import runs
from capture.language import library
from capture.language.checked_yaml import Source
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
RECORDING = FIXTURES / "keras3_v1" / "pty.raw"
CAPTURE = [sys.executable, "-m", "capture"]

# A parser of a user's own.
MYSOLVER = """\
name: mine
patterns:
  - line: "it {step:int}: obj {objective}"
samples:
  - {text: "it 1: obj 0.5", gives: {step: 1, metrics: {objective: 0.5}}}
"""


def capture(*arguments, **more):
    """`capture ARGUMENTS...`, ended; its output as text unless `text=False`."""
    settings = {"capture_output": True, "text": True, "timeout": 200, "check": False} | more
    return subprocess.run([*CAPTURE, *map(str, arguments)], **settings)


def needs(*programs):
    """Marks a test that drives other programs: it is skipped where one is not installed."""
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def eventually(condition, limit=100.0):
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


_ENGINES = {}


def engine_of(parsers=None, plans=True, **more):
    """A new engine of these parsers, or of all that are built in; to make one from nothing takes a tenth of a second."""
    parsers = parsers or [parser for parser, _ in library.built_in()]
    key = (plans, *map(id, parsers))
    if key not in _ENGINES:
        _ENGINES[key] = Engine(parsers, plans=plans)
    return _ENGINES[key].anew(**more)


def parse(text, own="", naming=None):
    """The records of a text that arrives at once, and the engine that made them."""
    if own:
        own = [library.load(Source(own, "own.yaml"), samples=False)]
        engine = Engine([parser for parser, _ in library.built_in()], own, naming)
    else:
        engine = engine_of(naming=naming)
    pipeline = Pipeline(engine)
    records = pipeline.feed(text.encode() if isinstance(text, str) else text, 0) + pipeline.finish()
    return records, engine


def short(text, **more):
    """Step, epoch and metrics of each of these records."""
    return [(record.step, record.epoch, dict(record.metrics)) for record in parse(text, **more)[0]]
