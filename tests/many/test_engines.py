"""Engines that feed us or map our function: Dask, an array of Slurm, GNU parallel, rsyslog."""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, ROOT, capture, eventually


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    for number in range(4):
        text = "".join(f"step {step} loss {number + 1 / step}\n" for step in range(1, 6))
        Path(f"logs/{number}.log.gz").write_bytes(gzip.compress(text.encode()))
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "capture").write_text(f'#!/bin/sh\nexec {" ".join(CAPTURE)} "$@"\n')
    (scripts / "capture").chmod(0o755)
    monkeypatch.setenv("PATH", f"{scripts}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_dask_parses_an_archive_with_a_cluster_of_two_workers():
    pytest.importorskip("distributed")
    command = [
        sys.executable,
        ROOT / "examples/dask_archive.py",
        "logs/*.log.gz",
        "out.csv",
        "--workers",
        "2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [(row["metric"], row["values"], float(row["last"])) for row in rows] == [
        ("loss", "5", number + 0.2) for number in range(4)
    ]


def test_an_array_parses_an_archive_each_task_its_part():
    for task in range(3):
        variables = {"SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_ID": str(task)}
        done = subprocess.run(
            [ROOT / "examples/slurm/archive.sh", "logs", "out"],
            env={**os.environ, **variables},
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
    records = [json.loads(line) for path in Path("out").iterdir() for line in path.read_text().splitlines()]
    assert {record["file"] for record in records} == {f"logs/{number}.log.gz" for number in range(4)}
    assert len(records) == 20


@pytest.mark.skipif(not shutil.which("parallel"), reason="GNU parallel is not installed")
def test_the_tags_of_gnu_parallel_tell_its_jobs_apart():
    job = f"{sys.executable} -c \"print('step 1 loss', {{}})\""
    capture(
        "--to", "jsonl", "--project", "p", "--", "parallel", "--will-cite", "--tag", job, ":::", "0.5", "0.25"
    )
    records = next(Path("capture-runs/p").glob("*/records.jsonl")).read_text().splitlines()
    found = {(r["context"]["worker"], r["metrics"]["loss"]) for r in map(json.loads, records)}
    assert found == {("0.5", 0.5), ("0.25", 0.25)}


RSYSLOG = """\
module(load="imtcp")
module(load="omprog")
input(type="imtcp" port="{port}")
template(name="capture" type="list" option.jsonf="on") {{
  property(outname="host" name="hostname" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="message" name="msg" format="jsonf" position.from="2")
}}
action(type="omprog" binary="{command}" template="capture" signalOnClose="on")
"""


@pytest.mark.skipif(not shutil.which("rsyslogd"), reason="rsyslog is not installed")
def test_rsyslog_hands_over_what_many_hosts_print(tmp_path):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"{tmp_path}/bin/capture collect --by host --project p --to jsonl --dir {tmp_path}/capture-runs"
    Path("rsyslog.conf").write_text(RSYSLOG.format(port=port, command=command))
    daemon = ["rsyslogd", "-n", "-f", tmp_path / "rsyslog.conf", "-i", tmp_path / "pid"]
    with subprocess.Popen(daemon, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:

            def connected():
                try:
                    return socket.create_connection(("127.0.0.1", port))
                except OSError:
                    return None

            with eventually(connected) as sender:
                for step in range(1, 11):
                    for host in ("node1", "node2"):
                        line = f"<14>Nov 20 13:26:{step:02} {host} train: step {step} loss {1 / step}\n"
                        sender.sendall(line.encode())
                place = tmp_path / "capture-runs" / "p"

                def whole():
                    files = [place / host / "records.jsonl" for host in ("node1", "node2")]
                    return all(file.exists() and len(file.read_text().splitlines()) == 10 for file in files)

                eventually(whole)
        finally:
            process.terminate()
            process.wait(100)

    def ended():
        return all(
            json.loads((place / host / "run.json").read_text())["state"] == "finished"
            for host in ("node1", "node2")
        )

    eventually(ended)
