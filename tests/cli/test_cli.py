"""The command line, as a user calls it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, MYSOLVER, RECORDING, capture, eventually, only_run

from capture import __version__


def test_parse_prints_records_as_the_design_shows_them():
    first = json.loads(capture("parse", RECORDING).stdout.splitlines()[3])
    assert list(first) == ["time", "parser", "step", "epoch", "metrics", "context", "at"]
    assert (first["parser"], first["step"], first["epoch"]) == ("keras", 1, 1)


def test_parse_reads_standard_input_and_a_run_folder():
    done = capture("parse", "-", input="epoch 1: loss=0.5\n")
    assert json.loads(done.stdout)["metrics"] == {"loss": 0.5}
    capture("--to", "jsonl", "--", "echo", "epoch 1: loss=0.25")
    assert json.loads(capture("parse", only_run()).stdout)["metrics"] == {"loss": 0.25}


def test_parse_reads_the_streams_and_times_of_a_recording():
    program = "import sys; print('epoch 1: loss=0.5', end='', flush=True); print('warning', file=sys.stderr); print()"
    capture("--to", "jsonl", "--", sys.executable, "-c", program)
    folder = only_run()
    said, kept = capture("parse", folder).stdout, (folder / "records.jsonl").read_text()
    assert [*map(json.loads, said.splitlines())] == [*map(json.loads, kept.splitlines())] != []


def test_parse_uses_a_format_of_ones_own_or_one_alone():
    Path("mine.yaml").write_text(MYSOLVER)
    assert (
        '"objective": 0.5' in capture("parse", "--parser", "mine.yaml", "-", input="it 1: obj 0.5\n").stdout
    )
    assert capture("parse", "--parser", "tqdm", "-", input="epoch 1: loss=0.5\n").stdout == ""


@pytest.mark.parametrize(("arguments", "says"), [
    (("parse", "missing.log"), "capture parse: there is no file 'missing.log', and there is no run 'missing.log': there are no runs in capture-runs"),
    (("parse", "--parser", "nope", "-"), "there is no parser 'nope'; there are absl, "),
    (("parsers", "show", "nope"), "there is no parser 'nope'"),
    (("parsers", "test", "nope.yaml"), "nope.yaml: No such file or directory"),
    (("parsers", "nope"), "capture parsers: nope: should be one of list, show, test, explain, schema"),
    (("parsers", "explian"), "capture parsers: explian: did you mean 'explain'?"),
    (("parse",), "capture parse: RUN|FILE is missing; see capture parse --help"),
    (("parse", "."), "capture parse: .: a folder without logs and runs"),
    (("parse", "--parser", "nope.yaml", "-"), "capture parse: nope.yaml: No such file or directory"),
    (("--to", "wandbb", "--", "true"), "capture: --to: there is no backend 'wandbb'; did you mean 'wandb'?"),
    (("--to", "x", "--", "true"), "capture: --to: there is no backend 'x'; there are jsonl, mlflow, module:NAME, tensorboard, trackio, wandb"),
    (("--projct", "x", "--", "true"), "capture: there is no option --projct; did you mean --project?"),
    (("--zzz", "--", "true"), "capture: there is no option --zzz; capture help run lists them"),
    (("--wait", "abc", "--", "true"), "capture: --wait: 'abc': should be a number of seconds, such as 2.5; see capture help run"),
    (("run", "--tga", "x", "--", "true"), "there is no option --tga; did you mean --tag?"),
    (("runs", "--older", "1d"), "capture runs: there is no option --older; capture runs --help lists them"),
    (("runs", "rm", "--odler", "1d"), "capture runs: there is no option --odler; did you mean --older?"),
    (("doctor", "x"), "capture doctor: 'x' is one word too many"),
    (("--project",), "capture: --project wants a value"),
    (("--wait", "x", "--", "true"), "capture: --wait: 'x': should be a number of seconds, such as 2.5"),
    (("--tty", "x", "--", "true"), "capture: --tty x: should be one of auto, always, never"),
    (("--resume", "must", "--", "true"), "capture: --resume must: say which run, with --id ID"),
    (("--",), "capture: the command comes after two dashes, for example: capture -- python train.py"),
    (("--project", "p"), "for example: capture --project p -- python train.py"),
    (("python3", "train.py", "--lr", "3"), "capture: the command comes after two dashes: capture -- python3 train.py --lr 3\n"),
    (("--name", "a b", "python3", "x"), "capture --name 'a b' -- python3 x\n"),
    (("hlep",), "capture: there is no command 'hlep'; did you mean `capture help`?"),
    (("sohw",), "capture: there is no command 'sohw'; did you mean `capture show`?"),
    (("ls",), "did you mean `capture runs`, or, to run that program, `capture -- ls`?"),
    (("qqq",), "a program of yours comes after two dashes: capture -- qqq"),
    (("stray", "--", "true"), "capture: 'stray' is before the two dashes, where only options are expected"),
    (("help", "snyc"), "capture help: snyc: did you mean 'sync'?"),
    (("completion", "tcsh"), "capture completion: tcsh: should be one of bash, zsh, fish"),
    (("learn", "nope"), "there is no file 'nope', and there is no run 'nope'"),
    (("--config", "lr", "--", "true"), "capture: --config lr: should be KEY=VALUE"),
    (("--parser", "nope.yaml", "--", "true"), "nope.yaml: No such file or directory"),
])  # fmt: skip
def test_mistakes_get_one_sentence_and_status_2(arguments, says):
    done = capture(*arguments, input="")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (2, "")


def test_a_broken_configuration_is_found_before_the_command_starts():
    Path("capture.yaml").write_text("projekt: x\n")
    done = capture("--", "touch", "started")
    assert done.returncode == 2
    assert "capture.yaml:1: unknown key 'projekt'; did you mean 'project'?" in done.stderr
    assert not Path("started").exists()


def test_all_mistakes_are_said_at_once(monkeypatch):
    Path("capture.yaml").write_text("projekt: x\nlinger: -1\n")
    monkeypatch.setenv("CAPTURE_TTY", "maybe")
    done = capture("--config", "lr", "--to", "wandbb", "--parser", "nope.yaml", "--", "true")
    assert done.returncode == 2
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        "capture", "capture.yaml:2", "CAPTURE_TTY=maybe", "nope.yaml", "--to", "--config lr",
    ]  # fmt: skip


@pytest.mark.parametrize(("option", "variable"), [(("--lenient",), ""), ((), "1")])
def test_lenient_runs_the_command_and_says_what_it_left_out(monkeypatch, option, variable):
    Path("capture.yaml").write_text("projekt: x\nto: jsonl\n")
    monkeypatch.setenv("CAPTURE_LENIENT", variable)
    done = capture(*option, "--", "echo", "started")
    assert (done.returncode, done.stdout) == (0, "started\n")
    assert done.stderr.startswith("capture: ignored because of --lenient: ")
    assert done.stderr.count("\n") == 1
    assert "capture.yaml:1: unknown key 'projekt'" in (only_run() / "summary.txt").read_text()


def test_a_pipe_that_closes_early_is_no_error():
    script = f"{' '.join(CAPTURE)} parse {RECORDING} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    ["parsers", "parsers show keras", "parsers schema", "parsers test", "--help", "--version", "parse -"],
)
def test_a_reader_that_has_gone_is_no_error(arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as gone:
        done = subprocess.run(
            [*CAPTURE, *arguments.split()],
            input=b"epoch 1: loss=0.5\n",
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_parse_gives_the_same_from_a_file_and_from_standard_input_and_as_recorded():
    with RECORDING.open("rb") as file:
        piped = subprocess.run([*CAPTURE, "parse", "-"], stdin=file, capture_output=True, check=True).stdout
    assert piped == subprocess.run([*CAPTURE, "parse", RECORDING], capture_output=True, check=True).stdout
    assert piped == RECORDING.with_suffix(".jsonl").read_bytes()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_parse_writes_json_in_utf_8_whatever_the_locale(encoding):
    done = subprocess.run(
        [*CAPTURE, "parse", "-"],
        input="précision=0.5 loss=1\n".encode(),
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout.decode("utf-8"))["metrics"] == {"précision": 0.5, "loss": 1}


def test_parse_says_on_stderr_when_a_pattern_was_switched_off():
    Path("slow.yaml").write_text(
        "name: slow\npatterns: [{regex: '^(a|aa)+$'}]\nsamples: [{text: b, gives: nothing}]\n"
    )
    done = capture("parse", "--parser", "slow.yaml", "-", input="a" * 60 + "b\nepoch 1: loss=0.5\n")
    assert json.loads(done.stdout)["metrics"] == {"loss": 0.5}
    assert "capture parse: parser slow: a pattern took more than 50 ms" in done.stderr


def test_parse_of_nothing_is_nothing():
    done = capture("parse", "-", input="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", ["run", "parse", "parsers", "ui"])
def test_every_command_has_its_help(command):
    done = capture(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: capture ")


def test_parsers_list_and_test_take_in_those_of_the_configuration():
    Path("mine.yaml").write_text(MYSOLVER)
    Path("capture.yaml").write_text("parsers: [mine.yaml]\n")
    assert capture("parsers", "list").stdout.splitlines()[0].split() == ["mine", "mine.yaml"]
    assert "mine (mine.yaml): 1 sample ok" in capture("parsers", "test").stdout


def test_a_parser_written_in_the_configuration_is_listed_with_that_file():
    Path("capture.yaml").write_text("parsers:\n  - name: inline\n    patterns: [{line: 'x {x}'}]\n")
    assert capture("parsers", "list").stdout.splitlines()[0].split() == ["inline", "capture.yaml"]


@pytest.mark.parametrize(("variable", "text", "says"), [
    ("CAPTURE_TTY", "maybe", "capture parsers: CAPTURE_TTY=maybe: should be one of auto, always, never"),
    ("CAPTURE_WAIT", "long", "capture parsers: CAPTURE_WAIT=long: should be a number of seconds"),
])  # fmt: skip
def test_a_wrong_variable_is_one_sentence_for_every_command(monkeypatch, variable, text, says):
    monkeypatch.setenv(variable, text)
    done = capture("parsers")
    assert (done.returncode, done.stderr.strip()) == (2, says)


def test_a_built_in_format_is_a_start_for_ones_own():
    Path("own.yaml").write_text(capture("parsers", "show", "tqdm").stdout)
    done = capture("parsers", "test", "own.yaml")
    assert done.returncode == 0
    assert re.fullmatch(r"tqdm \(own.yaml\): \d+ samples ok\n", done.stdout)


def test_a_date_in_the_configuration_stops_no_command():
    Path("capture.yaml").write_text("to: jsonl\nconfig: {start: 2024-01-31}\n")
    done = capture("--", "echo", "started")
    assert (done.returncode, done.stdout) == (0, "started\n")
    assert json.loads((only_run() / "run.json").read_text())["config"]["start"] == "2024-01-31"


def test_parsers_can_be_listed_shown_and_tested():
    assert [line.split()[0] for line in capture("parsers").stdout.splitlines()][-1] == "general"
    assert capture("parsers", "show", "keras").stdout.startswith("name: keras\n")
    done = capture("parsers", "test")
    assert done.returncode == 0
    assert re.search(r"^keras \(built in\): \d+ samples ok$", done.stdout, re.M)


def test_a_failing_sample_makes_the_test_fail():
    Path("mine.yaml").write_text(MYSOLVER.replace("step: 1,", "step: 2,"))
    done = capture("parsers", "test", "mine.yaml")
    assert done.returncode == 1
    assert "mine (mine.yaml): 1 of 1 sample failed" in done.stdout
    assert "step: expected 2, got 1" in done.stdout


def test_the_schema_is_json_and_knows_the_keys():
    schema = json.loads(capture("parsers", "schema").stdout)
    assert {"name", "patterns", "samples"} <= set(schema["properties"])


def test_version_and_help():
    assert capture("--version").stdout == f"capture {__version__}\n"
    assert "capture [OPTIONS] -- COMMAND" in capture("--help").stdout


def test_formats_and_names_of_the_configuration_are_used():
    Path("mine.yaml").write_text(MYSOLVER)
    Path("capture.yaml").write_text(
        "to: jsonl\nparsers: [mine.yaml]\nrename: {objective: obj}\nproject: solver\n"
    )
    done = capture("--", "echo", "it 7: obj 0.125")
    assert done.stdout == "it 7: obj 0.125\n"
    run = only_run()
    assert run.parent.name == "solver"
    (row,) = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert (row["step"], row["obj"]) == (7, 0.125)


def test_the_users_parsers_are_in_the_runs_folder_byte_for_byte():
    text = MYSOLVER.replace("patterns:", "# of our solver, naïve\n\npatterns:").replace("\n", "\r\n").encode()
    Path("mine.yaml").write_bytes(text)
    Path("capture.yaml").write_text("to: jsonl\nparsers: [{name: inline, patterns: [{line: 'x {x}'}]}]\n")
    capture("--parser", "mine.yaml", "--", "printf", "it 7: obj 0.125\nx 3\n")
    copies = only_run() / "parsers"
    assert sorted(path.name for path in copies.iterdir()) == ["000-mine.yaml", "001-capture.yaml", "built-in"]
    assert (copies / "000-mine.yaml").read_bytes() == text
    assert "patterns" not in (only_run() / "run.json").read_text()
    records = [json.loads(line) for line in (only_run() / "records.jsonl").read_text().splitlines()]
    assert [record["parser"] for record in records] == ["mine", "inline"]


def test_a_run_without_metrics_opens_no_backend():
    capture("--to", "trackio", "--", "echo", "hello")
    assert "no metrics found in 1 line;" in (only_run() / "summary.txt").read_text()
    assert not (only_run() / "delivered").exists()
    assert not Path("capture-runs/trackio").exists()


def test_ui_says_where_the_dashboard_is():
    capture("--", "echo", "epoch 1: loss=0.5")
    with open("shown", "wb") as shown:
        process = subprocess.Popen([*CAPTURE, "ui", "--no-browser"], stdout=shown, stderr=shown)
    try:
        eventually(lambda: "http://127.0.0.1:" in Path("shown").read_text())
    finally:
        process.kill()
        process.wait(100)


def test_ui_without_runs_says_so():
    done = capture("ui")
    assert (done.returncode, done.stderr) == (
        1,
        "capture ui: there are no runs in capture-runs; capture -- COMMAND makes one\n",
    )


def test_the_command_starts_without_slow_imports():
    """YAML, entry points and the backends stay off the way of every start."""
    slow = {
        "yaml",
        "regex",
        "pydantic",
        "importlib.metadata",
        "dataclasses",
        "subprocess",
        "logging",
        "asyncio",
    }

    def modules(code):
        code += "; import sys; print(*sys.modules)"
        return set(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout.split()
        )

    loaded = modules("import capture.cli, capture.cli.run") - modules("pass")
    assert "capture.relay" in loaded
    assert loaded & slow == set()


def test_where_there_is_no_fork_it_imports_and_says_what_is_missing():
    """As on Windows."""
    code = (
        "import os, sys\nfor name in ('fcntl', 'termios', 'tty', 'pty', 'resource'): sys.modules[name] = None\n"
        "import capture.cli.run, capture.cli.parse, capture.tracker.tracker\nfrom capture.relay import loop as relay\ndel os.fork\n"
        "relay.run(['x'], None, relay.Options())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "capture: running a command needs Linux or macOS (or WSL on Windows)\n"
