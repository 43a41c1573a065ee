"""Files beside a command that writes them: real runs, and what `files.jsonl` and the closing block say."""

import json
import os
import re
import subprocess
import sys
import time

import psutil
import pytest
from helpers import CAPTURE, capture, eventually, only_run

from capture import runs

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364f8cf50"
    "0f0003860180 5a34f57d0000000049454e44ae426082".replace(" ", "")
)
WAIT = """
import json, os, sys, time
def noted(count):
    "Wait until so many versions are noted."
    path, deadline = os.path.join(os.environ["CAPTURE_RUN_DIR"], "files.jsonl"), time.monotonic() + 40
    while not (os.path.exists(path) and open(path).read().count("\\n") >= count):
        assert time.monotonic() < deadline
        time.sleep(0.02)
"""


def run(code, *options, config=None):
    """A run of this program; its entries, and its closing block."""
    if config is not None:
        with open("capture.yaml", "w") as file:
            file.write(config)
    done = capture("--to", "jsonl", *options, "--summary", "always", "--", sys.executable, "-c", WAIT + code)
    assert done.returncode == 0, done.stderr
    return entries(), done.stderr


def entries():
    path = only_run() / runs.FILES
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_checkpoint_of_each_epoch_is_a_version_and_the_best_one_has_its_alias():
    code = """
for epoch, accuracy in enumerate([0.5, 0.9, 0.7], 1):
    print(f"epoch {epoch}: val_accuracy {accuracy}", flush=True)
    open("model.tmp", "w").write(f"weights {epoch}")
    os.replace("model.tmp", "model.pt")
    noted(epoch)
    time.sleep(1.1)  # the next line belongs to the next version
"""
    found, block = run(code, config="artifacts: [{path: model.pt, alias: {best: max val_accuracy}}]\n")
    assert [item["aliases"] for item in found] == [["best"], ["best"], []]
    assert [item["metadata"] for item in found] == [
        {"epoch": 1, "val_accuracy": 0.5},
        {"epoch": 2, "val_accuracy": 0.9},
        {"epoch": 3, "val_accuracy": 0.7},
    ]
    assert len({item["digest"] for item in found}) == 3
    assert {(item["kind"], item["type"], item["name"]) for item in found} == {("file", "model", "model.pt")}
    assert "kept: model.pt (3 versions)" in block


def test_a_file_that_is_still_open_is_not_whole_before_it_is_closed():
    code = """
file = open("results.csv", "w")
file.write("epoch,loss\\n1,0.5\\n"); file.flush()
other = open("other.csv", "w"); other.write("a\\n1\\n"); other.close()
noted(1)
file.write("2,0.25\\n"); file.close()
noted(2)
"""
    found, _ = run(code, "--table", "*.csv")
    assert [item["name"] for item in found] == ["other", "results"]
    assert json.loads((only_run() / found[1]["path"]).read_text())["rows"] == [[1, 0.5], [2, 0.25]]


def test_what_was_there_before_counts_only_when_it_changes():
    for name in ("old.txt", "touched.txt", "wanted.txt"):
        with open(name, "w") as file:
            file.write("before")
    time.sleep(0.3)  # a file system's clock is a little behind
    config = "artifacts: [old.txt, touched.txt, {path: wanted.txt, existing: true}]\n"
    found, block = run("open('touched.txt', 'w').write('now')", config=config)
    assert sorted(item["name"] for item in found) == ["touched.txt", "wanted.txt"]
    assert "artifacts: old.txt: was there before the run and has not changed, so it is not kept" in block


def test_a_missing_file_is_one_line_and_no_harm():
    found, block = run("print('done')", "--save", "model.tflite", "--table", "a.csv", "--image", "*.png")
    assert found == []
    lines = [line.strip() for line in block.splitlines() if "no such file" in line]
    assert lines == [
        "artifacts: model.tflite: no such file",
        "tables: a.csv: no such file",
        "images: *.png: no such file",
    ]


def test_a_pattern_that_fits_ten_thousand_files_is_one_line_and_no_harm():
    code = """
os.mkdir("img")
for i in range(10_000): open(f"img/{i:05}.txt", "w").write(str(i))
print("done")
"""
    found, block = run(code, "--save", "img/*.txt")
    assert len(found) == len({item["name"] for item in found}) == 1000
    assert block.count("fits more than 1,000 files; the first 1,000 are kept") == 1
    assert "and 994 more" in block


def test_what_is_no_table_or_image_is_said_and_the_rest_is_kept():
    code = f"""
open("broken.csv", "w").write("a,b\\n1,2\\n3\\n")
open("none.csv", "wb").write(b"\\0\\1\\2")
open("fine.png", "wb").write({PNG!r})
open("text.txt", "w").write("no image")
"""
    found, block = run(code, "--table", "*.csv", "--image", "fine.png", "--image", "text.txt")
    assert [(item["kind"], item["name"]) for item in found] == [("table", "broken"), ("image", "fine")]
    assert "broken.csv: 1 row is left out: line 3 has 1 values, and there are 2 columns" in block
    assert "none.csv: line 1 holds bytes that are no text" in block
    assert "text.txt: should be an image" in block
    assert (only_run() / found[1]["path"]).read_bytes() == PNG


def test_fifos_and_devices_are_never_opened(tmp_path):
    os.mkfifo("pipe.csv")
    os.symlink("/dev/zero", "zero.csv")
    found, block = run("os.utime('pipe.csv'); print('done')", "--table", "*.csv", "--save", "pipe.csv")
    assert found == []
    assert "artifacts: pipe.csv: no such file" in block


def test_a_folder_is_kept_as_one():
    code = """
os.makedirs("saved/variables")
open("saved/model.pb", "w").write("graph")
open("saved/variables/data", "w").write("weights")
"""
    (item,), _ = run(code, "--save", "saved")
    assert (item["name"], item["size"], item["path"]) == ("saved", None, os.path.abspath("saved"))
    assert re.fullmatch("sha256:[0-9a-f]{64}", item["digest"])


def test_the_same_bytes_again_are_no_new_version():
    code = """
for i in range(2):
    open("m.tmp", "w").write("the same")
    os.replace("m.tmp", "m.pt")
    noted(1)
open("n.tmp", "w").write("other"); os.replace("n.tmp", "n.pt")
noted(2)
"""
    found, _ = run(code, "--save", "*.pt")
    assert [item["name"] for item in found] == ["m.pt", "n.pt"]


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="asks /proc for the memory")
def test_a_large_file_is_read_in_pieces():
    """The tracker may not allocate as much as the file is large."""
    code = """
with open("large.bin", "wb") as file: file.truncate(200 << 20)
noted(1)
pid = json.load(open(os.path.join(os.environ["CAPTURE_RUN_DIR"], "status.json")))["pid"]
peak = next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))
print("peak", int(peak.split()[1]) >> 10)
"""
    (item,), _ = run(code, "--save", "large.bin")
    assert (item["size"], item["digest"]) == (
        200 << 20,
        "sha256:72abf2ca8f36943ebe2e49ca3a51d409ca5f0bfcffab6c9d25643c17c32889da",
    )
    peak = int((only_run() / runs.CONSOLE_LOG).read_text().split()[-1])
    assert peak < 120  # MB


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("artifacts: /etc/passwd", "capture.yaml:1: artifacts.0.path: '/etc/passwd' should be below"),
        ("tables:\n- ../t.csv", "capture.yaml:2: tables.0.path: '../t.csv' should be below"),
        ("artifacts:\n- path: m.pt\n  alias: {best: val_loss}", "capture.yaml:3: artifacts.0.alias.best: "),
        ("artifacts:\n- pth: m.pt", "capture.yaml:2: "),
        (
            "plots:\n- {type: line, path: t.csv, x: epoch}",
            "capture.yaml:2: plots.0: a line needs y: the names of columns",
        ),
        ("plots:\n- {type: confusion, path: t.csv}", "did you mean 'confusion_matrix'?"),
        ("images: 3", "images"),
    ],
)
def test_mistakes_in_the_configuration_are_said_with_their_line(text, error):
    with open("capture.yaml", "w") as file:
        file.write(text + "\n")
    done = capture("--", sys.executable, "-c", "print(1)")
    assert done.returncode == 2
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_dead_machine_left_unread_is_read_by_sync():
    """All is killed at once; `sync` finds what belongs to the run by its time."""
    code = """
print("epoch 1: loss 0.5", flush=True)
open("late.txt", "w").write("late")
time.sleep(60)
"""
    options = ("--to", "jsonl", "--save", "*.txt")
    process = subprocess.Popen([*CAPTURE, *options, "--", sys.executable, "-c", WAIT + code])
    eventually(lambda: os.path.exists("late.txt"))
    for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
        one.kill()
    process.wait()
    later = time.time() + 60
    with open("after", "w") as file:
        file.write("not of the run")
    os.utime("after", (later, later))
    os.rename("after", "after.txt")
    done = capture("sync")
    assert done.returncode == 0, done.stdout
    assert [item["name"] for item in entries()] == ["late.txt"]
