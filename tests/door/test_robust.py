"""Whatever happens to the program or to capture: output is shown, the run ends, the program goes on."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

import psutil
import pytest
from helpers import ROOT, capture, eventually, only_run, run_in_progress, tracker_of
from programs import HEAD, all_runs, console, execute, rows, script

from capture import runs

DOOR = ROOT / "capture" / "door.py"


def start(code, **more):
    """A program with this code, running; its standard input is ours."""
    environ = {**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"}
    return subprocess.Popen(
        [sys.executable, script(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, **more
    )


def ended(folder):
    return eventually(lambda: runs.read(folder).state != "running" and runs.read(folder))


def relays():
    """The relays of runs in this folder, and their guards."""
    here = os.getcwd()
    found = []
    for process in psutil.process_iter():
        try:
            if "attach" in process.cmdline() and process.cwd() == here:
                found.append(process)
        except psutil.Error:
            continue
    return found


def none_left():
    return eventually(lambda: not relays())


@pytest.mark.parametrize("how", ["os._exit(5)", "os.kill(os.getpid(), 9)"])
def test_a_program_that_ends_without_a_word_leaves_a_run_that_has_ended(how):
    status = 5 if "_exit" in how else -9
    done = execute(
        f"""
        run = capture.run().start()
        run.log({{"own": 1}})
        print("epoch 1: loss=0.5", flush=True)
        os.write(1, b"last words")
        {how}
        """,
        status=status,
    )
    assert done.stdout == b"epoch 1: loss=0.5\nlast words"
    run = ended(only_run())
    assert (run.state, run.exit_status) == ("crashed", None)
    none_left()
    assert sorted(str(row["metrics"]) for row in rows(only_run())) == ["{'loss': 0.5}", "{'own': 1}"]


def test_a_forked_child_is_part_of_the_run_and_does_not_end_it():
    done = execute("""
        with capture.run() as run:
            print("parent 1")
            pid = os.fork()
            if pid == 0:
                print("child"); run.log({"child": 1})
                sys.exit(0)
            os.waitpid(pid, 0)
            print("parent 2"); run.log({"parent": 1})
    """)
    assert done.stdout == b"parent 1\nchild\nparent 2\n"
    assert console(only_run()) == done.stdout
    assert [row["metrics"] for row in rows(only_run())] == [{"child": 1}, {"parent": 1}]
    assert runs.read(only_run()).exit_status == 0


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_print_and_log_into_the_run(method):
    done = execute(f"""
        import multiprocessing
        def work(run, i):
            print(f"worker {{i}}", flush=True)
            run.log({{"worker": i}})
            with capture.run() as joined: joined.log({{"joined": i}})
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            with capture.run() as run:
                workers = [context.Process(target=work, args=(run, i)) for i in range(2)]
                for one in workers: one.start()
                for one in workers: one.join()
                assert [one.exitcode for one in workers] == [0, 0]
            print("end")
    """)
    assert sorted(done.stdout.splitlines()) == [b"end", b"worker 0", b"worker 1"]
    assert sorted(console(only_run()).splitlines()) == [b"worker 0", b"worker 1"]
    found = sorted(str(row["metrics"]) for row in rows(only_run()))
    assert found == ["{'joined': 0}", "{'joined': 1}", "{'worker': 0}", "{'worker': 1}"]


def test_a_process_that_outlives_the_run_goes_on_printing():
    with start("""
        with capture.run():
            child = subprocess.Popen([sys.executable, "-c", "input(); print('late'); input(); print('later')"])
            print("in the run")
        print("after", flush=True)
        child.wait()
    """) as process:
        assert process.stdout.readline() == b"in the run\n"
        assert process.stdout.readline() == b"after\n"
        process.stdin.write(b"\n\n")
        process.stdin.flush()
        assert process.stdout.read() == b"late\nlater\n"
    assert process.returncode == 0
    assert console(only_run()) == b"in the run\n"
    assert runs.read(only_run()).state == "finished"
    none_left()


def test_threads_that_print_meanwhile_lose_nothing():
    done = execute("""
        stop = threading.Event()
        def talk(name):
            i = 0
            while not stop.is_set():
                os.write(1, f"{name} {i}\\n".encode()); i += 1
                time.sleep(0.0005)
            os.write(1, f"{name} last {i}\\n".encode())
        threads = [threading.Thread(target=talk, args=(f"t{n}",)) for n in range(3)]
        for one in threads: one.start()
        for n in range(2):
            with capture.run() as run:
                for i in range(200): run.log({"i": i})
        stop.set()
        for one in threads: one.join()
    """)
    lines = done.stdout.decode().splitlines()
    for name in ("t0", "t1", "t2"):
        numbers = sorted(
            int(line.split()[-1]) for line in lines if line.startswith(name) and "last" not in line
        )
        assert numbers == list(
            range(int(next(line for line in lines if line.startswith(f"{name} last")).split()[-1]))
        )
    assert [len(rows(folder)) >= 200 for folder in all_runs()] == [True, True]


def test_when_the_relay_is_killed_the_program_prints_on():
    with start(
        """
        with capture.run() as run:
            print("one", flush=True); input()
            for i in range(20000): print("two", i)
            run.log({"a": 1})
        print("three")
        """,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"one\n"
        folder = run_in_progress()
        eventually(lambda: tracker_of(folder))
        found = eventually(lambda: relays())
        relay = next(one for one in found if any(child.pid == tracker_of(folder) for child in one.children()))
        relay.kill()
        process.stdin.write(b"\n")
        process.stdin.flush()
        shown = process.stdout.read().splitlines()
        assert shown == [*(b"two %d" % i for i in range(20000)), b"three"]
        assert process.stderr.read() == b"capture: the recording has ended early: the relay is gone\n"
    assert process.returncode == 0
    assert ended(folder).state == "crashed"
    assert console(folder).startswith(b"one\n")
    none_left()


def test_when_the_tracker_is_killed_the_records_are_those_of_an_undisturbed_run():
    with start("""
        with capture.run() as run:
            for i in range(30):
                print(f"step {i}: loss=0.{i:02}", flush=True); run.log({"own": i})
                if i == 15: print("half", flush=True); input()
    """) as process:
        for line in process.stdout:
            if line == b"half\n":
                break
        folder = run_in_progress()
        first = eventually(
            lambda: (folder / runs.RECORDS).exists() and len(rows(folder)) >= 31 and tracker_of(folder)
        )
        os.kill(first, signal.SIGKILL)
        eventually(lambda: tracker_of(folder) not in (None, first))
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stdout.read().count(b"loss=") == 14
    assert process.returncode == 0
    found = rows(folder)
    assert [row["metrics"]["own"] for row in found if "logged" in row] == list(range(30))
    assert [row["step"] for row in found if "logged" not in row] == list(range(30))
    delivered = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert len(delivered) == len(found)
    assert json.loads((folder / runs.STATUS).read_text())["last"]["own"] == 29


def test_a_run_that_was_logged_to_is_replayed_with_all_that_it_logged():
    execute("""
        with capture.run() as run:
            print("epoch 1: loss=0.5"); run.log({"own": 1}); run.table("t", ["a"], [[1]])
    """)
    old = only_run()
    assert capture("replay", old, "--to", "jsonl").returncode == 0
    new = next(folder for folder in all_runs() if folder.name != old.name)
    assert sorted(str(row["metrics"]) for row in rows(new)) == ["{'loss': 0.5}", "{'own': 1}"]
    assert (new / "tables" / "t.json").exists()


def test_without_capture_the_program_runs_on_with_one_line():
    script(
        """
        with door.run(project="x", to="anything") as run:
            print("training"); run.log({"a": 1}); run.config["b"] = 2; run.summary["c"] = 3
            run.table("t", ["a"], [[1]]); run.alert("t"); run.save(__file__)
            print(run.url, run.folder)
        """,
        head="import door\n",
    )
    shutil.copy(DOOR, "door.py")
    environ = {"PATH": "/nowhere", "HOME": os.environ["HOME"]}
    done = subprocess.run([sys.executable, "-I", "-c", "import sys; sys.path.insert(0, '.'); import runpy; runpy.run_path('train.py')"], capture_output=True, env=environ, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"training\nNone None\n")
    assert done.stderr == (
        b"capture: not recorded: there is no `capture` on PATH (pipx install capture-metrics, or set CAPTURE_BIN)\n"
    )


def test_the_file_alone_in_an_empty_environment_finds_capture_on_the_path():
    venv.create("empty", symlinks=True)
    shutil.copy(DOOR, "door.py")
    script(
        """
        with door.run(to="jsonl") as run:
            print("epoch 1: loss=0.5"); run.log({"own": 1})
        """,
        head="import door\n",
    )
    bin_ = Path("bin")
    bin_.mkdir()
    for name, code in (
        ("other/capture", "#!/bin/sh\necho 'usage: capture screen' >&2; exit 2\n"),  # of another project
        ("capture", f'#!/bin/sh\nexec {sys.executable} -m capture "$@"\n'),
    ):
        (bin_ / name).parent.mkdir(exist_ok=True)
        (bin_ / name).write_text(code)
        (bin_ / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{bin_ / 'other'}:{bin_}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["empty/bin/python", "train.py"], capture_output=True, env=environ, check=False, timeout=100
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"epoch 1: loss=0.5\n", b"")
    assert len(rows(only_run())) == 2


def test_importing_the_door_imports_the_standard_library_alone():
    tree = ast.parse(DOOR.read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
            assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
    code = "import sys, capture; capture.run; print([name for name in sys.modules if name.startswith('capture')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['capture', 'capture.door']\n"


def test_a_program_that_becomes_another_one_is_recorded_on():
    done = execute("""
        if len(sys.argv) == 1:
            capture.run().start()
            print("first", flush=True)
            os.execv(sys.executable, [sys.executable, "-c", "print('second')"])
    """)
    assert done.stdout == b"first\nsecond\n"
    assert ended(only_run()).state == "crashed"
    assert console(only_run()) == done.stdout


def test_a_reader_that_goes_away_is_felt_as_without_capture():
    script("""
        with capture.run():
            for i in range(100000): print(i)
    """)
    line = f"{sys.executable} train.py | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=100, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"}, check=False)  # fmt: skip
    assert done.stdout.splitlines()[0] == b"0"
    assert done.stdout.splitlines()[-1] != b"0" and b"BrokenPipeError" in done.stderr
    assert ended(only_run()).exit_status in (1, None)
    none_left()


def test_a_program_with_more_than_a_thousand_open_files_is_tracked():
    done = execute("""
        import resource
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 4096), limit))
        files = [open(__file__) for _ in range(1100)]
        with capture.run() as run:
            print("epoch 1: loss=0.5"); run.log({"own": 1})
    """)
    assert (done.stdout, done.stderr) == (b"epoch 1: loss=0.5\n", b"")
    assert sorted(str(row["metrics"]) for row in rows(only_run())) == ["{'loss': 0.5}", "{'own': 1}"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_stay_closed(closed):
    script("""
        with capture.run() as run:
            run.log({"own": 1})
            with open("open", "w") as file: file.write(str([fd for fd in range(3) if os.path.exists(f"/proc/self/fd/{fd}")]))
            if sys.stdout: print("out", flush=True)
            if sys.stderr: print("err", file=sys.stderr)
    """)  # fmt: skip
    line = f"{sys.executable} train.py {closed}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=110, check=True, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"})  # fmt: skip
    assert [row["metrics"] for row in rows(only_run())] == [{"own": 1}]
    expected = {">&-": (b"", b"err\n"), "2>&-": (b"out\n", b""), "<&- >&- 2>&-": (b"", b"")}[closed]
    assert (done.stdout, done.stderr) == expected
    assert console(only_run()) == b"".join(expected)


def test_a_disk_without_room_is_said_once():
    done = execute("""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with capture.run() as run:
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
            for i in range(50): run.log({"a": i})
            print("trained")
    """)
    assert done.stdout == b"trained\n"
    assert done.stderr.count(b"capture: what the program logs is not kept: ") == 1
    assert len(rows(only_run())) > 5


def test_a_folder_that_can_not_be_made_is_said_and_the_program_runs_on():
    Path("taken").write_text("")
    done = execute("""
        with capture.run(dir="taken") as run:
            print("trained"); run.log({"a": 1})
    """)
    assert done.stdout == b"trained\n"
    assert done.stderr.count(b"\n") == 1 and b"capture: not recorded: " in done.stderr


STDOUTS = {
    "redirected": ("import contextlib, io\nbuffer = io.StringIO()\n", "with contextlib.redirect_stdout(buffer):", "buffer"),
    "a tee": (
        "class Tee:\n    def __init__(self, out): self.out, self.file = out, open('own.log', 'w')\n"
        "    def write(self, text): self.out.write(text); self.file.write(text)\n"
        "    def flush(self): self.out.flush()\n",
        "sys.stdout = tee = Tee(sys.stdout)\nif True:",
        "tee",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(STDOUTS))
def test_what_other_code_has_put_into_stdout_works_on_and_is_read_once(kind):
    prepare, block, name = STDOUTS[kind]
    code = (
        f"{prepare}{block}\n"
        "    before = sys.stdout\n"
        "    with capture.run() as run:\n"
        "        print('epoch 1: loss=0.5')\n"
        "        import tqdm\n"
        "        for i in tqdm.trange(3, file=sys.stdout): pass\n"
        "        print(sys.stdout.__class__, file=sys.stderr)\n"
        f"    assert sys.stdout is before is {name} and 'write' not in vars(before) if hasattr(before, '__dict__') else True\n"
    )
    Path("train.py").write_text(HEAD + code)
    done = subprocess.run([sys.executable, "train.py"], capture_output=True, timeout=100, check=False, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"})  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert console(only_run()).count(b"epoch 1: loss=0.5\n") == 1
    assert b"3/3" in console(only_run())
    assert done.stdout.count(b"loss=0.5") == (0 if kind == "redirected" else 1)


@pytest.mark.parametrize("mode", ["fd", "sys", "no"])
def test_inside_pytest_what_is_printed_is_read_and_still_pytests(mode):
    Path("test_train.py").write_text(
        "import os, sys, capture\n"
        "def test_train(request):\n"
        "    before = sys.stdout\n"
        "    with capture.run() as run:\n"
        "        print('epoch 1: loss=0.5'); os.write(2, b'from C\\n')\n"
        "    assert sys.stdout is before\n"
        "    print('after')\n"
        "    assert 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--capture={mode}", "test_train.py"],
        capture_output=True, timeout=100, check=False, env={**os.environ, "CAPTURE_TO": "jsonl", "CAPTURE_WAIT": "100"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.count(b"epoch 1: loss=0.5\n") == 1 and b"after" in done.stdout
    assert sorted(console(only_run()).splitlines()) == [b"epoch 1: loss=0.5", b"from C"]
