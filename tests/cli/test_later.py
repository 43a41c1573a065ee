"""After a run: sync delivers what is missing, replay makes it again, runs lists and removes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, FIXTURES, capture, eventually, only_run, run_in_progress, tracker_of

from capture import runs

LINES = "".join(f"{i} | loss {6 - i / 100:.4f} | lr 1.0e-04 | 5.00ms | mfu 0.01%\n" for i in range(200))


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def record(*options, text=LINES):
    Path("lines").write_text(text)
    done = capture("--to", "jsonl", *options, "--", "cat", "lines")
    assert done.stdout == text
    return only_run()


class TestSync:
    def test_a_run_whose_machine_died_is_parsed_to_its_end_and_delivered(self):
        code = f"import sys\nsys.stdout.write({LINES!r})\nsys.stdout.flush()\nsys.stdin.read()"
        process = subprocess.Popen(
            [*CAPTURE, "--to", "jsonl", "--", sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        folder = run_in_progress()
        eventually(lambda: (folder / runs.CONSOLE_LOG).stat().st_size == len(LINES))
        os.kill(eventually(lambda: tracker_of(folder)), signal.SIGSTOP)
        tracker = tracker_of(folder)
        os.kill(process.pid, signal.SIGKILL)
        os.kill(tracker, signal.SIGKILL)
        process.communicate()
        (folder / runs.RECORDS).write_text("")  # as if nothing had reached the disk
        assert "crashed" in capture("runs").stdout
        done = capture("sync")
        assert (done.returncode, done.stderr) == (0, "")
        assert "delivered to jsonl" in done.stdout
        assert [row["step"] for row in rows(folder)] == list(range(200))
        assert runs.read(folder).state == "crashed"
        assert "nothing is missing" in capture("sync").stdout

    def test_load_and_provenance_are_delivered_to_a_backend_that_joins_later(self):
        """As in a live run: three samples of the load, and where the run comes from."""
        folder = record()
        samples = [{"time": runs.read(folder).start + n, "machine/load": n / 10} for n in (1, 2, 3)]
        (folder / runs.SYSTEM).write_text("".join(json.dumps(sample) + "\n" for sample in samples))
        (folder / runs.PROVENANCE).write_text('{"git": {"dirty": true}, "hardware": {"cpus": 2}}')
        assert capture("sync", "--to", "trackio,tensorboard", folder).returncode == 0
        code = (
            "import json\nfrom trackio.sqlite_storage import SQLiteStorage as S\n(run,) = S.get_runs('project')\n"
            "config = S.get_run_config('project', run)\n"
            "print(json.dumps([S.get_system_logs('project', run), config['_provenance']]))"
        )
        environ = {**os.environ, "TRACKIO_DIR": str(Path("capture-runs/trackio").absolute())}
        done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True)
        load, provenance = json.loads(done.stdout)
        assert [sample["machine/load"] for sample in load] == [0.1, 0.2, 0.3]
        assert {"git": {"dirty": True}, "hardware": {"cpus": 2}}.items() <= provenance.items()
        (events,) = Path("capture-runs/tensorboard").glob("*/*/events*")
        shown = events.read_bytes()
        assert shown.count(b"system/machine/load") == 3
        assert b"provenance.hardware.cpus" in shown

    def test_to_a_backend_that_the_run_did_not_name(self):
        folder = record()
        done = capture("sync", "--to", "trackio", folder)
        assert done.returncode == 0, done.stdout
        assert json.loads((folder / "delivered" / "trackio.json").read_text())["state"] == "closed"
        assert "nothing is missing" in capture("sync", "--to", "trackio").stdout
        assert capture("runs", "--columns", "delivered").stdout.split("\n")[1].strip() == "jsonl, trackio"
        assert "  delivered  jsonl, trackio\n" in capture("show", "last").stdout

    def test_what_a_backend_refused_is_said_and_delivered_once_it_can_be(self):
        Path("blocked").write_text("")
        Path("capture.yaml").write_text("jsonl: {path: blocked/metrics.jsonl}\n")
        Path("lines").write_text(LINES)
        assert capture("--to", "jsonl", "--wait", "8", "--", "cat", "lines").returncode == 0
        assert "jsonl missing" in capture("runs").stdout
        Path("blocked").unlink()
        done = capture("sync")
        assert done.returncode == 0, done.stdout
        assert len(Path("blocked/metrics.jsonl").read_text().splitlines()) == 200

    def test_a_run_that_is_not_there_is_one_sentence(self):
        done = capture("sync", "nope")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "capture sync: there is no run 'nope': there are no runs in capture-runs\n"
        record("--name", "noope")
        assert capture("sync", "nope").stderr == (
            "capture sync: there is no run 'nope' in capture-runs, by folder, id or name; did you mean 'noope'?\n"
        )

    def test_it_says_only_what_it_did(self):
        record("--name", "done")
        Path("words").write_text("hello\n")
        capture("--to", "jsonl", "--name", "words", "--", "cat", "words")
        for run in Path("capture-runs").glob("*/*/status.json"):
            run.unlink()  # as if the tracker had died at the end
        assert sorted(capture("sync").stdout.splitlines()) == [
            "project/done: 200 records delivered to jsonl",
            "project/words: read to its end; it holds no metrics",
        ]
        assert capture("sync").stdout == "nothing is missing in 2 runs\n"
        assert capture("sync", "done").stdout == "nothing is missing in project/done\n"
        assert capture("sync", "--to", "jsonl,tensorboard", "done").stdout == (
            "project/done: 200 records delivered to tensorboard\n"
        )

    def test_a_run_in_progress_is_left_alone(self):
        command = [*CAPTURE, "--to", "jsonl", "--", "cat"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            run_in_progress()
            assert "still running" in capture("sync").stdout
            process.stdin.close()

    def test_a_parser_of_the_run_that_is_wrong_is_left_out_and_said_with_its_line(self):
        Path("own.yaml").write_text(
            "# ours\nname: own\npatterns: [{line: 'lines {x}'}]\nsamples: [{text: lines 1, gives: {metrics: {x: 1}}}]\n"
        )
        folder = record("--parser", "own.yaml")
        parser = folder / runs.PARSERS / "000-own.yaml"
        parser.write_text(parser.read_text().replace("patterns", "pattern"))
        shutil.rmtree(folder / "delivered")
        assert capture("sync").returncode == 0
        assert len(rows(folder)) == 200
        assert (
            f"ignored: {os.path.relpath(parser, folder)}:3: unknown key 'pattern'"
            in (folder / runs.SUMMARY).read_text()
        )


class TestReplay:
    def test_a_run_is_made_again_with_its_times_its_config_and_todays_parsers(self):
        first = record("--config", "depth=3", "--name", "first")
        shutil.move("capture-runs", "old")
        folder = next(Path("old").glob("*/*/run.json")).parent
        Path("own.yaml").write_text(
            "name: own\npatterns: [{line: '{step} | loss {objective} | lr {_} | {_}ms | mfu {_}%'}]\n"
            "samples: [{text: '1 | loss 2 | lr 1e-4 | 5ms | mfu 1%', gives: {step: 1, metrics: {objective: 2}}}]\n"
        )
        done = capture("replay", "-q", "--to", "jsonl", "--parser", "own.yaml", folder)
        assert (done.returncode, done.stderr) == (0, "")
        new, old = runs.read(only_run()), runs.read(folder)
        assert (new.name, new.config, new.start, new.end) == (old.name, {"depth": 3}, old.start, old.end)
        assert (new.exit_status, new.parent) == (0, old.id)
        assert new.id != first.name
        assert [row["objective"] for row in rows(only_run())] == [row["loss"] for row in rows(folder)]
        assert [row["time"] for row in rows(only_run())] == [row["time"] for row in rows(folder)]
        assert (only_run() / runs.CONSOLE_LOG).read_text() == LINES

    def test_any_log_is_a_run(self):
        done = capture(
            "replay", "--to", "jsonl", "--summary", "always", FIXTURES / "llama2c_train" / "stdout.raw"
        )
        assert done.returncode == 0
        assert "llama2c" in done.stderr
        golden = (FIXTURES / "llama2c_train" / "stdout.jsonl").read_text().splitlines()
        assert len((only_run() / runs.RECORDS).read_text().splitlines()) == len(golden)

    def test_the_last_run_is_the_one_that_was_made_last_however_old_its_log_is(self):
        record("--name", "of-today")
        Path("old.log").write_text("epoch 1: loss=0.125\n")
        os.utime("old.log", (1.0e9, 1.0e9))
        assert capture("replay", "-q", "--to", "jsonl", "--name", "of-old", "old.log").returncode == 0
        assert "of-old" in capture("show", "last").stdout

    def test_without_a_terminal_it_says_where_the_new_run_is(self):
        Path("a.log").write_text("epoch 1: loss=0.5\nepoch 2: loss=0.25\n")
        done = capture("replay", "--to", "jsonl", "--project", "old", "a.log")
        place = os.path.relpath(only_run())
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"capture replay: {place}: 2 records\n"
        assert capture("replay", "--to", "jsonl", "-q", "a.log").stderr == ""
        assert capture("replay", "--to", "jsonl", "--json", "a.log").stderr == ""
        assert (
            "capture replay" not in capture("replay", "--to", "jsonl", "--summary", "always", "a.log").stderr
        )

    def test_what_is_neither_is_one_sentence(self):
        done = capture("replay", "nope.log")
        assert (done.returncode, done.stderr) == (
            2,
            "capture replay: there is no file 'nope.log', and there is no run 'nope.log': there are no runs in "
            "capture-runs\n",
        )  # fmt: skip


class TestRuns:
    def test_the_list_says_state_values_and_what_is_delivered(self):
        record("--name", "good", "--id", "one")
        capture("--to", "jsonl", "--name", "bad", "--id", "two", "--", "false")
        lines = capture("runs").stdout.splitlines()
        assert lines[0].split()[:5] == ["RUN", "STATE", "AGE", "DURATION", "loss"]
        assert lines[0].split()[-2:] == ["DELIVERED", "ID"]
        assert lines[1].startswith("project/good  finished  ")
        assert "  4.01  " in lines[1]
        assert lines[1].endswith("  jsonl       one")
        assert lines[2].startswith("project/bad   failed    ")
        assert lines[2].endswith("  no metrics  two")

    def test_old_runs_are_removed_and_others_kept(self):
        folder = record()
        capture("--to", "jsonl", "--id", "young", "--", "true")
        runs.write(folder, runs.read(folder)._replace(start=1.0, end=2.0))
        done = capture("runs", "rm", "--older", "30d")
        assert done.returncode == 0
        assert not folder.exists()
        assert only_run().name == "young"

    def test_what_is_not_delivered_is_kept(self):
        folder = record()
        (folder / "delivered" / "jsonl.json").unlink()
        done = capture("runs", "rm", folder)
        assert done.returncode == 1
        assert "not delivered, kept" in done.stdout
        assert folder.exists()
        assert capture("runs", "rm", "--force", folder).returncode == 0
        assert not folder.exists()

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["rm"], "name runs, or say --older AGE"),
            (["rm", "--older", "soon"], "--older soon: should be a number with m, h, d or w"),
            (["rm", "nope"], "there is no run 'nope'"),
        ],
    )
    def test_mistakes_are_one_sentence(self, arguments, says):
        done = capture("runs", *arguments)
        assert done.returncode == 2
        assert says in done.stderr

    def test_no_runs_are_no_error(self):
        assert "there are no runs in capture-runs" in capture("runs").stdout

    def test_options_stand_on_either_side(self):
        Path("lines").write_text(LINES)
        capture("--to", "jsonl", "--name", "here", "--dir", "elsewhere", "--", "cat", "lines")
        for words in (
            ["runs", "--dir", "elsewhere", "list"], ["runs", "list", "--dir", "elsewhere"],
            ["--dir", "elsewhere", "runs"], ["--dir", "elsewhere", "runs", "list"], ["runs", "--dir", "elsewhere"],
        ):  # fmt: skip
            assert "project/here" in capture(*words).stdout, words
        assert "project/here" not in capture("--dir", "elsewhere", "runs", "--project", "other").stdout
        assert json.loads(capture("--dir", "elsewhere", "parse", "here").stdout.splitlines()[0])["step"] == 0


class TestRunArguments:
    """RUN is a folder, an id, a name or `last`."""

    @pytest.fixture
    def two(self):
        folders = {}
        for name, value in (("first", 1), ("second", 2)):
            capture(
                "--to", "jsonl", "--name", name, "--id", f"id-{name}", "--", "echo", f"epoch 1: loss={value}"
            )
            folders[name] = str(Path("capture-runs/project") / f"id-{name}")
        return folders

    def test_every_way_to_name_it(self, two):
        for word, loss in (
            ("first", 1), ("id-first", 1), ("project/first", 1), (two["first"], 1), ("last", 2), ("second", 2)
        ):  # fmt: skip
            assert json.loads(capture("parse", word).stdout)["metrics"] == {"loss": loss}, word
        assert "gives epoch 1, loss 2" in capture("parsers", "explain", "last").stdout
        assert capture("sync", "first").stdout == "nothing is missing in project/first\n"
        assert capture("replay", "--to", "jsonl", "--name", "again", "first").returncode == 0
        assert json.loads(capture("parse", "again").stdout)["metrics"] == {"loss": 1}

    def test_a_file_comes_before_a_run(self, two):
        Path("last").write_text("epoch 1: loss=7\n")
        assert json.loads(capture("parse", "last").stdout)["metrics"] == {"loss": 7}

    def test_a_name_of_several_runs_is_not_guessed(self, two):
        capture("--to", "jsonl", "--name", "first", "--id", "other", "--", "echo", "epoch 1: loss=3")
        done = capture("runs", "rm", "first")
        assert done.returncode == 2
        assert done.stderr == (
            "capture runs: 2 runs are called 'first'; say which by its id: other, id-first\n"
        )
        assert Path(two["first"]).exists()


class TestRemove:
    def test_a_run_leaves_the_backends_of_this_machine_too(self):
        record_to("jsonl,trackio,tensorboard,wandb", "gone")
        record_to("trackio,tensorboard", "kept")
        done = capture("runs", "rm", "gone")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "project/gone: removed, also from jsonl, trackio, tensorboard, wandb\n"
        assert runs_in_trackio() == ["kept"]
        left = [path.name for path in Path("capture-runs").rglob("*")]
        assert [name for name in left if "id-gone" in name] == []
        assert [name for name in left if name.startswith("kept-")] == ["kept-id-kept"]
        assert [name for name in left if name.startswith("offline-run-")] == []
        assert "project/gone" not in capture("runs").stdout

    def test_a_backend_that_can_not_remove_it_keeps_the_run(self):
        record_to("tensorboard", "stuck")
        place = Path("capture-runs/tensorboard/project/stuck-id-stuck")
        shutil.rmtree(place)
        place.write_text("no folder")
        done = capture("runs", "rm", "stuck")
        assert done.returncode == 1
        assert done.stdout.startswith(
            "project/stuck: kept, because it can't be removed everywhere: tensorboard: "
        )
        assert "project/stuck" in capture("runs").stdout

    def test_what_the_user_named_is_the_users(self):
        Path("capture.yaml").write_text("jsonl: {path: mine.jsonl}\n")
        record_to("jsonl", "one")
        done = capture("runs", "rm", "one")
        assert done.stdout == "project/one: removed; what jsonl has got stays there\n"
        assert Path("mine.jsonl").exists()


def record_to(backends, name):
    done = capture(
        "--wait",
        "80",
        "--to",
        backends,
        "--name",
        name,
        "--id",
        f"id-{name}",
        "--",
        "echo",
        "epoch 1: loss=1",
    )
    assert done.returncode == 0
    assert " missing" not in capture("runs").stdout


def runs_in_trackio():
    code = "from trackio.sqlite_storage import SQLiteStorage as S\nprint(*S.get_runs('project'))"
    environ = {**os.environ, "TRACKIO_DIR": str(Path("capture-runs/trackio").absolute())}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


class TestNothingPrinted:
    """A typing error, or `true`, is no run."""

    @pytest.mark.parametrize(("command", "status", "says"), [
        ("true", 0, "capture: nothing was printed, so no run is kept (--name NAME keeps it)\n"),
        ("no-such-program", 127, "capture: no-such-program: command not found\n"),
    ])  # fmt: skip
    def test_it_leaves_no_run(self, command, status, says):
        done = capture("--wait", "80", "--summary", "always", "--", command)
        assert (done.returncode, done.stdout, done.stderr) == (status, "", says)
        assert list(Path("capture-runs").glob("*/*/run.json")) == []

    def test_a_pipe_without_a_byte_leaves_none_either(self):
        assert capture("--wait", "80", "-", input="").returncode == 0
        assert list(Path("capture-runs").glob("*/*/run.json")) == []

    def test_one_that_failed_is_kept(self):
        assert capture("--wait", "80", "--", "false").returncode == 1
        assert runs.read(only_run()).exit_status == 1

    @pytest.mark.parametrize("option", ["--name", "--id"])
    def test_one_that_was_asked_for_is_kept(self, option):
        assert capture("--wait", "80", option, "x", "--", "true").returncode == 0
        assert "nothing was printed; the run is kept in" in (only_run() / runs.SUMMARY).read_text()

    def test_a_run_that_is_resumed_is_never_removed(self):
        record("--id", "job")
        assert capture("--id", "job", "--resume", "must", "--", "true").returncode == 0
        assert len(rows(only_run())) == 200


class TestResume:
    PROGRAM = (
        "import sys\nfor epoch in range(int(sys.argv[1]), int(sys.argv[2])):\n"
        " print(f'epoch {epoch} step {epoch * 10} loss={1 / (epoch + 1):.3f}')"
    )

    def run(self, first, last, *options):
        command = [sys.executable, "-c", self.PROGRAM, first, last]
        return capture("--to", "jsonl", "--id", "job-17", *options, "--", *command)

    def places(self):
        items = map(json.loads, (only_run() / runs.RECORDS).read_text().splitlines())
        return [(item["epoch"], item["step"]) for item in items]

    def test_a_program_that_begins_again_goes_on_where_the_run_ended(self):
        assert self.run(1, 4).returncode == 0
        assert self.run(1, 3, "--resume", "allow").returncode == 0
        assert self.places() == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]
        assert len(rows(only_run())) == 5
        run = runs.read(only_run())
        assert (run.resumed, run.state, run.exit_status) == (1, "finished", 0)

    def test_what_is_counted_from_zero_goes_on_too(self):
        self.run(0, 3)
        self.run(0, 2, "--resume", "must")
        assert [epoch for epoch, _ in self.places()] == [0, 1, 2, 3, 4]

    def test_a_program_that_carries_the_true_step_is_left_alone(self):
        self.run(1, 4)
        self.run(3, 6, "--resume", "allow")
        assert self.places() == [(1, 10), (2, 20), (3, 30), (3, 30), (4, 40), (5, 50)]

    def test_a_run_that_was_killed_goes_on_with_what_it_had(self):
        self.run(1, 4)
        folder = only_run()
        with (folder / runs.CONSOLE_LOG).open("ab") as log, (folder / runs.CONSOLE_INDEX).open("ab") as index:
            log.write(b"epoch 4 step 40 loss=0.2\nepoch 5 st")
            index.write(b"99.0 std")
        self.run(1, 2, "--resume", "allow")
        assert self.places() == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]

    def test_the_same_again_twice_and_after_a_tracker_that_died(self):
        for _ in range(3):
            self.run(1, 3, "--resume", "allow")
        folder = only_run()
        before = (folder / runs.RECORDS).read_text()
        (folder / runs.RECORDS).write_text(before[: len(before) // 2])
        capture("sync", "job-17")
        assert (folder / runs.RECORDS).read_text() == before
        assert [epoch for epoch, _ in self.places()] == [1, 2, 3, 4, 5, 6]

    def test_resume_says_what_it_wants(self):
        assert "--resume must: there is no run job-17" in self.run(1, 2, "--resume", "must").stderr
        assert self.run(1, 2).returncode == 0
        done = self.run(1, 2)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is a run job-17 already; --resume allow goes on with it" in done.stderr
        assert "should be letters, digits" in capture("--id", "../up", "--", "true").stderr

    def test_a_run_in_progress_is_not_resumed(self):
        with subprocess.Popen(
            [*CAPTURE, "--to", "jsonl", "--id", "busy", "--", "cat"], stdin=subprocess.PIPE
        ) as process:
            run_in_progress()
            done = capture("--id", "busy", "--resume", "allow", "--", "true")
            process.stdin.close()
        assert done.returncode == 2
        assert "run busy is still running, as process" in done.stderr
