"""What the how-to pages show works: their blocks are run, in an empty folder, as somebody would who has only the page.

The programs are stand-ins that print the recordings of real ones; schedulers do what they would do with a job's script.
"""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import FIXTURES, ROOT, blocks

from capture import open_run, parse

HOW_TO = ROOT / "docs" / "how-to"
SOLVER = "it 1: objective 0.75, gap 3.5% (1s)\nit 2: objective 0.25, gap 1.5% (3s)\n"

# The recording that `python train.py` prints, and metrics that the page promises.
PAGES = {
    "keras.md": ("keras3_v1", {"epoch/loss", "epoch/val_loss", "epoch/accuracy", "batch/loss"}),
    "huggingface.md": ("hf_trainer", {"train/loss", "train/learning_rate", "eval/loss"}),
    "pytorch.md": ("nanogpt_shakespeare_char", {"loss/train", "loss/val"}),
    "other-languages.md": ("pytorch_mnist", {"objective", "gap"}),
    "logs.md": ("keras3_v1", {"epoch/loss"}),
    "slurm.md": ("keras3_v1", {"epoch/loss"}),
    "kubernetes.md": ("keras3_v1", {"epoch/loss"}),
    "wandb.md": ("keras3_v1", {"epoch/loss"}),
    "trouble.md": ("keras3_v1", set()),
}

STANDS_FOR = {
    "sbatch": 'SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 bash -e "$1"',
    "torchrun": 'exec python "${@: -1}"',
    "Rscript": "cat solver.log",
    "julia": "cat solver.log",
    "pipx": "true",
}


def _program(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _set_up(folder, page, recording):
    """The folder in which the page is tried, with the programs that it talks of; returns their environment."""
    programs = folder / "bin"
    programs.mkdir()
    for name, does in STANDS_FOR.items():
        _program(programs / name, f"#!/bin/bash\n{does}\n")
    _program(programs / "capture", f'#!/bin/bash\nexec "{sys.executable}" -m capture "$@"\n')
    (programs / "python").symlink_to(sys.executable)
    text = (FIXTURES / recording / "stdout.raw").read_bytes()
    (folder / "train.log").write_bytes(text)
    (folder / "train.py").write_text("import sys; sys.stdout.buffer.write(open('train.log', 'rb').read())\n")
    (folder / "solver.log").write_text(SOLVER)
    _program(folder / "solver", "#!/bin/sh\ncat solver.log\n")
    for language in ("yaml", "bash"):
        for block in blocks(page, language):
            first = block.partition("\n")[0]
            if first.startswith("# ") and first.endswith((".yaml", ".sh")):
                (folder / first[2:]).write_text(block)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "CAPTURE_TO": "jsonl",
        "WANDB_MODE": "offline",
    }


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_a_page_shows_works(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording, promised = PAGES[name]
    environment = _set_up(tmp_path, HOW_TO / name, recording)
    ran = 0
    for block in blocks(HOW_TO / name, "bash"):
        if block.startswith("# ") or "capture login" in block:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        waits = "capture sync" in block and "no login" in done.stdout  # which the page is about
        assert done.returncode == 0 or waits, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        ran += 1
    assert ran
    found = set()
    for file in tmp_path.rglob("run.json"):
        for row in open_run(file.parent).rows():
            found |= set(row.metrics)
    assert promised <= found


def test_every_how_to_page_is_tried():
    assert {page.name for page in HOW_TO.glob("*.md")} == {*PAGES, "notebooks.md"}


def test_lines_are_read_as_the_page_on_pytorch_says():
    page = (HOW_TO / "pytorch.md").read_text(encoding="utf-8")
    said = [
        line.split("`")[1::2] for line in page.splitlines() if line.startswith("- ") and "becomes" in line
    ]
    assert len(said) == 4
    for printed, *names in said:
        found = {name for record in parse(f"{printed}\n".encode()) for name in record.metrics}
        assert set(names) <= found, printed


@pytest.mark.parametrize("block", blocks(HOW_TO / "notebooks.md", "python"))
def test_the_cell_of_the_notebooks_page_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    folder = Path(done.stdout.splitlines()[-1])
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"
