"""`capture collect`: one run for each pod, host or job of a stream of many."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, eventually

from capture.collect import keys


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def envelope(pod, text, second=0, **more):
    time = f"2026-11-20T13:26:{second:02}Z"
    return (
        json.dumps({"kubernetes": {"pod_name": pod}, "log": text, "stream": "stdout", "time": time, **more})
        + "\n"
    )


def stream(pods, steps, first=0):
    return "".join(
        envelope(f"pod-{pod}", f"step {step} loss {(pod + 1) / (step + 1)}", step % 60)
        for step in range(first, first + steps)
        for pod in range(pods)
    )


def collect(*arguments, **more):
    return capture("collect", "--project", "p", "--to", "jsonl", "--by", *arguments, **more)


def runs_there():
    return {path.parent.name: path.parent for path in Path("capture-runs/p").glob("*/run.json")}


def records(run):
    return [
        json.loads(line) for line in (Path("capture-runs/p") / run / "records.jsonl").read_text().splitlines()
    ]


def about(run):
    return json.loads((Path("capture-runs/p") / run / "run.json").read_text())


def losses(run):
    return [(record["step"], record["metrics"]["loss"]) for record in records(run)]


def test_each_value_of_the_key_is_a_run_with_the_times_of_its_lines():
    done = collect("kubernetes.pod_name", input=stream(3, 4))
    assert (done.returncode, done.stderr) == (0, "")
    assert set(runs_there()) == {"pod-0", "pod-1", "pod-2"}
    assert losses("pod-1") == [(0, 2.0), (1, 1.0), (2, 2 / 3), (3, 0.5)]
    assert [record["time"] - records("pod-1")[0]["time"] for record in records("pod-1")] == [0, 1, 2, 3]
    assert about("pod-1")["state"] == "finished"
    rows = (runs_there()["pod-1"] / "metrics.jsonl").read_text().splitlines()
    assert len([row for row in rows if "loss" in json.loads(row)]) == 4


LINES = [
    ("worker", "[pod/t-0/main] step 1 loss 0.5", "t-0", "step 1 loss 0.5"),
    ("host", "node2: step 1 loss 0.5", "node2", "step 1 loss 0.5"),
    ("rank", "[rank3]: step 1 loss 0.5", "3", "step 1 loss 0.5"),
    ("pod", '{"pod": "a", "step": 1, "loss": 0.5}', "a", '{"pod": "a", "step": 1, "loss": 0.5}'),
    ("host", "<165>1 2026-11-20T13:26:40.003Z node1 train 12 - - step 1 loss 0.5", "node1", "step 1 loss 0.5"),
    ("a.b", '{"a.b": "x", "message": "step 1 loss 0.5"}', "x", "step 1 loss 0.5"),
    ("_HOSTNAME", '{"MESSAGE":"step 1","_HOSTNAME":"n1","__REALTIME_TIMESTAMP":"1732105600000000"}', "n1", "step 1"),
    (r"^<(\w+)> ", "<job7> step 1 loss 0.5", "job7", "step 1 loss 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("by", "line", "member", "text"), LINES)
def test_the_key_is_found_in_objects_prefixes_and_patterns(by, line, member, text):
    found = keys.reader(by)(line)
    assert (found.member, found.text) == (member, text)


@pytest.mark.parametrize("line", ["", "step 1 loss 0.5", '{"pod": ""}', '{"pod": null}', "{torn", "[1, 2]"])
def test_a_line_without_the_key_is_nobodys(line):
    assert keys.reader("pod")(line) is None


def test_a_stream_in_which_nobody_has_the_key_is_said():
    done = collect("pod", input="step 1 loss 0.5\n")
    assert (done.returncode, done.stderr) == (
        1,
        "capture collect: no line has the key 'pod', such as: step 1 loss 0.5\n",
    )


@pytest.mark.parametrize(("wrong", "said"), [
    (("--by", "(", "-"), "--by (: not a regular expression"),
    (("--by", "(?:a)", "-"), "a pattern should have a group for the key"),
    (("--by", "pod", "--end", "(", "-"), "--end (: not a regular expression"),
    (("--by", "pod", "gone.log"), "gone.log: No such file or directory"),
    ((), "--by is missing"),
])  # fmt: skip
def test_a_mistake_is_one_sentence(wrong, said):
    done = capture("collect", *wrong, input="")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_called_again_it_goes_on_with_the_same_runs():
    collect("kubernetes.pod_name", input=stream(2, 3))
    collect("kubernetes.pod_name", input=stream(2, 3, first=3))
    assert set(runs_there()) == {"pod-0", "pod-1"}
    assert [step for step, _ in losses("pod-1")] == [0, 1, 2, 3, 4, 5]
    parsed = capture("parse", "capture-runs/p/pod-1").stdout.splitlines()
    assert [json.loads(line) for line in parsed] == records("pod-1")


def test_a_file_is_read_on_where_it_was():
    Path("all.log").write_text(stream(2, 3))
    collect("kubernetes.pod_name", "all.log")
    with open("all.log", "a") as file:
        file.write(stream(2, 2, first=3))
    done = collect("kubernetes.pod_name", "all.log")
    assert "going on at byte" in done.stderr
    assert [step for step, _ in losses("pod-1")] == [0, 1, 2, 3, 4]


def test_a_run_ends_when_it_says_so_and_the_next_one_of_the_name_is_new():
    text = (
        envelope("a", "step 1 loss 0.5") + envelope("a", "exited with 3") + envelope("a", "step 1 loss 0.25")
    )
    collect("kubernetes.pod_name", "--end", r"exited with (?P<status>\d+)", input=text)
    assert (about("a")["exit_status"], about("a-2")["exit_status"]) == (3, None)
    assert (losses("a"), losses("a-2")) == ([(1, 0.5)], [(1, 0.25)])


def started(*arguments, **more):
    command = [
        *CAPTURE,
        "collect",
        "--project",
        "p",
        "--to",
        "jsonl",
        "--by",
        "kubernetes.pod_name",
        *arguments,
    ]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def written(run, count):
    path = Path("capture-runs/p") / run / "records.jsonl"
    return eventually(lambda: path.exists() and len(path.read_text().splitlines()) == count)


def send(process, text):
    process.stdin.write(text)
    process.stdin.flush()


def test_runs_end_when_nothing_comes_and_go_on_when_more_does():
    with started("--idle", "1") as process:
        send(process, stream(2, 2))
        written("pod-1", 2)
        eventually(lambda: about("pod-0")["state"] == "finished")
        send(process, stream(1, 1, first=2))
        written("pod-0", 3)
        process.stdin.close()
    assert [step for step, _ in losses("pod-0")] == [0, 1, 2]


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_lost_when_it_is_stopped_in_between(killed):
    with started() as process:
        send(process, stream(3, 50))
        written("pod-2", 50)
        assert capture("runs").stdout.count("running") == 3
        process.send_signal(killed)
        process.wait()
        process.stdin.close()
    if killed == signal.SIGKILL:
        assert "crashed" in capture("runs").stdout
    collect("kubernetes.pod_name", input=stream(3, 50, first=50))
    for run in runs_there():
        assert [step for step, _ in losses(run)] == list(range(100))
        assert about(run)["state"] == "finished"
        rows = [json.loads(row) for row in (runs_there()[run] / "metrics.jsonl").read_text().splitlines()]
        assert len([row for row in rows if "loss" in row]) == 100


def test_two_cannot_collect_the_same():
    with started() as process:
        eventually(lambda: Path("capture-runs/p/.collect-kubernetes.pod_name.lock").exists())
        send(process, stream(1, 1))
        written("pod-0", 1)
        done = collect("kubernetes.pod_name", input="")
        assert (done.returncode, "another process collects by this key" in done.stderr) == (2, True)
        process.stdin.close()


SLOW = """
import time
class Run:
    def log(self, data, step=None):
        time.sleep(1000)
    def finish(self): pass
def init(**more):
    return Run()
"""


def test_a_slow_backend_holds_nobody_up():
    Path("slow.py").write_text(SLOW)
    with started("--to", f"module:{os.getcwd()}/slow.py", "--wait", "1") as process:
        for step in range(4):  # more runs than are connected at a time
            send(process, stream(40, 1, first=step))
        for run in range(40):
            written(f"pod-{run}", 4)
        process.stdin.close()
        said = process.stderr.read()
    assert "0 of 40 runs are delivered whole; to deliver the rest: capture sync --project p" in said
    done = capture("sync", "pod-7", "--to", "jsonl")
    assert "4 records delivered to jsonl" in done.stdout


def test_more_runs_than_are_parsed_at_a_time_are_whole(monkeypatch):
    text = "".join(envelope(f"p{n}", "step 1 loss 0.5") for n in range(600))
    done = collect("kubernetes.pod_name", input=text, timeout=110)
    assert done.returncode == 0, done.stderr
    assert len(runs_there()) == 600
    assert all(losses(run) == [(1, 0.5)] for run in runs_there())


def test_names_that_are_no_folders_are_runs_all_the_same():
    text = "".join(
        envelope(name, "step 1 loss 0.5") for name in ["../../x", "a/b", "ä", "a b", "a-b", "." * 300]
    )
    collect("kubernetes.pod_name", input=text)
    assert len(runs_there()) == 6
    assert {about(run)["name"] for run in runs_there()} == {"../../x", "a/b", "ä", "a b", "a-b", "." * 300}
    assert not Path("x").exists()


def test_files_that_match_a_pattern_are_followed_and_new_ones_join():
    Path("slurm-1.out").write_text("step 1 loss 0.5\n")
    command = [*CAPTURE, "follow", "slurm-*.out", "--project", "p", "--to", "jsonl"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        written("slurm-1", 1)
        Path("slurm-2.out").write_text("step 1 loss 0.25\rstep 2 loss 0.125\n")
        written("slurm-2", 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    with open("slurm-1.out", "a") as file:
        file.write("step 2 loss 0.25\n")
    done = capture("follow", "slurm-*.out", "--project", "p", "--to", "jsonl", "--idle", "1")
    assert done.returncode == 0, done.stderr
    assert losses("slurm-1") == [(1, 0.5), (2, 0.25)]
    assert (runs_there()["slurm-2"] / "console.log").read_bytes() == Path("slurm-2.out").read_bytes()
