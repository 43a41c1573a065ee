"""The Python door in notebooks: a real kernel, the cells' output as before, and runs that end."""

import asyncio
import json
from pathlib import Path

import pytest
from helpers import eventually, only_run, run_in_progress, tracker_of, where_it_stands
from programs import all_runs, console, rows

from capture import runs

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytestmark = [pytest.mark.notebook, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

BAR = "import sys, time\nfor i in range(1, 4):\n    sys.stdout.write(f'\\r{i}/3 - loss: 0.{i}'); sys.stdout.flush()\nprint()"


@pytest.fixture(autouse=True)
def to_a_file(monkeypatch):
    monkeypatch.setenv("CAPTURE_TO", "jsonl")
    monkeypatch.setenv("CAPTURE_PROJECT", "nb")
    monkeypatch.setenv("CAPTURE_WAIT", "90")


def client(*cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return nbclient.NotebookClient(
        notebook, timeout=100, kernel_name="python3", resources={"metadata": {"path": "."}}
    )


def execute(*cells, allow_errors=False):
    """The notebook with these cells, executed; for each what it has printed."""
    one = client(*cells)
    one.allow_errors = allow_errors
    one.execute()
    return [printed(cell) for cell in one.nb.cells]


def printed(cell):
    return "".join(
        out["text"] for out in cell["outputs"] if out["output_type"] == "stream" and out["name"] == "stdout"
    )


def test_a_cell_shows_what_it_has_always_shown_and_one_block_at_its_end():
    train = f"{BAR}\nprint('epoch 1: loss=0.5')\n"
    indented = "".join(f"    {line}\n" for line in train.splitlines())
    bare, tracked = execute(
        train,
        "import os, subprocess, logging, capture\nbefore = sys.stdout, sys.stderr, sys.stdout.write\n"
        f"with capture.run(name='cell') as run:\n{indented}    run.log({{'own': 1}})\n",
    )
    assert tracked.startswith(bare)
    block = tracked[len(bare) :]
    assert block.startswith("capture: nb/cell: exit status 0") and block.count("capture: ") == 1
    assert "metrics.jsonl" in block
    assert console(only_run()) == bare.encode()
    assert {"own": 1} in [row["metrics"] for row in rows(only_run())]
    assert runs.read(only_run()).command[1:] == ["notebook"]


def test_output_of_c_and_of_children_and_of_earlier_references_is_read():
    execute(
        "import os, sys, logging, subprocess, capture\nlogging.basicConfig(stream=sys.stdout, format='%(message)s', level=20)",
        "with capture.run():\n"
        "    os.write(1, b'from C\\n')\n    logging.info('from logging')\n    subprocess.run(['echo', 'from a child'])\n"
        "    print('to stderr', file=sys.stderr)\n    import time; time.sleep(0.3)\n",
    )
    lines = console(only_run()).splitlines()
    assert sorted(lines) == sorted([b"from C", b"from logging", b"from a child", b"to stderr"])


def test_stdout_is_the_same_object_with_the_same_write_afterwards():
    [out] = execute(
        "import sys, capture\nbefore = sys.stdout, sys.stderr, dict(vars(sys.stdout)).get('write')\n"
        "with capture.run(): print('x')\n"
        "print(before == (sys.stdout, sys.stderr, dict(vars(sys.stdout)).get('write')))"
    )
    assert out.endswith("True\n")


def test_started_in_one_cell_and_finished_in_another():
    outs = execute(
        "import capture\nrun = capture.run(name='a').start()",
        "print('step 1: loss=0.5')",
        "run = capture.run(name='b').start()  # the cell is run again",
        "print('step 2: loss=0.25')",
        "run.finish()",
        "print('step 3: loss=0.1')",
    )
    first, second = all_runs()
    assert (console(first), console(second)) == (b"step 1: loss=0.5\n", b"step 2: loss=0.25\n")
    assert outs[2].startswith("capture: nb/a:") and outs[4].startswith("capture: nb/b:")
    assert [runs.read(folder).state for folder in (first, second)] == ["finished", "finished"]


def test_an_error_in_a_cell_ends_the_run_and_is_shown():
    one = client(
        "import capture\nwith capture.run():\n    print('step 1: loss=0.5')\n    1 / 0", "print('next')"
    )
    one.allow_errors = True
    one.execute()
    assert "ZeroDivisionError" in json.dumps(one.nb.cells[0]["outputs"])
    assert printed(one.nb.cells[1]) == "next\n"
    assert runs.read(only_run()).exit_status == 1


def kernel_of(one):
    return one.km.provisioner.process.pid


def test_a_cell_is_interrupted_and_run_again():
    async def story():
        one = client(
            "import capture, time, os\nprint(os.getpid())",
            "with capture.run():\n    print('step 1: loss=0.5', flush=True)\n    time.sleep(100)",
            "with capture.run():\n    print('step 2: loss=0.25')",
        )
        one.allow_errors = True
        async with one.async_setup_kernel():
            await one.async_execute_cell(one.nb.cells[0], 0)
            task = asyncio.ensure_future(one.async_execute_cell(one.nb.cells[1], 1))
            while not list(Path("capture-runs").glob("*/*/records.jsonl")):
                await asyncio.sleep(0.05)
            await one.km.interrupt_kernel()
            await task
            await one.async_execute_cell(one.nb.cells[2], 2)
        return one

    one = asyncio.run(story())
    assert "KeyboardInterrupt" in json.dumps(one.nb.cells[1]["outputs"])
    first, second = all_runs()
    assert (runs.read(first).exit_status, runs.read(second).exit_status) == (130, 0)
    assert console(second) == b"step 2: loss=0.25\n"


@pytest.mark.parametrize("now", [False, True])
def test_a_kernel_that_is_restarted_leaves_no_process_and_no_run_that_never_ends(now):
    async def story():
        one = client(
            "import capture\nrun = capture.run().start()\nprint('step 1: loss=0.5')", "print('again')"
        )
        async with one.async_setup_kernel():
            await one.async_execute_cell(one.nb.cells[0], 0)
            await one.km.restart_kernel(now=now)
            await one.kc.wait_for_ready()
            await one.async_execute_cell(one.nb.cells[1], 1)
            folder = run_in_progress()
            while runs.read(folder).state == "running":
                await asyncio.sleep(0.05)
        return one

    one = asyncio.run(story())
    assert printed(one.nb.cells[1]) == "again\n"
    folder = only_run()
    assert runs.read(folder).state in ("finished", "crashed")
    assert console(folder) == b"step 1: loss=0.5\n"
    tracker = eventually(lambda: (folder / "metrics.jsonl").exists() and tracker_of(folder))
    eventually(lambda: where_it_stands(tracker) in ("gone", "zombie"))
