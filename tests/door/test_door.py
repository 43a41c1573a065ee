"""The Python door in scripts: what a program prints and logs becomes a run, and the program does not notice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, only_run
from programs import all_runs, console, execute, metrics, rows, script

import capture
from capture import runs


def test_what_is_printed_and_what_is_logged_become_one_run():
    done = execute("""
        print("before")
        with capture.run(project="mnist", name="first", tags="a,b", group="g", notes="n", config={"lr": 0.1}) as run:
            print("epoch 1: loss=0.5")
            os.write(2, b"from C++\\n")
            subprocess.run(["echo", "from a child"])
            run.log({"score": 1, "val": {"acc": 0.25}})
            run.log({"score": float("nan")}, step=7)
            run.log({"score": 2})
            run.config["batch"] = 32
            run.config.depth = 3
            run.summary["best"] = 0.75
        print("after", run.folder is not None)
    """)
    assert done.stdout == b"before\nepoch 1: loss=0.5\nfrom a child\nafter True\n"
    assert done.stderr == b"from C++\n"
    folder = only_run()
    run = runs.read(folder)
    assert (run.project, run.name, run.tags, run.group, run.notes) == ("mnist", "first", ["a", "b"], "g", "n")
    assert (run.state, run.exit_status, run.command) == ("finished", 0, [sys.executable, "train.py"])
    assert sorted(console(folder).splitlines()) == [b"epoch 1: loss=0.5", b"from C++", b"from a child"]
    printed = [row for row in rows(folder) if "logged" not in row]
    assert [(row["epoch"], row["metrics"]) for row in printed] == [(1, {"loss": 0.5})]
    assert [(row["step"], row["metrics"]) for row in rows(folder) if "logged" in row] == [
        (0, {"score": 1, "val/acc": 0.25}),
        (7, {"score": "NaN"}),
        (8, {"score": 2}),
        (None, {}),
        (None, {}),
        (None, {"summary/best": 0.75}),
    ]
    config = json.loads((folder / "config.json").read_text())
    assert config == {"capture": {"lr": 0.1}, "logged": {"batch": 32, "depth": 3}}


@pytest.mark.parametrize("to", ["terminal", "terminal and a file", "pipe", "one pipe for both"])
def test_streams_are_of_the_same_kind_and_bytes_in_the_same_order(to):
    code = """
        def show():
            print(sys.stdout.isatty(), sys.stderr.isatty(), os.isatty(1), os.isatty(2), flush=True)
            if os.isatty(1): print(os.get_terminal_size(1), flush=True)
            for i in range(200):
                os.write(1, b"%d\\r" % i)
                os.write(2, b"e%d\\n" % i)
        if "run" in sys.argv:
            with capture.run(): show()
        else:
            show()
        print("end")
    """
    script(code)
    command = f"{sys.executable} train.py"
    redirected = {
        "terminal": "",
        "terminal and a file": "2> err",
        "pipe": "2> err | cat",
        "one pipe for both": "2>&1 | cat",
    }
    seen = []
    for argument in ("bare", "run"):
        Path("err").unlink(missing_ok=True)
        line = f"{command} {argument} {redirected[to]}; exit"
        child = pexpect.spawn("/bin/sh", ["-c", line], dimensions=(33, 101), timeout=110, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_SUMMARY": "never"})  # fmt: skip
        shown = child.read()
        child.close()
        seen.append((shown, Path("err").read_bytes() if Path("err").exists() else b""))
    assert seen[0] == seen[1]
    assert b"e199" in seen[0][0] + seen[0][1]
    assert b"e199\n" in console(only_run())


@pytest.mark.parametrize(
    ("ending", "status", "noted"),
    [
        ("raise ValueError('x')", 1, 1),
        ("raise KeyboardInterrupt", -2, 130),
        ("sys.exit(3)", 3, 3),
        ("sys.exit()", 0, 0),
        ("sys.exit('bad')", 1, 1),
        ("pass", 0, 0),
    ],
)
def test_however_the_block_ends_the_output_is_as_before_and_the_run_says_how(ending, status, noted):
    done = execute(
        f"""
        before = sys.stdout, sys.stderr, [os.fstat(fd) for fd in (0, 1, 2)], sys.stdout.line_buffering
        try:
            with capture.run():
                print("inside")
                {ending}
        finally:
            now = sys.stdout, sys.stderr, [os.fstat(fd) for fd in (0, 1, 2)], sys.stdout.line_buffering
            links = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")]
            # Where it can't make memory executable, libffi keeps its own file open.
            files = [link for link in links if os.path.lexists(link) and "libffi" not in os.readlink(link)]
            print(now[0] is before[0], now[1] is before[1], now[2:] == before[2:], len(files))
            assert "CAPTURE_RUN_DIR" not in os.environ
        """,
        status=status,
    )
    assert done.stdout == b"inside\nTrue True True 3\n"
    assert (runs.read(only_run()).state, runs.read(only_run()).exit_status) == ("finished", noted)
    assert console(only_run()).startswith(b"inside\n")


@pytest.mark.parametrize(
    ("ending", "status", "noted"), [("pass", 0, None), ("1 / 0", 1, 1), ("sys.exit(3)", 3, None)]
)
def test_a_run_that_is_started_ends_with_the_program(ending, status, noted):
    done = execute(
        f"""
        run = capture.run().start()
        print("epoch 1: loss=0.5")
        {ending}
        """,
        status=status,
    )
    assert done.stdout == b"epoch 1: loss=0.5\n"
    assert (runs.read(only_run()).state, runs.read(only_run()).exit_status) == ("finished", noted)
    assert rows(only_run())[0]["metrics"] == {"loss": 0.5}


def test_the_next_start_ends_the_run_before():
    execute("""
        for i in (1, 2):
            run = capture.run(name=f"r{i}").start()
            print(f"step {i}: loss=0.5")
        run.finish()
        run.finish()
        print("step 9: loss=9.0")
    """)
    found = all_runs()
    assert [runs.read(folder).name for folder in found] == ["r1", "r2"]
    assert [row["step"] for folder in found for row in rows(folder)] == [1, 2]
    assert [runs.read(folder).parent for folder in found] == [None, None]


def test_runs_are_nested_and_follow_one_another():
    done = execute("""
        assert capture.current_run() is None
        with capture.run(name="study") as study:
            for i in (1, 2):
                with capture.run(name=f"trial{i}") as trial:
                    assert capture.current_run() is trial
                    print(f"step {i}: loss=0.{i}")
                    trial.log({"own": i})
            assert capture.current_run() is study
            study.log({"best": 1})
    """)
    assert done.stdout == b"step 1: loss=0.1\nstep 2: loss=0.2\n"
    study, first, second = all_runs()
    assert console(study) == done.stdout
    assert (console(first), console(second)) == (b"step 1: loss=0.1\n", b"step 2: loss=0.2\n")
    assert runs.read(first).parent == runs.read(second).parent == study.name
    assert [row["metrics"] for row in rows(study) if "logged" in row] == [{"best": 1}]
    assert [row["metrics"] for row in rows(second) if "logged" in row] == [{"own": 2}]


def test_a_decorated_function_is_a_run_at_each_call():
    execute("""
        import asyncio
        @capture.run(project="p", config={"kind": "plain"})
        def train(lr, *, epochs):
            "The training."
            capture.current_run().log({"lr": lr})
            return epochs
        @capture.run(project="p")
        async def later():
            await asyncio.sleep(0)
            return 5
        assert train.__doc__ == "The training."
        assert train(0.5, epochs=3) == 3 and train(0.25, epochs=4) == 4
        assert asyncio.run(later()) == 5
    """)
    assert [[row["metrics"] for row in rows(folder)] for folder in all_runs()] == [
        [{"lr": 0.5}],
        [{"lr": 0.25}],
        [],
    ]


def test_inside_capture_the_door_joins_that_run():
    script("""
        with capture.run(project="ignored", config={"lr": 0.1}) as run:
            print("step 1: loss=0.5")
            run.log({"own": 1})
            with capture.run() as same:
                same.log({"own": 2})
        code = "import capture\\nwith capture.run() as run: run.log({'own': 3})"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert not any(name.startswith("WANDB") for name in os.environ)
    """)
    command = [*CAPTURE, "--to", "jsonl", "--project", "outer", "--", sys.executable, "train.py"]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"step 1: loss=0.5\n", b"")
    folder = only_run()
    assert runs.read(folder).project == "outer"
    assert json.loads((folder / "config.json").read_text())["logged"] == {"lr": 0.1}
    assert [row["metrics"] for row in rows(folder) if row.get("logged") and row["metrics"]] == [
        {"own": 1}, {"own": 2}, {"own": 3}
    ]  # fmt: skip


def test_a_rank_that_comes_after_the_end_says_where_its_values_are():
    script("""
        with capture.run(project="ddp") as run:
            run.log({"loss": 0.5 + run.rank})
    """)
    launcher = script(
        """
        here = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_PORT": "1"}
        for rank in ("0", "1"):
            subprocess.run([sys.executable, "train.py"], env={**here, "RANK": rank}, check=True)
        """,
        head="import os, subprocess, sys\n",
        name="launch.py",
    )
    done = subprocess.run(
        [sys.executable, launcher],
        capture_output=True, timeout=110, check=True, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"},
    )  # fmt: skip
    assert done.stderr == b"capture: rank 1 has come after the run's end: only `capture replay` reads it\n"
    subprocess.run([*CAPTURE, "replay", "last"], capture_output=True, timeout=110, check=True)
    (again,) = [folder for folder in all_runs() if not folder.name.startswith("ranks-")]
    assert sorted(row["metrics"]["loss"] for row in rows(again) if row.get("logged")) == [0.5, 1.5]


@pytest.mark.parametrize("under", ["capture", "alone"])
def test_ranks_are_ranks_of_one_run(under):
    script("""
        with capture.run(project="ddp") as run:
            run.log({"loss": 0.5 + run.rank})
            os.write(1, f"rank {run.rank} done\\n".encode())
            open(f"rank{run.rank}", "w").close()
            while run.rank == 0 and not all(os.path.exists(f"rank{other}") for other in (1, 2)):  # a barrier
                time.sleep(0.01)
    """)
    launcher = script(
        """
        here = {**os.environ, "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "MASTER_PORT": "1"}
        ranks = [subprocess.Popen([sys.executable, "train.py"], env={**here, "RANK": str(i)}) for i in range(3)]
        sys.exit(any([rank.wait() for rank in ranks]))
        """,
        head="import os, subprocess, sys\n",
        name="launch.py",
    )
    prefix = [*CAPTURE, "--to", "jsonl", "--"] if under == "capture" else []
    done = subprocess.run(
        [*prefix, sys.executable, launcher],
        capture_output=True, timeout=110, check=False, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [b"rank 0 done", b"rank 1 done", b"rank 2 done"]
    logged = [row for row in rows(only_run()) if row.get("logged")]
    assert {(row["context"].get("rank", 0), row["metrics"]["loss"]) for row in logged} == {
        (0, 0.5),
        (1, 1.5),
        (2, 2.5),
    }
    assert '"rank1/loss":1.5' in (only_run() / "metrics.jsonl").read_text()


def test_files_tables_plots_and_alerts_stand_in_the_folder():
    execute("""
        open("model.tflite", "w").write("x" * 10); os.makedirs("ckpt"); open("ckpt/a.pt", "w"); open("ckpt/b.pt", "w")
        with capture.run() as run:
            run.save("model.tflite", type="model", name="classifier", aliases=["best"])
            run.save("ckpt/*.pt")
            run.table("test set", ["text", "score"], [["yes", 0.5], ["no", float("nan")]])
            run.table("test set", ["text"], [])
            run.confusion_matrix("commands", ["on", "off", "on"], ["on", "on", "on"])
            run.confusion_matrix("numbered", [0, 1, 1], [0, 1, 0], labels=["on", "off"])
            run.alert("loss is nan", "at step 3", level="ERROR")
    """)
    folder = only_run()
    files = [json.loads(line) for line in (folder / runs.FILES).read_text().splitlines()]
    where = os.path.abspath("model.tflite")
    assert {key: files[0][key] for key in ("kind", "type", "name", "path", "size", "digest", "aliases")} == {
        "kind": "file", "type": "model", "name": "classifier", "path": where, "size": 10, "digest": None, "aliases": ["best"],
    }  # fmt: skip
    assert [item["name"] for item in files[1:3]] == ["a.pt", "b.pt"]
    assert [(item["kind"], item["type"], item["path"]) for item in files[3:]] == [
        ("table", "table", "tables/test-set.json"),
        ("table", "table", "tables/test-set-1.json"),
        ("plot", "confusion_matrix", "plots/commands.json"),
        ("plot", "confusion_matrix", "plots/numbered.json"),
    ]
    table = json.loads((folder / "tables/test-set.json").read_text())
    assert table == {"columns": ["text", "score"], "rows": [["yes", 0.5], ["no", "NaN"]]}
    assert json.loads((folder / "plots/commands.json").read_text()) == {
        "labels": ["off", "on"],
        "counts": [[0, 1], [0, 2]],
    }
    assert json.loads((folder / "plots/numbered.json").read_text()) == {
        "labels": ["on", "off"],
        "counts": [[1, 0], [1, 1]],
    }
    alert = json.loads((folder / runs.ALERTS).read_text())
    assert {key: alert[key] for key in ("title", "text", "level")} == {
        "title": "loss is nan", "text": "at step 3", "level": "error",
    }  # fmt: skip


def test_mistakes_of_the_caller_raise_and_name_what_is_wrong():
    with pytest.raises(RuntimeError, match="not begun"):
        capture.run().log({"a": 1})
    with pytest.raises(TypeError, match="neither a mapping"):
        capture.run(config=3)
    done = execute("""
        import argparse
        def wrong(call):
            try: call()
            except Exception as error: print(type(error).__name__, error)
        with capture.run(config=argparse.Namespace(lr=1)) as run:
            wrong(lambda: run.log({"a": "text"}))
            wrong(lambda: run.log({"a": [1, 2]}))
            wrong(lambda: run.save("missing.bin"))
            wrong(lambda: run.table("t", ["a", "b"], [[1, 2], [3]]))
            wrong(lambda: run.confusion_matrix("c", [1], [1, 2]))
            wrong(lambda: run.confusion_matrix("c", ["a"], ["x"], labels=["a"]))
            wrong(lambda: run.alert("t", level="loud"))
            wrong(run.start)
        wrong(lambda: run.log({"a": 1}))
        wrong(lambda: capture.run(to="wandbb").start())
        wrong(lambda: capture.run(every="often").start())
        wrong(lambda: run.config.update(after=1))
        later = capture.run()
        later.config["before"] = 1
        wrong(lambda: later.summary.update(before=1))
    """)
    assert done.stdout.decode().splitlines() == [
        "TypeError run.log: a: a number is needed, not 'text'",
        "TypeError run.log: a: a number is needed, not [1, 2]",
        "FileNotFoundError run.save: missing.bin: there is no such file",
        "ValueError run.table: row 2 has 1 values, and there are 2 columns",
        "ValueError run.confusion_matrix: 1 true labels, but 2 predictions",
        "ValueError run.confusion_matrix: 'x' is none of the labels",
        "ValueError run.alert: level 'loud': should be one of info, warn, error",
        "RuntimeError this run has been started before; capture.run(...) makes another one",
        "RuntimeError this run does not go on: it has ended",
        *done.stdout.decode().splitlines()[-4:-2],
        "RuntimeError this run does not go on: it has ended",
        "RuntimeError this run does not go on: it has not begun",
    ]
    backend, every = done.stdout.decode().splitlines()[-4:-2]
    assert backend.startswith("ValueError capture.run: ") and "wandbb" in backend
    assert every.startswith("ValueError capture.run: --every")
    assert len(all_runs()) == 1


def test_numbers_of_other_libraries_are_numbers():
    execute("""
        import numpy as np
        from decimal import Decimal
        with capture.run() as run:
            run.log({"a": np.float32(0.5), "b": np.int64(3), "c": np.array([2.0]), "d": True, "e": Decimal("1.5")}, step=np.int64(4))
            run.config.update(shape=np.zeros(2), path=__import__("pathlib").Path("x"), inner={"a": np.float32(1)})
    """)
    assert metrics(only_run())[0] == (4, {"a": 0.5, "b": 3, "c": 2.0, "d": 1, "e": 1.5})
    config = json.loads((only_run() / "config.json").read_text())["logged"]
    assert config == {"shape": [0.0, 0.0], "path": "x", "inner": {"a": 1.0}}


def test_on_a_terminal_the_closing_block_is_shown_once():
    script("""
        with capture.run():
            print("epoch 1: loss=0.5")
        print("end")
    """)
    child = pexpect.spawn(
        sys.executable,
        ["train.py"],
        timeout=110,
        env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"},
        encoding="utf-8",
    )
    shown = child.read()
    assert shown.count("capture: ") == 1
    assert "\r\n  loss " in shown and "capture-runs/" in shown
    assert shown.startswith("epoch 1: loss=0.5\r\n") and shown.endswith("end\r\n")


def test_the_summary_and_the_address_are_those_of_the_run():
    execute("""
        with capture.run() as run:
            print("epoch 1: loss=0.5")
            print("epoch 2: loss=0.25")
            run.summary["note"] = "good"
            deadline = time.monotonic() + 60
            while "loss" not in run.summary and time.monotonic() < deadline: time.sleep(0.05)
            assert run.summary["note"] == "good" and run.summary.loss in (0.5, 0.25)
            assert run.url is None
    """)
